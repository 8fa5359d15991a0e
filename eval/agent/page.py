"""The report as Markdown, with the interval of every figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.agent.measures import Unit
from eval.agent.report import AgentReport, Figure, Group, Reliability
from eval.agent.table import difference, kept, notes, plain, shown_measures
from eval.retrieval.report import Estimate


def page(report: AgentReport) -> str:
    """The whole report for people."""
    names = [model.name for model in report.models]
    lines = [
        "# The agent on questions with known answers",
        "",
        f"{report.questions} questions (file SHA-256 `{report.questions_sha256[:16]}`), "
        f"index `{report.models[0].index_version[:16]}`, {report.producer}, {report.measured_at:%Y-%m-%d}.",
        "",
        "In each cell: the value with its interval and what it is of; then minus the first model; then minus the one "
        "before.",
        "",
    ]
    for group in report.groups:
        lines += [f"## {group.name}: {group.questions} questions", "", *_group(group, names), ""]
    if report.reliability is not None:
        lines += [*_reliability(report.reliability, names), ""]
    lines += ["## Notes", "", *(f"- {line}" for line in notes(report)), ""]
    return "\n".join(lines)


def _group(group: Group, names: Sequence[str]) -> Iterator[str]:
    yield from _head("measure", names)
    for label, unit, figures in shown_measures(group):
        cells = [_cell(place, figure, unit, group.questions) for place, figure in enumerate(figures)]
        yield f"| {label.strip()} | {' | '.join(cells)} |"


def _cell(place: int, figure: Figure, unit: Unit, questions: int) -> str:
    if figure.estimate is None:
        return "-"
    lines = [f"{_interval(figure.estimate, unit)} of {figure.of:.0f}"]
    if figure.minus_first is not None:
        lines.append(difference(figure.minus_first, unit, questions))
    if place > 1 and figure.minus_previous is not None:
        lines.append(difference(figure.minus_previous, unit, questions))
    return "<br>".join(lines)


def _reliability(reliability: Reliability, names: Sequence[str]) -> Iterator[str]:
    yield f"## Reliability: {reliability.problems} questions, {reliability.repetitions} answers each"
    yield ""
    parts = (
        ("gold cited and nothing withheld", reliability.success),
        ("share of sentences shown where the gold is cited", reliability.graded),
    )
    for label, curves in parts:
        yield from _head(label, names)
        for k in range(reliability.repetitions):
            cells = []
            for place, curve in enumerate(curves):
                lines = [_interval(curve.values[k], "share")]
                if curve.minus_first is not None:
                    lines.append(difference(curve.minus_first[k], "share", reliability.problems))
                if place > 1 and curve.minus_previous is not None:
                    lines.append(difference(curve.minus_previous[k], "share", reliability.problems))
                cells.append("<br>".join(lines))
            yield f"| worst at {k + 1} | {' | '.join(cells)} |"
        yield f"| worst at {reliability.repetitions} over mean | {' | '.join(kept(curve) for curve in curves)} |"
        yield ""


def _head(first: str, names: Sequence[str]) -> Iterator[str]:
    yield f"| {first} | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"


def _interval(estimate: Estimate, unit: Unit) -> str:
    return f"{plain(estimate.mean, unit)} ({plain(estimate.low, unit)} to {plain(estimate.high, unit)})"
