"""Streams that break the form: events, their cuts and ends, what comes too late, too much or between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from agent.misbehaving.behaviour import ANSWERED, BROKEN, NONSENSE, Behaviour, Call, cut, endings, listed
from agent.misbehaving.messages import (
    EVENTS,
    USAGE,
    chunk,
    completion,
    event,
    finish,
    good,
    head,
    pieces,
    stream,
    whole,
)
from agent.misbehaving.playing import drips, falls_silent, floods, resets, sends

_CUT = cut("model_stream_broken")
#: What goes on where nothing more is to be said.
_MORE = event(chunk("More. "))
_LATE = listed("model_timeout")


def _then(*after: bytes) -> Callable[[Call], bytes]:
    """A good answer's pieces, without their end, and then this."""
    return lambda call: stream(*pieces(call.good + "\n"), done=False) + b"".join(after)


def _wire(change: Callable[[bytes], bytes]) -> Callable[[Call], bytes]:
    """A good stream whose body is written otherwise."""

    def data(call: Call) -> bytes:
        start, _, body = good(call).partition(b"\r\n\r\n")
        return start + b"\r\n\r\n" + change(body)

    return data


async def _bytewise(call: Call) -> AsyncIterator[bytes]:
    start, _, body = good(call).partition(b"\r\n\r\n")
    yield start + b"\r\n\r\n"
    for at in range(len(body)):
        yield body[at : at + 1]
        if at % 500 == 0:
            await asyncio.sleep(0)


def _two_choices(call: Call) -> bytes:
    other = [chunk(f"Take {number} g. ", choice={"index": 1}) for number in range(20)]
    mixed = [piece for pair in zip(pieces(call.good), other, strict=False) for piece in pair]
    rest = pieces(call.good)[len(other) :]
    return stream(*mixed, *rest, finish(), USAGE)


def _lines_of_data(body: bytes) -> bytes:
    """Each event's JSON over two lines, which a reader joins with a line break between."""
    return body.replace(b', "object"', b',\ndata:  "object"')


STREAMS = (
    Behaviour(
        "whole-for-a-stream",
        "Sends the whole answer as one JSON object where a stream was asked for.",
        sends(lambda call: whole(json.dumps(completion(call.good)))),
        endings(answer=BROKEN),
    ),
    Behaviour("done-at-once", "Says that it is done before it says anything.", sends(stream()), endings(answer=BROKEN)),
    Behaviour(
        "no-done", "Ends without saying that it is done.", sends(_then(event(finish()))), endings(answer=ANSWERED)
    ),
    Behaviour(
        "silent-after-the-end",
        "Gives its reason for ending and keeps the line open.",
        falls_silent(_then(event(finish()))),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "resets-after-the-end",
        "Gives its reason for ending and resets the connection.",
        resets(_then(event(finish()))),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "error-after-the-end",
        "Gives its reason for ending and then reports an error.",
        sends(_then(event(finish()), event({"error": {"message": "too late"}}), event("{oops"), event("[DONE]"))),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "goes-on-after-done",
        "Says that it is done and goes on.",
        drips(_then(event(finish()), event("[DONE]"), _MORE), _MORE),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "text-after-the-end",
        "Writes on after its reason for ending.",
        sends(_then(event(finish()), event(chunk("Give ten times as much. ")), event(USAGE), event("[DONE]"))),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "resets-in-mid-answer",
        "Resets the connection after the first sentence.",
        resets(_then()),
        endings(answer=_CUT),
    ),
    Behaviour(
        "ends-in-mid-answer",
        "Closes the connection in good order after the first sentence.",
        sends(_then()),
        endings(answer=_CUT),
    ),
    Behaviour(
        "ends-in-mid-event",
        "Closes the connection in the middle of an event.",
        sends(_then(b'data: {"choices": [{"del')),
        endings(answer=_CUT),
    ),
    Behaviour(
        "silent-in-mid-answer",
        "Falls silent after the first sentence.",
        falls_silent(_then()),
        endings(answer=_CUT),
        late=True,
    ),
    Behaviour(
        "error-in-mid-answer",
        "Reports an error after the first sentence.",
        sends(_then(event({"error": {"message": "CUDA out of memory"}}), event("[DONE]"))),
        endings(answer=cut("model_nonsense")),
    ),
    Behaviour(
        "garbage-in-mid-answer",
        "Sends an event that is no JSON after the first sentence.",
        sends(_then(event("{oops"), event(finish()), event("[DONE]"))),
        endings(answer=cut("model_nonsense")),
    ),
    Behaviour(
        "comments-for-ever",
        "Sends comments that keep the line open, and nothing else.",
        drips(head(EVENTS), b": thinking\n\n"),
        endings(answer=_LATE),
        late=True,
    ),
    Behaviour(
        "empty-pieces-for-ever",
        "Sends pieces without text for ever.",
        drips(head(EVENTS), event(chunk(""))),
        endings(answer=_LATE),
        late=True,
    ),
    Behaviour(
        "a-word-at-a-time-for-ever",
        "Writes a word now and then, for ever, and never a full stop.",
        drips(head(EVENTS), event(chunk("Rest "))),
        endings(answer=BROKEN),
        late=True,
    ),
    Behaviour(
        "endless-line",
        "Sends one line that does not end.",
        floods(head(EVENTS) + b'data: {"choices": [{"delta": {"content": "', b"x"),
        endings(answer=NONSENSE),
    ),
    Behaviour(
        "endless-event",
        "Sends an event of countless lines of data.",
        floods(head(EVENTS), b"data: and so on\n"),
        endings(answer=NONSENSE),
    ),
    Behaviour(
        "writes-without-end",
        "Writes many times more than it was asked for.",
        floods(_then(), event(chunk("Rest is advised. " * 8))),
        endings(answer=_CUT),
    ),
    Behaviour(
        "ids-without-text",
        "Reports tokens without end for no text.",
        floods(_then(), event(chunk("", choice={"token_ids": [7] * 20_000}))),
        endings(answer=_CUT),
    ),
    Behaviour("byte-by-byte", "Sends every byte for itself.", _bytewise, endings(answer=ANSWERED)),
    Behaviour(
        "carriage-returns",
        "Ends its lines with carriage returns alone.",
        sends(_wire(lambda body: body.replace(b"\n", b"\r"))),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "two-lines-an-event",
        "Spreads the JSON of an event over two lines of data.",
        sends(_wire(_lines_of_data)),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "events-nobody-knows",
        "Puts pings, ids and retry times between the pieces.",
        sends(_wire(lambda body: body.replace(b"data: {", b"retry: 99999999\nid: 7\nevent: chunk\ndata: {"))),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "two-choices",
        "Mixes the pieces of another answer into this one.",
        sends(_two_choices),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "some-ids",
        "Reports token ids for some pieces and not for others.",
        sends(_wire(lambda body: body.replace(b"[21]", b"null", 2))),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "stream-for-a-whole",
        "Streams where a whole reply was asked for.",
        sends(lambda call: stream(*pieces(call.good), finish(), USAGE)),
        endings(decide=NONSENSE),
    ),
)
