"""The HTTP client for a server that may be broken or hostile: it reads no more than a reply has, keeps nothing of what
it is sent, and asks nobody but the server it was given."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import openai

from agent.errors import ModelNonsenseError

EVENT_STREAM = "text/event-stream"
#: Largest body of a whole reply: token ids of a full context, and 20 alternatives for each sampled token.
MAX_REPLY_BYTES = 2 * 2**20
#: Of a stream, whose events are not kept (`agent.event_stream` bounds each).
MAX_STREAM_BYTES = 8 * 2**20


def cautious_client() -> httpx2.AsyncClient:
    """A client with the SDK's own timeouts and limits."""
    return openai.DefaultAsyncHttpxClient(
        verify=_trusted(),
        # A redirect would send the question wherever the server likes.
        follow_redirects=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        # A few packed kilobytes can hold gigabytes.
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_bound]},
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed: a file of authorities that takes longer to read than a client to make."""
    return httpx2.create_ssl_context()


async def _bound(response: httpx2.Response) -> None:
    """Put a bound on what is read of a response. Raises ModelNonsenseError where it is packed unasked."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    # Else the text of an error is read in whatever "character set" the server names.
    response.encoding = "utf-8"
    if not response.is_success:
        # Why a server fails is not read: its words may be without end, or repeat the question.
        response.headers.pop("content-encoding", None)
        response.stream = _Unread(response.stream)
        return
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ModelNonsenseError("the model server sent a packed reply, which it was not asked for")
    streamed = response.request.headers.get("accept") == EVENT_STREAM
    response.stream = _Bounded(response.stream, MAX_STREAM_BYTES if streamed else MAX_REPLY_BYTES)


class _Unread(httpx2.AsyncByteStream):
    """A body that nobody reads."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b""

    async def aclose(self) -> None:
        await self._body.aclose()


class _Bounded(_Unread):
    """A body of at most so many bytes."""

    def __init__(self, body: httpx2.AsyncByteStream, most: int) -> None:
        super().__init__(body)
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            self._left -= len(piece)
            if self._left < 0:
                raise ModelNonsenseError("the model server sends more than any reply has")
            yield piece
