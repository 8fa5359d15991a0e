"""Events of one run, in the order a client sees them.

A citation's evidence is always sent before the sentence that uses it, and `done` or `error` is
always last. `v` is the version of this schema.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.answer import Answer, Citation, Notice, Sentence, StopReason
from agent.client import Usage
from agent.gate import WithheldReason

StepKind = Literal["guard", "decide", "search", "answer", "recommend"]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    v: Literal[1] = 1


class StepSummary(BaseModel):
    """One thing the agent did, as shown to people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: StepKind
    #: A plain sentence without line breaks.
    summary: str
    #: Queries of a search, the clinician's own words first where they were used.
    queries: tuple[str, ...] = ()
    found: int | None = None
    duration_ms: float


class NoticesEvent(_Event):
    """What the policy has said with this answer: sent once, before any sentence, so that it stands even if the run ends
    early.
    """

    type: Literal["notices"] = "notices"
    #: To be shown before the answer.
    notices: tuple[Notice, ...]
    #: To be shown with it.
    disclaimers: tuple[str, ...]


class StepEvent(_Event):
    type: Literal["step"] = "step"
    step: StepSummary


class EvidenceEvent(_Event):
    type: Literal["evidence"] = "evidence"
    citation: Citation


class SentenceEvent(_Event):
    type: Literal["sentence"] = "sentence"
    sentence: Sentence


class WithheldEvent(_Event):
    """A sentence was withheld; its text is not sent."""

    type: Literal["withheld"] = "withheld"
    reason: WithheldReason


class Failure(BaseModel):
    """Something that went wrong inside a run and was handled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str


class RunSummary(BaseModel):
    """The whole outcome of a run: the JSON answer of `POST /v1/ask` and the last event of the stream."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rollout_id: str
    stop_reason: StopReason
    answer: Answer
    steps: tuple[StepSummary, ...]
    failures: tuple[Failure, ...] = ()
    model: str
    index_version: str
    duration_ms: float
    #: What the clinician limited the search to, each condition in words; empty without filters.
    limited_to: tuple[str, ...] = ()
    #: Over all calls to the model, as its server reports them; None what it never reported.
    usage: Usage = Usage()


class DoneEvent(_Event):
    type: Literal["done"] = "done"
    result: RunSummary


class ErrorEvent(_Event):
    """The run itself could not be carried out."""

    type: Literal["error"] = "error"
    code: str
    message: str


Event = Annotated[
    NoticesEvent | StepEvent | EvidenceEvent | SentenceEvent | WithheldEvent | DoneEvent | ErrorEvent,
    Field(discriminator="type"),
]
Emit = Callable[[Event], Awaitable[None]]
