"""Misbehaviour below the reply: connections, status lines, headers, lengths, encodings, statuses, redirects."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

from agent.misbehaving.behaviour import (
    ANSWERED,
    Behaviour,
    Call,
    Ending,
    ResetError,
    endings,
    listed,
    sends,
)
from agent.misbehaving.messages import EVENTS, JSON, head, said, whole

_DRIP_S = 0.02
#: Drips of one reply: longer than any deadline of a test, and an end.
_DRIPS = 1500
_BLOCK = b" " * 65_536
#: Blocks of what sends without end, 256 MiB, so that it does end.
_BLOCKS = 4096
_UNAVAILABLE = listed("model_unavailable")
_BROKEN = listed("model_stream_broken")
_NONSENSE = listed("model_nonsense")
_STATUS = listed("model_status")
_LATE = listed("model_timeout")


def _both(ending: Ending) -> dict[str, Ending]:
    return {"decide": ending, "answer": ending}


def _drips(first: bytes, piece: bytes | Callable[[int], bytes]) -> Callable[[Call], AsyncIterator[bytes]]:
    async def play(_call: Call) -> AsyncIterator[bytes]:
        yield first
        for number in range(_DRIPS):
            await asyncio.sleep(_DRIP_S)
            yield piece(number) if callable(piece) else piece

    return play


def floods(first: Callable[[Call], bytes], block: bytes = _BLOCK) -> Callable[[Call], AsyncIterator[bytes]]:
    """A behaviour that goes on for hundreds of megabytes."""

    async def play(call: Call) -> AsyncIterator[bytes]:
        yield first(call)
        for _ in range(_BLOCKS):
            yield block

    return play


async def _nothing(_call: Call) -> AsyncIterator[bytes]:
    yield b""


async def _silence(_call: Call) -> AsyncIterator[bytes]:
    await asyncio.sleep(_DRIP_S * _DRIPS)
    yield b""


async def _reset(_call: Call) -> AsyncIterator[bytes]:
    yield b""
    raise ResetError


async def _reset_in_the_headers(_call: Call) -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\ncontent-type: appl"
    await asyncio.sleep(_DRIP_S)
    raise ResetError


def _good(call: Call) -> bytes:
    return said(call, call.good)


def _changed(old: bytes, new: bytes) -> Callable[[Call], bytes]:
    """A reply in good order with one thing in its head changed."""
    return lambda call: _good(call).replace(old, new, 1)


def _with_length(length: str) -> Callable[[Call], bytes]:
    """A reply in good order that announces this length."""

    def data(call: Call) -> bytes:
        _, _, body = _good(call).partition(b"\r\n\r\n")
        return head(EVENTS if call.body.get("stream") else JSON, length=length) + body

    return data


def _chunked(size: bytes) -> Callable[[Call], bytes]:
    return _changed(b"connection: close\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n" + size + b"\r\n")


def _cookies(call: Call) -> bytes:
    cookies = "".join(f"set-cookie: c{number}={'x' * 900}; path=/\r\n" for number in range(40))
    return _changed(b"connection: close\r\n", cookies.encode() + b"connection: close\r\n")(call)


def _two_replies(call: Call) -> bytes:
    unasked = said(call, '{"action": "decline", "reason": "policy"}')
    return (_good(call) + unasked).replace(b"connection: close", b"connection: keep-alive")


def _bomb(call: Call) -> bytes:
    """256 MiB of spaces, as one gzip member of a few kilobytes over and over."""
    member = gzip.compress(b" " * 2**24, compresslevel=9)
    return whole(member * 16, EVENTS if call.body.get("stream") else JSON, headers=["content-encoding: gzip"])


def _status(status: str, body: str = "", content_type: str = "text/html", *headers: str) -> bytes:
    return whole(body, content_type, status=status, headers=headers)


CONNECTIONS = (
    Behaviour(
        "hangs-up",
        "Takes the question and closes the connection without a byte.",
        _nothing,
        endings(**_both(_UNAVAILABLE)),
    ),
    Behaviour("resets", "Resets the connection instead of replying.", _reset, endings(**_both(_UNAVAILABLE))),
    Behaviour(
        "resets-in-headers",
        "Resets the connection in the middle of a header.",
        _reset_in_the_headers,
        endings(**_both(_UNAVAILABLE)),
    ),
    Behaviour(
        "resets-once", "Resets the first connection and serves the next.", _reset, endings(**_both(ANSWERED)), once=True
    ),
    Behaviour("silent", "Takes the question and says nothing for ever.", _silence, endings(**_both(_LATE)), late=True),
    Behaviour(
        "drips-headers",
        "Sends one header after another, slowly, for ever.",
        _drips(b"HTTP/1.1 200 OK\r\n", lambda number: b"x-%d: 1\r\n" % number),
        endings(**_both(_LATE)),
        late=True,
    ),
    Behaviour(
        "drips-body",
        "Sends the body one character at a time, for ever.",
        _drips(head(JSON, length=9000), b" "),
        endings(**_both(_LATE)),
        late=True,
    ),
    Behaviour(
        "hints-for-ever",
        "Announces a reply with 103 Early Hints, again and again.",
        _drips(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"),
        endings(**_both(_LATE)),
        late=True,
    ),
    Behaviour(
        "speaks-ssh", "Greets as another protocol.", sends(b"SSH-2.0-OpenSSH_9.2\r\n"), endings(**_both(_UNAVAILABLE))
    ),
    Behaviour(
        "status-line",
        "Sends a status line that is none.",
        sends(b"HTTP/1.1 OK fine\r\n\r\n{}"),
        endings(**_both(_UNAVAILABLE)),
    ),
    Behaviour(
        "header-without-colon",
        "Sends a header line that is none.",
        sends(_changed(b"connection: close", b"connection close")),
        endings(**_both(_UNAVAILABLE)),
    ),
    Behaviour(
        "long-header",
        "Sends a header that does not end.",
        floods(lambda _: b"HTTP/1.1 200 OK\r\nx-long: ", b"x" * 65_536),
        endings(**_both(_UNAVAILABLE)),
    ),
    Behaviour(
        "switches-protocols",
        "Switches to another protocol unasked.",
        sends(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
        endings(**_both(_UNAVAILABLE)),
    ),
    Behaviour(
        "announces-more",
        "Announces more than it sends.",
        sends(_with_length("500000")),
        endings(_UNAVAILABLE, ANSWERED),
    ),
    Behaviour(
        "announces-less", "Announces less than it sends.", sends(_with_length("40")), endings(_NONSENSE, _BROKEN)
    ),
    Behaviour(
        "announces-less-than-nothing",
        "Announces a negative length.",
        sends(_with_length("-1")),
        endings(**_both(_UNAVAILABLE)),
    ),
    Behaviour(
        "chunk-size", "Sends a chunk whose size is no number.", sends(_chunked(b"zz")), endings(_UNAVAILABLE, _BROKEN)
    ),
    Behaviour(
        "endless-chunk",
        "Announces a chunk of an exabyte and hangs up.",
        sends(_chunked(b"fffffffffffffff")),
        endings(_UNAVAILABLE, ANSWERED),
    ),
    Behaviour(
        "endless-body",
        "Sends spaces without end.",
        floods(lambda call: head(EVENTS if call.body.get("stream") else JSON)),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "gzip-bomb",
        "Sends a few kilobytes that unpack to 256 MiB.",
        sends(_bomb),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "says-gzip",
        "Says that the body is packed, which it is not.",
        sends(_changed(b"connection: close", b"content-encoding: br, gzip\r\nconnection: close")),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "no-content",
        "Answers 204, without a body.",
        sends(b"HTTP/1.1 204 No Content\r\n\r\n"),
        endings(_NONSENSE, _BROKEN),
    ),
    Behaviour(
        "redirects",
        "Sends the question on to another address.",
        sends(lambda call: whole("", status="307 Temporary Redirect", headers=[f"location: {call.elsewhere}"])),
        endings(**_both(_STATUS)),
    ),
    Behaviour(
        "redirects-to-itself",
        "Sends the question round in circles.",
        sends(whole("", status="302 Found", headers=["location: completions"])),
        endings(**_both(_STATUS)),
    ),
    Behaviour(
        "refuses",
        "Refuses every request (400) and repeats what it was asked.",
        sends(lambda call: _status("400 Bad Request", str(call.body))),
        endings(**_both(_STATUS)),
    ),
    Behaviour(
        "asks-for-a-key",
        "Asks for a key (401).",
        sends(_status("401 Unauthorized", "{}", JSON, "www-authenticate: Bearer")),
        endings(**_both(_STATUS)),
    ),
    Behaviour(
        "is-busy-for-an-hour",
        "Is busy, and asks for an hour's patience (429).",
        sends(_status("429 Too Many Requests", "{}", JSON, "retry-after: 3600")),
        endings(**_both(_STATUS)),
    ),
    Behaviour(
        "is-busy-for-ever",
        "Is busy, and asks for no patience at all (503).",
        sends(_status("503 Service Unavailable", "{}", JSON, "retry-after: 0")),
        endings(**_both(_STATUS)),
    ),
    Behaviour(
        "is-busy-once",
        "Is busy at first (503) and then serves.",
        sends(_status("503 Service Unavailable", "{}", JSON, "retry-after: 0")),
        endings(**_both(ANSWERED)),
        once=True,
    ),
    Behaviour(
        "endless-error",
        "Fails (500) and explains why without end.",
        floods(lambda _: head("text/html", status="500 Internal Server Error")),
        endings(**_both(_STATUS)),
    ),
    Behaviour(
        "error-in-no-charset",
        "Fails (500) in a character set that is a compression.",
        sends(_status("500 Internal Server Error", "oops", "text/html; charset=zip")),
        endings(**_both(_STATUS)),
    ),
    Behaviour(
        "error-packed",
        "Fails (500) and says that the body is packed, which it is not.",
        sends(_status("500 Internal Server Error", "oops", "text/html", "content-encoding: gzip")),
        endings(**_both(_STATUS)),
    ),
    Behaviour("sets-cookies", "Sets 36 kB of cookies with every reply.", sends(_cookies), endings(**_both(ANSWERED))),
    Behaviour(
        "replies-twice",
        "Sends a second reply behind the first, which nobody asked for.",
        sends(_two_replies),
        endings(ANSWERED),
    ),
    Behaviour(
        "keeps-alive-and-closes",
        "Promises to keep the connection and closes it.",
        sends(_changed(b"connection: close", b"connection: keep-alive")),
        endings(**_both(ANSWERED)),
    ),
)
