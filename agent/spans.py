"""Span and attribute names, in one place because the GenAI conventions are still in development.

Names follow the OpenTelemetry GenAI conventions where one exists and `clinsearch.*` elsewhere. No
question, passage or answer text is ever put on a span by this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from agent.client import Usage

_TRACER = "clinsearch.agent"
RUN, DECIDE, SEARCH, ANSWER, GATE = (
    "invoke_agent clinsearch",
    "chat decide",
    "execute_tool search",
    "chat answer",
    "clinsearch.gate",
)
_OPERATIONS = {RUN: "invoke_agent", DECIDE: "chat", ANSWER: "chat", SEARCH: "execute_tool"}
ROLLOUT_ID = "clinsearch.rollout_id"
STOP_REASON = "clinsearch.stop_reason"
ACTION = "clinsearch.action"
HITS = "clinsearch.search.hits"
SHOWN = "clinsearch.gate.shown"
WITHHELD = "clinsearch.gate.withheld"
MODEL = "gen_ai.request.model"


@contextmanager
def span(name: str, **attributes: str | int | float | bool) -> Iterator[Span]:
    """Open a span. An exception marks it as failed by type only: messages may hold text."""
    tracer = trace.get_tracer(_TRACER)
    kind = SpanKind.CLIENT if name in (DECIDE, ANSWER) else SpanKind.INTERNAL
    with tracer.start_as_current_span(
        name, kind=kind, record_exception=False, set_status_on_exception=False
    ) as current:
        if name in _OPERATIONS:
            current.set_attribute("gen_ai.operation.name", _OPERATIONS[name])
        for key, value in attributes.items():
            current.set_attribute(key, value)
        try:
            yield current
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(Status(StatusCode.ERROR))
            raise


def set_usage(current: Span, usage: Usage) -> None:
    """Put token counts on a model span."""
    for key, value in (
        ("gen_ai.usage.input_tokens", usage.prompt_tokens),
        ("gen_ai.usage.output_tokens", usage.completion_tokens),
        ("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens),
    ):
        if value is not None:
            current.set_attribute(key, value)


def note_journal_failure() -> None:
    """Mark the current span: the run's record was lost."""
    trace.get_current_span().set_attribute("clinsearch.journal.failed", True)
