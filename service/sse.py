"""Server-sent events: the wire form of a run's events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from agent import Event

MEDIA_TYPE = "text/event-stream"
#: Proxies commonly drop a connection after 30 to 60 silent seconds.
HEARTBEAT_S = 15.0
HEARTBEAT = b": keep-alive\n\n"


def encode(event: Event, number: int) -> bytes:
    """One event. JSON escapes every line break, so the data is always one line."""
    return f"id: {number}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n".encode()


async def encoded(events: AsyncIterator[Event], heartbeat_s: float = HEARTBEAT_S) -> AsyncIterator[bytes]:
    """Events as bytes with ids from 1, and a comment whenever nothing was sent for `heartbeat_s`."""
    number = 0
    pending: asyncio.Future[Event] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({pending}, timeout=heartbeat_s)
            if not done:
                yield HEARTBEAT
                continue
            try:
                event = pending.result()
            except StopAsyncIteration:
                return
            pending = None
            number += 1
            yield encode(event, number)
    finally:
        if pending is not None:
            pending.cancel()
            # Also takes the result of one that ended while nobody looked, so that nothing is logged about it.
            await asyncio.gather(pending, return_exceptions=True)
