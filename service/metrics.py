"""Prometheus metrics. Labels are closed sets; no question, passage or answer text can reach them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from agent import RunSummary

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "clinsearch_http_requests", "HTTP requests.", ("method", "route", "status"), registry=self.registry
        )
        self.request_seconds = Histogram(
            "clinsearch_http_request_seconds",
            "Time to the end of the response.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.runs = Counter("clinsearch_runs", "Finished runs.", ("stop_reason", "answer"), registry=self.registry)
        self.run_seconds = Histogram(
            "clinsearch_run_seconds", "Time of a run.", buckets=_SECONDS, registry=self.registry
        )
        self.sentences_shown = Counter(
            "clinsearch_sentences_shown", "Sentences that passed the gate.", registry=self.registry
        )
        self.sentences_withheld = Counter(
            "clinsearch_sentences_withheld", "Sentences the gate withheld.", ("reason",), registry=self.registry
        )
        self.failures = Counter(
            "clinsearch_run_failures", "Failures handled inside runs.", ("code",), registry=self.registry
        )
        self.feedback = Counter(
            "clinsearch_feedback", "Feedback on answers; none: taken back.", ("thumbs",), registry=self.registry
        )
        self.cds_cards = Counter("clinsearch_cds_cards", "CDS Hooks cards sent.", ("hook",), registry=self.registry)
        self.cds_feedback = Counter(
            "clinsearch_cds_feedback",
            "Feedback on CDS Hooks cards, by what became of them.",
            ("hook", "outcome", "reason"),
            registry=self.registry,
        )

    def observe(self, result: RunSummary) -> None:
        """Count a finished run."""
        self.runs.labels(result.stop_reason, result.answer.kind).inc()
        self.run_seconds.observe(result.duration_ms / 1000)
        self.sentences_shown.inc(len(result.answer.sentences))
        for reason, count in result.answer.withheld.items():
            self.sentences_withheld.labels(reason).inc(count)
        for failure in result.failures:
            self.failures.labels(failure.code).inc()

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)
