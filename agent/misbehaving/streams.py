"""Streams that break the form: events, their cuts and ends, what comes too late, too much or between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from agent.misbehaving.behaviour import ANSWERED, Behaviour, Call, ResetError, cut, endings, listed, sends
from agent.misbehaving.messages import EVENTS, USAGE, chunk, completion, event, finish, head, pieces, stream, whole

_BROKEN = listed("model_stream_broken")
_NONSENSE = listed("model_nonsense")
_PAUSE_S = 0.02
#: Pieces of what is paced and longer than any deadline of a test.
_PACED = 1500
#: Pieces of what comes as fast as it is taken.
_FAST = 200_000


def _then(*after: bytes) -> Callable[[Call], bytes]:
    """A good answer's pieces, without their end, and then this."""
    return lambda call: stream(*pieces(call.good + "\n"), done=False) + b"".join(after)


def _wire(change: Callable[[bytes], bytes]) -> Callable[[Call], bytes]:
    """A good stream whose body is written otherwise."""

    def data(call: Call) -> bytes:
        start, _, body = stream(*pieces(call.good), finish(), USAGE).partition(b"\r\n\r\n")
        return start + b"\r\n\r\n" + change(body)

    return data


async def _reset_after_a_sentence(call: Call) -> AsyncIterator[bytes]:
    yield _then()(call)
    await asyncio.sleep(_PAUSE_S * 5)
    raise ResetError


async def _reset_after_the_end(call: Call) -> AsyncIterator[bytes]:
    yield _then(event(finish()))(call)
    await asyncio.sleep(_PAUSE_S * 5)
    raise ResetError


async def _silent_after_a_sentence(call: Call) -> AsyncIterator[bytes]:
    yield _then()(call)
    await asyncio.sleep(_PAUSE_S * _PACED)


async def _silent_after_the_end(call: Call) -> AsyncIterator[bytes]:
    yield _then(event(finish()))(call)
    await asyncio.sleep(_PAUSE_S * _PACED)


async def _goes_on_after_done(call: Call) -> AsyncIterator[bytes]:
    yield _then(event(finish()), event("[DONE]"))(call)
    for _ in range(_PACED):
        yield event(chunk("More. "))
        await asyncio.sleep(_PAUSE_S)


async def _comments(_call: Call) -> AsyncIterator[bytes]:
    yield head(EVENTS)
    for _ in range(_PACED):
        yield b": thinking\n\n"
        await asyncio.sleep(_PAUSE_S)


async def _empty_pieces(_call: Call) -> AsyncIterator[bytes]:
    yield head(EVENTS)
    for _ in range(_PACED):
        yield event(chunk(""))
        await asyncio.sleep(_PAUSE_S)


async def _word_by_word(_call: Call) -> AsyncIterator[bytes]:
    yield head(EVENTS)
    for _ in range(_PACED):
        yield event(chunk("Rest "))
        await asyncio.sleep(_PAUSE_S)


async def _one_line(_call: Call) -> AsyncIterator[bytes]:
    yield head(EVENTS) + b'data: {"choices": [{"delta": {"content": "'
    for _ in range(_FAST):
        yield b"x" * 1024


async def _tiny_lines(_call: Call) -> AsyncIterator[bytes]:
    yield head(EVENTS)
    for _ in range(_FAST // 64):
        yield b"data: and so on\n" * 4096


async def _without_end(call: Call) -> AsyncIterator[bytes]:
    yield _then()(call)
    more = event(chunk("Rest is advised. " * 8))
    for _ in range(_FAST):
        yield more


async def _ids_without_text(call: Call) -> AsyncIterator[bytes]:
    yield _then()(call)
    more = event(chunk("", choice={"token_ids": [7] * 20_000}))
    for _ in range(_FAST // 64):
        yield more


async def _bytewise(call: Call) -> AsyncIterator[bytes]:
    data = stream(*pieces(call.good), finish(), USAGE)
    start, _, body = data.partition(b"\r\n\r\n")
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


def _some_ids(call: Call) -> bytes:
    first, second, *rest = pieces(call.good)
    return stream(first, {**second, **chunk(str(_text(second)), choice={"token_ids": None})}, *rest, finish(), USAGE)


def _text(piece: dict[str, object]) -> object:
    choices = piece["choices"]
    assert isinstance(choices, list)
    return choices[0]["delta"]["content"]


def _lines_of_data(body: bytes) -> bytes:
    """Each event's JSON over two lines, which a reader joins with a line break between."""
    return body.replace(b', "object"', b',\ndata:  "object"')


STREAMS = (
    Behaviour(
        "whole-for-a-stream",
        "Sends the whole answer as one JSON object where a stream was asked for.",
        sends(lambda call: whole(json.dumps(completion(call.good)))),
        endings(answer=_BROKEN),
    ),
    Behaviour(
        "done-at-once", "Says that it is done before it says anything.", sends(stream()), endings(answer=_BROKEN)
    ),
    Behaviour(
        "no-done", "Ends without saying that it is done.", sends(_then(event(finish()))), endings(answer=ANSWERED)
    ),
    Behaviour(
        "silent-after-the-end",
        "Gives its reason for ending and keeps the line open.",
        _silent_after_the_end,
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "resets-after-the-end",
        "Gives its reason for ending and resets the connection.",
        _reset_after_the_end,
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "error-after-the-end",
        "Gives its reason for ending and then reports an error.",
        sends(_then(event(finish()), event({"error": {"message": "too late"}}), event("{oops"), event("[DONE]"))),
        endings(answer=ANSWERED),
    ),
    Behaviour("goes-on-after-done", "Says that it is done and goes on.", _goes_on_after_done, endings(answer=ANSWERED)),
    Behaviour(
        "text-after-the-end",
        "Writes on after its reason for ending.",
        sends(_then(event(finish()), event(chunk("Give ten times as much. ")), event(USAGE), event("[DONE]"))),
        endings(answer=ANSWERED),
    ),
    Behaviour(
        "resets-in-mid-answer",
        "Resets the connection after the first sentence.",
        _reset_after_a_sentence,
        endings(answer=cut("model_stream_broken")),
    ),
    Behaviour(
        "ends-in-mid-answer",
        "Closes the connection in good order after the first sentence.",
        sends(_then()),
        endings(answer=cut("model_stream_broken")),
    ),
    Behaviour(
        "ends-in-mid-event",
        "Closes the connection in the middle of an event.",
        sends(_then(b'data: {"choices": [{"del')),
        endings(answer=cut("model_stream_broken")),
    ),
    Behaviour(
        "silent-in-mid-answer",
        "Falls silent after the first sentence.",
        _silent_after_a_sentence,
        endings(answer=cut("model_stream_broken")),
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
        _comments,
        endings(answer=listed("model_timeout")),
        late=True,
    ),
    Behaviour(
        "empty-pieces-for-ever",
        "Sends pieces without text for ever.",
        _empty_pieces,
        endings(answer=listed("model_timeout")),
        late=True,
    ),
    Behaviour(
        "a-word-at-a-time-for-ever",
        "Writes a word now and then, for ever, and never a full stop.",
        _word_by_word,
        endings(answer=_BROKEN),
        late=True,
    ),
    Behaviour("endless-line", "Sends one line that does not end.", _one_line, endings(answer=_NONSENSE)),
    Behaviour(
        "endless-event",
        "Sends an event of countless lines of data.",
        _tiny_lines,
        endings(answer=_NONSENSE),
    ),
    Behaviour(
        "writes-without-end",
        "Writes many times more than it was asked for.",
        _without_end,
        endings(answer=cut("model_stream_broken")),
    ),
    Behaviour(
        "ids-without-text",
        "Reports tokens without end for no text.",
        _ids_without_text,
        endings(answer=cut("model_stream_broken")),
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
        "some-ids", "Reports token ids for some pieces and not for others.", sends(_some_ids), endings(answer=ANSWERED)
    ),
    Behaviour(
        "stream-for-a-whole",
        "Streams where a whole reply was asked for.",
        sends(lambda call: stream(*pieces(call.good), finish(), USAGE)),
        endings(decide=_NONSENSE),
    ),
)
