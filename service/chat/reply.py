"""What POST /v1/chat/completions answers: OpenAI's shapes, with `clinsearch` beside them.

`url_citation` ranges count characters (code points), `end_index` is the first after the mark:
`content[start_index:end_index]` is "[3]".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from agent import AnswerKind, Citation, RunSummary, StopReason
from agent.client import Usage
from agent.gate import WithheldReason
from agent.wording import LENGTH_LABEL
from service.chat.text import Mark, web_url

FinishReason = Literal["stop", "length"]


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Sparse(_Reply):
    """Sent without the fields that hold nothing, as clients of a stream expect."""

    @model_serializer(mode="wrap")
    def _present(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in handler(self).items() if value is not None}


class UrlCitation(_Reply):
    """A cited guideline and the range of its mark in the text."""

    start_index: int
    end_index: int
    url: str
    title: str


class Annotation(_Reply):
    """One mark; a citation without an address on the web has none."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class PromptDetails(_Reply):
    """Of the prompt tokens."""

    cached_tokens: int


class TokenUsage(_Reply):
    """Tokens over all calls to the model in the run, evidence included; 0 where its server reports none."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails

    @classmethod
    def of(cls, usage: Usage) -> TokenUsage:
        """The run's usage in OpenAI's shape."""
        prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
        return cls(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            prompt_tokens_details=PromptDetails(cached_tokens=usage.cached_tokens or 0),
        )


class RunInfo(_Reply):
    """What OpenAI's fields cannot say: why the run ended and what the answer is made of."""

    run_id: str
    stop_reason: StopReason
    kind: AnswerKind
    #: Sentences that could not be verified and are not shown, by reason.
    withheld: dict[WithheldReason, int]
    index_version: str

    @classmethod
    def of(cls, result: RunSummary) -> RunInfo:
        """What is told of a finished run."""
        return cls(
            run_id=result.rollout_id,
            stop_reason=result.stop_reason,
            kind=result.answer.kind,
            withheld=result.answer.withheld,
            index_version=result.index_version,
        )


class ReplyMessage(_Reply):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: tuple[Annotation, ...]


class Choice(_Reply):
    """The one choice."""

    index: int = 0
    message: ReplyMessage
    logprobs: None = None
    finish_reason: FinishReason


class ChatCompletion(_Reply):
    """A whole reply."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: TokenUsage
    clinsearch: RunInfo


class Delta(_Sparse):
    """What a chunk adds to the message."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    annotations: tuple[Annotation, ...] | None = None


class ChunkChoice(_Reply):
    """The one choice, as far as it has come."""

    index: int = 0
    delta: Delta
    logprobs: None = None
    finish_reason: FinishReason | None = None


class ChatChunk(_Sparse):
    """One event of a streamed reply; `clinsearch` comes with the finish reason, `usage` in a chunk without choices."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: TokenUsage | None = None
    clinsearch: RunInfo | None = None


def url_citations(marks: Sequence[Mark], citations: Sequence[Citation]) -> tuple[Annotation, ...]:
    """One annotation for every mark whose citation has an address on the web."""
    known = {citation.number: citation for citation in citations}
    return tuple(
        Annotation(url_citation=UrlCitation(start_index=mark.start, end_index=mark.end, url=url, title=citation.title))
        for mark in marks
        if (citation := known.get(mark.number)) is not None and (url := web_url(citation)) is not None
    )


def finish_reason(result: RunSummary) -> FinishReason:
    """`length` where the run or its answer was cut off at a limit; `clinsearch.stop_reason` says the rest."""
    cut = result.stop_reason is StopReason.BUDGET_EXHAUSTED or result.answer.label == LENGTH_LABEL
    return "length" if cut else "stop"
