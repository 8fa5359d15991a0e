"""Server-sent events: the wire form of a run's events, and what keeps a silent stream open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import anyio
from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from agent import Event
from service.first_words import FirstWord

logger = logging.getLogger("clinsearch.http")

MEDIA_TYPE = "text/event-stream"
#: A stream is neither stored nor held back by proxies.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
#: Proxies commonly drop a connection after 30 to 60 silent seconds.
HEARTBEAT_S = 15.0
HEARTBEAT = b": keep-alive\n\n"
#: A reader that takes nothing for so long is given up: it holds a run, a slot and a model call.
STALLED_S = 60.0


class _StalledError(Exception):
    """The reader takes nothing any more."""


class EventStream(StreamingResponse):
    """Frames as a response that closes them however it ends, so that a run ends with its client.

    Left to itself a response that is cancelled while it sends leaves its frames to the garbage collector.
    """

    media_type = MEDIA_TYPE

    def __init__(
        self,
        frames: AsyncGenerator[bytes],
        headers: Mapping[str, str] | None = None,
        *,
        first_word: FirstWord | None = None,
        stalled_s: float = STALLED_S,
    ) -> None:
        """`first_word` is over when the first frame was sent, or none will be."""
        super().__init__(frames, headers={**HEADERS, **(headers or {})})
        self._frames = frames
        self._first_word = first_word
        self._stalled_s = stalled_s

    async def stream_response(self, send: Send) -> None:
        async def patiently(message: Message) -> None:
            try:
                async with asyncio.timeout(self._stalled_s):
                    await send(message)
            except TimeoutError as error:
                raise _StalledError from error
            if self._first_word is not None and message["type"] == "http.response.body":
                self._first_word.over()

        try:
            await super().stream_response(patiently)
        except _StalledError:
            # The response is left unfinished, so the server closes the connection.
            logger.warning("A stream whose reader took nothing for %.0f s is closed", self._stalled_s)
        finally:
            if self._first_word is not None:
                self._first_word.over()
            with anyio.CancelScope(shield=True):
                await self._frames.aclose()


def encode(event: Event, number: int) -> bytes:
    """One event. JSON escapes every line break, so the data is always one line."""
    return f"id: {number}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n".encode()


async def encoded(events: AsyncGenerator[Event]) -> AsyncGenerator[bytes]:
    """Events as bytes with ids from 1. Closing it closes the events."""
    number = 0
    async with aclosing(events):
        async for event in events:
            number += 1
            yield encode(event, number)


async def kept_alive(frames: AsyncGenerator[bytes], heartbeat_s: float = HEARTBEAT_S) -> AsyncGenerator[bytes]:
    """The frames of a stream, and a comment whenever nothing was sent for `heartbeat_s`. Closing it closes them."""
    pending: asyncio.Future[bytes] | None = None
    async with aclosing(frames):
        try:
            while True:
                pending = pending or asyncio.ensure_future(anext(frames))
                done, _ = await asyncio.wait({pending}, timeout=heartbeat_s)
                if not done:
                    yield HEARTBEAT
                    continue
                try:
                    frame = pending.result()
                except StopAsyncIteration:
                    return
                pending = None
                yield frame
        finally:
            if pending is not None:
                pending.cancel()
                # Also takes the result of one that ended while nobody looked, so that nothing is logged about it.
                await asyncio.gather(pending, return_exceptions=True)
