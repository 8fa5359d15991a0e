"""The event stream as it is written and as it is read: if they differ, an answer is garbled or lost."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from agent import ErrorEvent, Event, EvidenceEvent, Sentence, SentenceEvent, StepEvent, StepSummary, WithheldEvent
from agent.answer import Citation
from agent.event_stream import EventStreamReader, EventTooLongError, ServerSentEvent
from agent.gate import WithheldReason
from retrieval import DocumentId, PassageId, PassageKind
from service.sse import HEARTBEAT, encode, encoded

ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)
#: Text that would end a line, an event or the stream if it were not written as data.
BREAKING = [
    "\n",
    "\r",
    "\r\n",
    "\n\ndata: ",
    "\nevent: done\n",
    ":",
    " ",
    "\0",
    "\u2028",
    "\x85",
    "\ufeff",
    "😀",
    '"',
    "\\",
]
TEXT = st.lists(
    st.one_of(st.sampled_from(BREAKING), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)), max_size=8
).map("".join)
CITATION = Citation(
    number=1,
    passage_id=PassageId("p"),
    document_id=DocumentId("d"),
    kind=PassageKind.RECOMMENDATION,
    condition=None,
    text="",
    strength=None,
    certainty=None,
    population=None,
    contraindications=(),
    title="t",
    publisher="p",
    year=None,
    region="GB",
    url=None,
    notice=None,
)
EVENTS = st.lists(
    st.one_of(
        st.builds(lambda text: SentenceEvent(sentence=Sentence(text=text, citations=(1, 2))), TEXT),
        st.builds(lambda text: EvidenceEvent(citation=CITATION.model_copy(update={"text": text, "url": text})), TEXT),
        st.builds(
            lambda text: StepEvent(step=StepSummary(kind="search", summary=text, queries=(text,), duration_ms=1.5)),
            TEXT,
        ),
        st.builds(lambda reason: WithheldEvent(reason=reason), st.sampled_from(WithheldReason)),
        st.builds(lambda text: ErrorEvent(code="x", message=text), TEXT),
    ),
    max_size=6,
)
SIZES = st.lists(st.integers(min_value=1, max_value=40), max_size=80)


def read(data: bytes, sizes: list[int]) -> list[ServerSentEvent]:
    """The events of a stream that arrives in pieces of these sizes, and then the rest."""
    reader = EventStreamReader()
    found: list[ServerSentEvent] = []
    at = 0
    for size in sizes:
        found += reader.feed(data[at : at + size])
        at += size
    return found + reader.feed(data[at:])


def by_the_standard(data: bytes) -> list[ServerSentEvent]:
    """The HTML standard's "event stream interpretation", all at once and as literally as it can be written."""
    text = data.decode().removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]
    found: list[ServerSentEvent] = []
    buffer, kind, last_id = "", "", ""
    for line in lines:
        if line == "":
            if buffer:
                found.append(ServerSentEvent(kind or "message", buffer.removesuffix("\n"), last_id))
            buffer, kind = "", ""
        elif line.startswith(":"):
            continue
        else:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                kind = value
            elif field == "data":
                buffer += value + "\n"
            elif field == "id" and "\0" not in value:
                last_id = value
    return found


@given(EVENTS, SIZES)
def test_every_event_comes_back_as_it_was_however_it_is_cut(events: list[Event], sizes: list[int]) -> None:
    data = b"".join(encode(event, number) for number, event in enumerate(events, start=1))
    found = read(data, sizes)
    assert [ADAPTER.validate_json(item.data) for item in found] == events
    assert [(item.id, item.event) for item in found] == [(str(n), e.type) for n, e in enumerate(events, start=1)]


@given(EVENTS, st.integers(min_value=0, max_value=400))
def test_of_a_stream_that_breaks_off_only_whole_events_count(events: list[Event], kept: int) -> None:
    """Otherwise half a sentence, whose condition is missing, is shown."""
    data = b"".join(encode(event, number) for number, event in enumerate(events, start=1))
    found = [ADAPTER.validate_json(item.data) for item in read(data[:kept], [])]
    assert found == events[: len(found)]


@given(EVENTS)
async def test_the_encoder_numbers_from_one_and_heartbeats_are_no_events(events: list[Event]) -> None:
    async def source() -> AsyncGenerator[Event]:
        for event in events:
            yield event

    frames = [frame async for frame in encoded(source())]
    found = read(HEARTBEAT + HEARTBEAT.join(frames) + HEARTBEAT, [])
    assert [item.id for item in found] == [str(number) for number in range(1, len(events) + 1)]
    for frame in frames:
        assert frame.count(b"\n") == 4, "one line each of id, event and data, and an empty one"
        assert b"\r" not in frame


LINES = [
    "",
    "data",
    "data:",
    "data: a",
    "data:  b",
    "event: e",
    "event",
    "id: 7",
    "id",
    "id: \0",
    ": c",
    "retry: 1",
    "x",
    "\ufeffdata",
]
STREAM = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(LINES), st.text(max_size=5)), st.sampled_from(["\n", "\r", "\r\n", "\n\n", ""])
    ),
    max_size=20,
).map(lambda lines: "".join(line + end for line, end in lines))


@given(STREAM, SIZES)
@example("data: a\r\ndata: b\r\n\r\n", [8])
@example("event: e\ndata: a\n\ndata: b\n\n", [])
@example("data: a\r\n\r\ndata: b\r\r\ndata\n\n", [9, 1, 1])
@example("\ufeffdata: a\n\n\ufeffdata: b\n\n", [1, 1, 1])
@example("data\n\ndata\ndata\n\ndata:", [])
def test_any_text_is_read_as_the_standard_says(text: str, sizes: list[int]) -> None:
    data = text.encode()
    assert read(data, sizes) == read(data, [1] * len(data)) == by_the_standard(data)


@given(st.binary(max_size=200), SIZES)
def test_any_bytes_are_events_or_not_text(data: bytes, sizes: list[int]) -> None:
    """Nothing but `UnicodeDecodeError` comes out of it, and the same of every cut."""
    outcomes = []
    for cut in (sizes, []):
        try:
            outcomes.append(read(data, cut))
        except UnicodeDecodeError:
            outcomes.append([])
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("endless", [b"x" * 50, b"data: x\n", b"data\n", b"event: x\n", b"data: " + b"y" * 200 + b"\n"])
def test_an_event_without_end_is_given_up(endless: bytes) -> None:
    """Otherwise a stream fills the memory."""
    reader = EventStreamReader(max_event_bytes=1000)

    def feed_for_ever() -> None:
        for _ in range(1000):
            reader.feed(endless)

    with pytest.raises(EventTooLongError):
        feed_for_ever()


def test_many_short_events_are_no_long_one() -> None:
    reader = EventStreamReader(max_event_bytes=20)
    assert sum(len(reader.feed(b"data: 1\n: x\n\n")) for _ in range(1000)) == 1000


def test_a_comment_for_ever_counts_until_its_event_ends() -> None:
    """A heartbeat ends with an empty line, so keeping a line open costs nothing."""
    reader = EventStreamReader(max_event_bytes=100)
    assert sum(len(reader.feed(HEARTBEAT)) for _ in range(1000)) == 0
    assert json.loads(reader.feed(b"data: {}\n\n")[0].data) == {}
