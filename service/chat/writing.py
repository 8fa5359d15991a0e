"""A run as a chat completion: whole, or as chunks while it happens."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from agent import DoneEvent, ErrorEvent, Event, NoticesEvent, RolloutId, RunSummary, SentenceEvent, new_rollout_id
from service.chat.reply import (
    ChatChunk,
    ChatCompletion,
    Choice,
    ChunkChoice,
    Delta,
    FinishReason,
    ReplyMessage,
    RunInfo,
    TokenUsage,
    finish_reason,
    url_citations,
)
from service.chat.text import AnswerText
from service.openai_errors import OpenAIError

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Completion:
    """One reply in the making, to a question for `model` (the name it was asked by)."""

    model: str
    run_id: RolloutId = field(default_factory=new_rollout_id)
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def id(self) -> str:
        """OpenAI's id of the reply, which names the run."""
        return f"chatcmpl-{self.run_id}"

    def whole(self, result: RunSummary) -> ChatCompletion:
        """The reply to a finished run."""
        text = AnswerText()
        content = text.rest(result.answer)
        message = ReplyMessage(content=content, annotations=url_citations(text.marks, result.answer.citations))
        return ChatCompletion(
            id=self.id,
            created=self.created,
            model=self.model,
            choices=(Choice(message=message, finish_reason=finish_reason(result)),),
            usage=TokenUsage.of(result.usage),
            clinsearch=RunInfo.of(result),
        )

    async def frames(self, events: AsyncGenerator[Event], *, include_usage: bool) -> AsyncGenerator[bytes]:
        """The reply as server-sent events while the run goes on; closing it closes the events.

        Of the run's events only the policy's notices, sentences that passed the gate and the finished answer become
        text.
        """
        text = AnswerText()
        yield self._frame(Delta(role="assistant", content=""))
        async with aclosing(events):
            async for event in events:
                if isinstance(event, NoticesEvent):
                    if said := text.notices(event.notices):
                        yield self._frame(Delta(content=said))
                elif isinstance(event, SentenceEvent):
                    yield self._frame(Delta(content=text.sentence(event.sentence)))
                elif isinstance(event, DoneEvent):
                    result = event.result
                    if rest := text.rest(result.answer):
                        yield self._frame(Delta(content=rest))
                    last = Delta(annotations=url_citations(text.marks, result.answer.citations))
                    yield self._frame(last, finish_reason(result), RunInfo.of(result))
                    if include_usage:
                        yield _encoded(self._chunk(usage=TokenUsage.of(result.usage)))
                elif isinstance(event, ErrorEvent):
                    yield _encoded(OpenAIError.of(500, event.code, event.message))
        yield DONE

    def _frame(self, delta: Delta, finish: FinishReason | None = None, run: RunInfo | None = None) -> bytes:
        return _encoded(self._chunk(ChunkChoice(delta=delta, finish_reason=finish), run=run))

    def _chunk(self, *choices: ChunkChoice, usage: TokenUsage | None = None, run: RunInfo | None = None) -> ChatChunk:
        return ChatChunk(
            id=self.id, created=self.created, model=self.model, choices=choices, usage=usage, clinsearch=run
        )


def _encoded(data: ChatChunk | OpenAIError) -> bytes:
    """One event. JSON escapes every line break, so the data is always one line."""
    return f"data: {data.model_dump_json()}\n\n".encode()
