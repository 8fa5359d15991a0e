"""A scripted model: a real implementation of the client protocol that plays back what it is given.

It drives tests, the benchmark and demonstrations without a model server, and it can misbehave on
purpose: be down, be slow, break off in mid-stream, talk nonsense.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from agent.client import Completion, CompletionRequest, ModelIdentity, TextDelta, Usage
from agent.clock import Clock, SystemClock
from agent.errors import ModelError, ModelStreamBrokenError, ModelTimeoutError

_EVIDENCE_LINE = re.compile(r"^\[([a-z]{3})\] .* \| (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Reply:
    """One scripted reply. `break_after` cuts a stream after that many characters; `delay_s` waits first."""

    text: str = ""
    error: ModelError | None = None
    delay_s: float = 0.0
    break_after: int | None = None
    finish_reason: str = "stop"


Script = Reply | str | Callable[[CompletionRequest], Reply | str]


def search(query: str, source: str = "guidelines") -> str:
    """The text of a search action."""
    return json.dumps({"action": "search", "source": source, "query": query})


ANSWER = json.dumps({"action": "answer"})


def shown_passages(request: CompletionRequest) -> list[tuple[str, str]]:
    """Key and citable text of every passage in the prompt, in its order."""
    return _EVIDENCE_LINE.findall("\n".join(message.content for message in request.messages))


def cite_first(request: CompletionRequest) -> str:
    """An answer that repeats the first passage's first statement and cites it: what an ideal copyist writes."""
    evidence = shown_passages(request)
    if not evidence:
        return "There is no evidence."
    key, text = evidence[0]
    return f"{re.split(r'(?<=[.!?]) ', text)[0].rstrip('.')} [{key}]."


class ScriptedModel:
    """Plays its replies in order, one per call, and repeats the last one when they run out."""

    def __init__(
        self,
        replies: Iterable[Script],
        *,
        clock: Clock | None = None,
        identity: ModelIdentity | None = None,
        piece_chars: int = 7,
    ) -> None:
        self._replies = list(replies)
        self._clock = clock or SystemClock()
        self._identity = identity or ModelIdentity(model="scripted", engine="scripted", trained=True)
        self._piece_chars = piece_chars
        self.requests: list[CompletionRequest] = []

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    async def ready(self) -> bool:
        return True

    async def complete(self, request: CompletionRequest, timeout_s: float) -> Completion:
        reply = await self._next(request, timeout_s)
        return self._completion(reply)

    async def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        reply = await self._next(request, timeout_s)
        end = len(reply.text) if reply.break_after is None else reply.break_after
        for start in range(0, end, self._piece_chars):
            yield TextDelta(text=reply.text[start : min(start + self._piece_chars, end)])
        if reply.break_after is not None:
            raise ModelStreamBrokenError("the stream ended without a finish reason")
        yield self._completion(reply)

    async def _next(self, request: CompletionRequest, timeout_s: float) -> Reply:
        self.requests.append(request)
        script = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        made = script(request) if callable(script) else script
        reply = Reply(text=made) if isinstance(made, str) else made
        if reply.delay_s > timeout_s:
            await self._clock.sleep(timeout_s)
            raise ModelTimeoutError("the scripted model is slower than the deadline")
        if reply.delay_s:
            await self._clock.sleep(reply.delay_s)
        if reply.error is not None:
            raise reply.error
        return reply

    @staticmethod
    def _completion(reply: Reply) -> Completion:
        return Completion(
            text=reply.text, finish_reason=reply.finish_reason, usage=Usage(), total_ms=reply.delay_s * 1000
        )


class ByTurn:
    """A script for many runs at once: decides by what the prompt already holds, so order does not matter."""

    def __init__(self, query: str = "guideline") -> None:
        self._query = query

    def __call__(self, request: CompletionRequest) -> str:
        """Search first, then answer, then copy the first passage."""
        if request.json_schema is None:
            return cite_first(request)
        searched = any(message.content.startswith("Evidence:") for message in request.messages)
        return ANSWER if searched else search(self._query)
