"""One request to this machine and its streamed answer, HTTP/1.1 by hand, in some tenths of a millisecond.

For readers in a measurement that share the processor with what is measured: a full client takes a millisecond or two
for each request, and hundreds of them at once would measure the client.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class PlainAnswer:
    """An answer whose head was read."""

    def __init__(self, status: int, headers: Mapping[str, str], reader: asyncio.StreamReader) -> None:
        self.status = status
        #: By their names in lower case.
        self.headers = headers
        self._reader = reader

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body as it comes. Raises OSError, EOFError where it breaks off, ValueError where it is not chunked."""
        if self.headers.get("transfer-encoding") != "chunked":
            raise ValueError("the answer is not chunked")
        while size := int(await self._reader.readline() or b"-", 16):
            yield (await self._reader.readexactly(size + 2))[:-2]


@asynccontextmanager
async def plain_post(url: str, body: bytes, accept: str) -> AsyncIterator[PlainAnswer]:
    """Send JSON; leaving the block closes the connection.

    Raises:
        OSError: no connection, or a broken one.
        EOFError: the answer breaks off.
        ValueError: it is no HTTP.
    """
    where = urlsplit(url)
    assert where.hostname is not None
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    try:
        head = (
            f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\nAccept: {accept}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        yield PlainAnswer(int(first.split(" ", 2)[1]), headers, reader)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
