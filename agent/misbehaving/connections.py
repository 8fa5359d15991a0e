"""Misbehaviour below the reply: connections, status lines, headers, lengths, encodings, statuses, redirects."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from agent.misbehaving.behaviour import ANSWERED, BROKEN, NONSENSE, Behaviour, Call, Ending, both, endings, listed
from agent.misbehaving.messages import JSON, content_type, good, head, said, whole
from agent.misbehaving.playing import drips, falls_silent, floods, resets, sends

_UNAVAILABLE = listed("model_unavailable")
_STATUS = listed("model_status")
_LATE = listed("model_timeout")


def _changed(old: bytes, new: bytes) -> Callable[[Call], bytes]:
    """A reply in good order with one thing in its head changed."""
    return lambda call: good(call).replace(old, new, 1)


def _with_length(length: str) -> Callable[[Call], bytes]:
    """A reply in good order that announces this length."""

    def data(call: Call) -> bytes:
        _, _, body = good(call).partition(b"\r\n\r\n")
        return head(content_type(call), length=length) + body

    return data


def _chunked(size: bytes) -> Callable[[Call], bytes]:
    return _changed(b"connection: close\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n" + size + b"\r\n")


def _cookies(call: Call) -> bytes:
    cookies = "".join(f"set-cookie: c{number}={'x' * 900}; path=/\r\n" for number in range(40))
    return _changed(b"connection: close\r\n", cookies.encode() + b"connection: close\r\n")(call)


def _two_replies(call: Call) -> bytes:
    unasked = said(call, '{"action": "decline", "reason": "policy"}')
    return (good(call) + unasked).replace(b"connection: close", b"connection: keep-alive")


def _bomb(call: Call) -> bytes:
    """256 MiB of spaces, as one gzip member of a few kilobytes over and over."""
    member = gzip.compress(b" " * 2**24, compresslevel=9)
    return whole(member * 16, content_type(call), headers=["content-encoding: gzip"])


def _fails(
    name: str,
    does: str,
    status: str,
    *headers: str,
    body: str = "{}",
    content_type: str = JSON,
    ending: Ending = _STATUS,
    once: bool = False,
) -> Behaviour:
    """An HTTP error in good order."""
    return Behaviour(name, does, sends(whole(body, content_type, status=status, headers=headers)), both(ending), once)


CONNECTIONS = (
    Behaviour(
        "hangs-up",
        "Takes the question and closes the connection without a byte.",
        sends(b""),
        both(_UNAVAILABLE),
    ),
    Behaviour("resets", "Resets the connection instead of replying.", resets(b""), both(_UNAVAILABLE)),
    Behaviour(
        "resets-in-headers",
        "Resets the connection in the middle of a header.",
        resets(b"HTTP/1.1 200 OK\r\ncontent-type: appl"),
        both(_UNAVAILABLE),
    ),
    Behaviour(
        "resets-once", "Resets the first connection and serves the next.", resets(b""), both(ANSWERED), once=True
    ),
    Behaviour("silent", "Takes the question and says nothing for ever.", falls_silent(b""), both(_LATE), late=True),
    Behaviour(
        "drips-headers",
        "Sends one header after another, slowly, for ever.",
        drips(b"HTTP/1.1 200 OK\r\n", lambda number: b"x-%d: 1\r\n" % number),
        both(_LATE),
        late=True,
    ),
    Behaviour(
        "drips-body",
        "Sends the body one character at a time, for ever.",
        drips(head(JSON, length=9000), b" "),
        both(_LATE),
        late=True,
    ),
    Behaviour(
        "hints-for-ever",
        "Announces a reply with 103 Early Hints, again and again.",
        drips(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"),
        both(_LATE),
        late=True,
    ),
    Behaviour("speaks-ssh", "Greets as another protocol.", sends(b"SSH-2.0-OpenSSH_9.2\r\n"), both(_UNAVAILABLE)),
    Behaviour(
        "status-line",
        "Sends a status line that is none.",
        sends(b"HTTP/1.1 OK fine\r\n\r\n{}"),
        both(_UNAVAILABLE),
    ),
    Behaviour(
        "header-without-colon",
        "Sends a header line that is none.",
        sends(_changed(b"connection: close", b"connection close")),
        both(_UNAVAILABLE),
    ),
    Behaviour(
        "long-header",
        "Sends a header that does not end.",
        floods(b"HTTP/1.1 200 OK\r\nx-long: ", b"x"),
        both(_UNAVAILABLE),
    ),
    Behaviour(
        "switches-protocols",
        "Switches to another protocol unasked.",
        sends(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
        both(_UNAVAILABLE),
    ),
    Behaviour(
        "announces-more",
        "Announces more than it sends.",
        sends(_with_length("500000")),
        endings(_UNAVAILABLE, ANSWERED),
    ),
    Behaviour("announces-less", "Announces less than it sends.", sends(_with_length("40")), endings(NONSENSE, BROKEN)),
    Behaviour(
        "announces-less-than-nothing",
        "Announces a negative length.",
        sends(_with_length("-1")),
        both(_UNAVAILABLE),
    ),
    Behaviour(
        "chunk-size", "Sends a chunk whose size is no number.", sends(_chunked(b"zz")), endings(_UNAVAILABLE, BROKEN)
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
        floods(lambda call: head(content_type(call)), b" "),
        both(NONSENSE),
    ),
    Behaviour(
        "gzip-bomb",
        "Sends a few kilobytes that unpack to 256 MiB.",
        sends(_bomb),
        both(NONSENSE),
    ),
    Behaviour(
        "says-gzip",
        "Says that the body is packed, which it is not.",
        sends(_changed(b"connection: close", b"content-encoding: br, gzip\r\nconnection: close")),
        both(NONSENSE),
    ),
    Behaviour(
        "no-content",
        "Answers 204, without a body.",
        sends(b"HTTP/1.1 204 No Content\r\n\r\n"),
        endings(NONSENSE, BROKEN),
    ),
    Behaviour(
        "redirects",
        "Sends the question on to another address.",
        sends(lambda call: whole("", status="307 Temporary Redirect", headers=[f"location: {call.elsewhere}"])),
        both(_STATUS),
    ),
    Behaviour(
        "redirects-to-itself",
        "Sends the question round in circles.",
        sends(whole("", status="302 Found", headers=["location: completions"])),
        both(_STATUS),
    ),
    Behaviour(
        "refuses",
        "Refuses every request (400) and repeats what it was asked.",
        sends(lambda call: whole(str(call.body), "text/html", status="400 Bad Request")),
        both(_STATUS),
    ),
    _fails(
        "asks-for-a-key",
        "Asks for a key (401).",
        "401 Unauthorized",
        "www-authenticate: Bearer",
    ),
    _fails(
        "is-busy-for-an-hour",
        "Is busy, and asks for an hour's patience (429).",
        "429 Too Many Requests",
        "retry-after: 3600",
    ),
    _fails(
        "is-busy-for-ever",
        "Is busy, and asks for no patience at all (503).",
        "503 Service Unavailable",
        "retry-after: 0",
    ),
    _fails(
        "is-busy-once",
        "Is busy at first (503) and then serves.",
        "503 Service Unavailable",
        "retry-after: 0",
        ending=ANSWERED,
        once=True,
    ),
    Behaviour(
        "endless-error",
        "Fails (500) and explains why without end.",
        floods(head("text/html", status="500 Internal Server Error"), b" "),
        both(_STATUS),
    ),
    _fails(
        "error-in-no-charset",
        "Fails (500) in a character set that is a compression.",
        "500 Internal Server Error",
        body="oops",
        content_type="text/html; charset=zip",
    ),
    _fails(
        "error-packed",
        "Fails (500) and says that the body is packed, which it is not.",
        "500 Internal Server Error",
        "content-encoding: gzip",
        body="oops",
        content_type="text/html",
    ),
    Behaviour("sets-cookies", "Sets 36 kB of cookies with every reply.", sends(_cookies), both(ANSWERED)),
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
        both(ANSWERED),
    ),
)
