"""The hand-written reader of the measurement of streams: if it is wrong, what is measured is not what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from eval.plain_http import plain_post

HEAD = b"HTTP/1.1 200 OK\r\nX-Name:  a value \r\nTransfer-Encoding: chunked\r\n\r\n"


@asynccontextmanager
async def answering(*pieces: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """The address of a server that answers with these pieces, and the requests that it read."""
    requests: list[bytes] = []
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r")[0])
        requests.append(head + await reader.readexactly(length))
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.001)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/ask", requests
        await asyncio.wait_for(served.wait(), 30)


async def body_of(url: str) -> list[bytes]:
    async with asyncio.timeout(30), plain_post(url, b"{}", "text/event-stream") as answer:
        assert (answer.status, answer.headers["x-name"]) == (200, "a value")
        return [piece async for piece in answer.pieces()]


async def test_chunks_come_as_they_were_sent_however_they_are_cut() -> None:
    sent = HEAD + b"5\r\ndata:\r\n1a\r\n" + b"x" * 24 + b"\r\n\r\n0\r\n\r\n"
    for size in (1, 7, len(sent)):
        async with answering(*(sent[at : at + size] for at in range(0, len(sent), size))) as (url, requests):
            assert await body_of(url) == [b"data:", b"x" * 24 + b"\r\n"]
        (request,) = requests
        assert request.startswith(b"POST /v1/ask HTTP/1.1\r\n")
        assert b"\r\nAccept: text/event-stream\r\n" in request
        assert request.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200", HEAD, HEAD + b"5\r\nda", HEAD + b"5\r\ndata:\r\n"])
async def test_what_breaks_off_is_no_whole_answer(sent: bytes) -> None:
    """Otherwise a stream that was cut is counted as one that ended."""
    async with answering(sent) as (url, _):
        with pytest.raises((EOFError, ValueError, OSError)):
            await body_of(url)


async def test_what_is_not_chunked_is_told() -> None:
    async with answering(HEAD.replace(b"chunked", b"identity") + b"data: 1\n\n") as (url, _):
        with pytest.raises(ValueError, match="not chunked"):
            await body_of(url)
