"""Streams of the service read as a client reads them, over a real connection that can be cut anywhere."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2

from agent import Completion, CompletionRequest
from agent.client import TextDelta
from agent.event_stream import EventStreamReader, ServerSentEvent

from .chat.serving import HeldModel

SSE = {"accept": "text/event-stream"}
#: Nothing here takes so long but on a machine that has other things to do, seconds.
PATIENCE_S = 60.0


class CountedModel(HeldModel):
    """A held model that knows how many of its calls are open."""

    open_calls = 0

    async def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        self.open_calls += 1
        try:
            async for item in super().stream(request, timeout_s):
                yield item
        finally:
            self.open_calls -= 1


@dataclass
class Stream:
    """A stream that is being read."""

    response: httpx2.Response
    _reader: EventStreamReader = field(default_factory=EventStreamReader)
    _waiting: list[ServerSentEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pieces = self.response.iter_bytes()

    @property
    def rollout_id(self) -> str:
        return self.response.headers["x-rollout-id"]

    def __iter__(self) -> Iterator[ServerSentEvent]:
        while True:
            while self._waiting:
                yield self._waiting.pop(0)
            piece = next(self._pieces, None)
            if piece is None:
                return
            self._waiting += self._reader.feed(piece)

    def until(self, name: str) -> list[ServerSentEvent]:
        """The events up to the first of this name."""
        found = []
        for event in self:
            found.append(event)
            if event.event == name:
                return found
        raise AssertionError(f"the stream ended without {name}: {[event.event for event in found]}")

    def take(self, count: int) -> list[ServerSentEvent]:
        """The next events, fewer where the stream ends."""
        found: list[ServerSentEvent] = []
        if count:
            for event in self:
                found.append(event)
                if len(found) == count:
                    break
        return found


@contextmanager
def asked(http: httpx2.Client, question: str, **body: object) -> Iterator[Stream]:
    """The stream of a question; leaving the block cuts the connection."""
    json = {"question": question, **body}
    with http.stream("POST", "/v1/ask", json=json, headers=SSE) as response:
        assert response.status_code == 200, response.read()
        yield Stream(response)


@contextmanager
def resumed(http: httpx2.Client, rollout_id: str, last: str | None) -> Iterator[Stream]:
    """The stream of a run after the event with id `last`."""
    headers = {} if last is None else {"last-event-id": last}
    with http.stream("GET", f"/v1/ask/{rollout_id}/events", headers=headers) as response:
        assert response.status_code in (200, 204), response.read()
        yield Stream(response)


@contextmanager
def browser(address: str, cookies: httpx2.Cookies | None = None) -> Iterator[httpx2.Client]:
    """A browser that opened the page, or another window of one by its cookies."""
    with httpx2.Client(base_url=address, timeout=PATIENCE_S, cookies=cookies) as http:
        http.get("/")
        yield http


def eventually(true: Callable[[], bool]) -> bool:
    """Whether it becomes true, however busy the machine is."""
    until = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()
