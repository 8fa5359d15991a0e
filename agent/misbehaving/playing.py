"""How the bytes of a reply go out: at once, slowly, without end, or up to where the connection breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from agent.misbehaving.behaviour import Call, Play, ResetError

Data = bytes | Callable[[Call], bytes]

_DRIP_S = 0.02
#: Drips of one reply: longer than any deadline of a test, and an end.
_DRIPS = 1500
_BLOCK_BYTES = 65_536
#: Blocks of what sends without end, 256 MiB, so that it does end.
_BLOCKS = 4096
#: Before a reset, so that what was sent arrives.
_BEFORE_RESET_S = 0.1


def sends(data: Data) -> Play:
    """Sends this at once."""

    async def play(call: Call) -> AsyncIterator[bytes]:
        yield _bytes(data, call)

    return play


def drips(first: Data, piece: bytes | Callable[[int], bytes]) -> Play:
    """Sends this and then one piece after another, slowly."""

    async def play(call: Call) -> AsyncIterator[bytes]:
        yield _bytes(first, call)
        for number in range(_DRIPS):
            await asyncio.sleep(_DRIP_S)
            yield piece(number) if callable(piece) else piece

    return play


def floods(first: Data, again: bytes) -> Play:
    """Sends this and then the same again for hundreds of megabytes, as fast as it is taken."""
    block = again * max(1, _BLOCK_BYTES // len(again))

    async def play(call: Call) -> AsyncIterator[bytes]:
        yield _bytes(first, call)
        for _ in range(_BLOCKS):
            yield block

    return play


def falls_silent(after: Data) -> Play:
    """Sends this and keeps the connection open."""

    async def play(call: Call) -> AsyncIterator[bytes]:
        yield _bytes(after, call)
        await asyncio.sleep(_DRIP_S * _DRIPS)

    return play


def resets(after: Data) -> Play:
    """Sends this and resets the connection."""

    async def play(call: Call) -> AsyncIterator[bytes]:
        yield _bytes(after, call)
        await asyncio.sleep(_BEFORE_RESET_S)
        raise ResetError

    return play


def _bytes(data: Data, call: Call) -> bytes:
    return data(call) if callable(data) else data
