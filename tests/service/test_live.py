"""What streams may hold in memory. If these fail, a reader that takes nothing fills the memory of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from agent import RolloutId
from service.live import MAX_BYTES, MAX_FRAMES, LiveRun, LiveRuns, Window
from service.records import OwnerId
from service.sse import EventStream

ME = OwnerId("a" * 64)
PATIENCE_S = 30.0
#: Frames by their sizes, and whether a reader takes one before each.
SIZES = st.lists(st.tuples(st.integers(min_value=1, max_value=60), st.booleans()), max_size=60)


@given(SIZES, st.booleans())
def test_a_window_keeps_to_its_bounds_and_loses_nothing_that_was_not_handed_out(
    frames: list[tuple[int, bool]], again: bool
) -> None:
    window = Window(again=again, max_frames=5, max_bytes=100)
    window.go_on_after(0)
    added: list[bytes] = []
    taken: list[bytes] = []
    for size, reads in frames:
        if reads and (frame := window.take()) is not None:
            taken.append(frame)
        frame = bytes([len(added) % 251]) * size
        if window.fits(frame):
            window.add(frame)
            added.append(frame)
        assert window.held_bytes <= 100
        assert window.last - window.dropped <= 5
        assert window.dropped <= len(taken), "what nobody read is there"
    while (frame := window.take()) is not None:
        taken.append(frame)
    assert taken == added
    assert window.last == len(added)


def test_a_frame_longer_than_the_bound_is_kept_alone() -> None:
    """Otherwise a run with one long event never ends."""
    window = Window(again=True, max_bytes=10)
    window.go_on_after(0)
    assert window.fits(b"x" * 11)
    window.add(b"x" * 11)
    assert not window.fits(b"y")
    assert window.take() == b"x" * 11
    assert window.fits(b"y" * 12)
    assert window.held_bytes == 0


class Source:
    """A run whose frames have a size, as many as are asked for."""

    def __init__(self, size: int = 1000, count: int = 10**9) -> None:
        self._size = size
        self._count = count
        self.made = 0
        self.closed = False

    async def frames(self) -> AsyncGenerator[bytes]:
        try:
            while self.made < self._count:
                self.made += 1
                yield b"%09d" % self.made + b"." * (self._size - 9)
                await asyncio.sleep(0)
        finally:
            self.closed = True


class Kept:
    """Tasks that outlive whoever started them."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[None]] = set()

    def __call__(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        return task


def live(hold_s: float = PATIENCE_S, kept_runs: int = 10) -> LiveRuns:
    return LiveRuns(Kept(), hold_s=hold_s, kept_runs=kept_runs)


def begun(runs: LiveRuns, source: Source, name: str = "a", *, resumable: bool = True) -> LiveRun:
    return runs.begin(RolloutId(name), ME, source.frames(), resumable=resumable)


async def settled(source: Source) -> int:
    """How many frames were made once no more are."""
    made = -1
    while made != source.made:
        made = source.made
        await asyncio.sleep(0.05)
    return made


@pytest.mark.parametrize("resumable", [True, False])
@pytest.mark.parametrize("size", [100, 5_000, MAX_BYTES + 1])
async def test_a_reader_that_takes_nothing_more_stops_the_run_at_the_bound(size: int, resumable: bool) -> None:
    runs, source = live(), Source(size)
    run = begun(runs, source, resumable=resumable)
    reader = run.read()
    assert (await anext(reader)).startswith(b"000000001")
    made = await settled(source)
    allowed = min(MAX_FRAMES, max(1, MAX_BYTES // size))
    # One was read, one waits to be kept.
    assert allowed <= made <= allowed + 2
    assert run.held_bytes <= max(MAX_BYTES, size)
    # And goes on with the reader, frame by frame.
    for number in range(2, 700):
        assert (await anext(reader)).startswith(b"%09d" % number)
        assert run.held_bytes <= max(MAX_BYTES, size)
    await reader.aclose()
    await runs.close()
    assert source.closed


async def test_nobody_there_stops_the_run_at_the_bound_too() -> None:
    runs, source = live(), Source()
    run = begun(runs, source)
    async with aclosing(run.read()) as reader:
        await anext(reader)
    await settled(source)
    assert run.held_bytes <= MAX_BYTES
    # What was read by nobody is all there for whoever comes.
    async with aclosing(run.read(1)) as reader:
        assert [int((await anext(reader))[:9]) for _ in range(900)] == list(range(2, 902))
    await runs.close()


async def test_a_reader_that_has_less_than_the_one_before_loses_nothing() -> None:
    """What was handed to the old connection may never have arrived."""
    runs, source = live(), Source(count=400)
    run = begun(runs, source)
    old = run.read()
    for _ in range(300):
        await anext(old)
    async with aclosing(run.read(100)) as reader:
        numbers = [int(frame[:9]) async for frame in reader]
    assert numbers == list(range(101, 401))
    assert [frame async for frame in old] == []
    await runs.close()


async def test_what_was_let_go_is_known_to_be_gone() -> None:
    """Otherwise an answer has a hole in it that nobody sees."""
    runs, source = live(), Source(count=2_000)
    run = begun(runs, source)
    async with aclosing(run.read()) as reader:
        assert len([frame async for frame in reader]) == 2_000
    assert 0 < run.dropped < 2_000
    async with aclosing(run.read(run.dropped - 1)) as reader:
        assert [frame async for frame in reader] == []
    async with aclosing(run.read(run.dropped)) as reader:
        assert int((await anext(reader))[:9]) == run.dropped + 1
    await runs.close()


async def test_of_ended_runs_only_the_newest_are_kept() -> None:
    runs = live(kept_runs=10)
    for number in range(50):
        async with aclosing(begun(runs, Source(count=3), f"r{number}").read()) as reader:
            assert len([frame async for frame in reader]) == 3
    await asyncio.sleep(0.05)
    assert len(runs) == 10
    assert runs.find(RolloutId("r49"), ME) is not None
    assert runs.find(RolloutId("r0"), ME) is None
    await runs.close()
    assert len(runs) == 0


async def test_an_ended_run_that_is_read_again_is_not_dropped_for_newer_ones() -> None:
    """Otherwise who comes back loses the rest of the answer while reading it."""
    runs = live(kept_runs=3)
    for number in range(3):
        async with aclosing(begun(runs, Source(count=3), f"r{number}").read()) as reader:
            assert len([frame async for frame in reader]) == 3
    again = runs.find(RolloutId("r0"), ME)
    assert again is not None
    async with aclosing(again.read()) as reading:
        await anext(reading)
        for number in range(3, 20):
            async with aclosing(begun(runs, Source(count=3), f"r{number}").read()) as reader:
                assert len([frame async for frame in reader]) == 3
        await asyncio.sleep(0.05)
        assert runs.find(RolloutId("r0"), ME) is again
        assert len([frame async for frame in reading]) == 2
        assert len(runs) == 4
    await asyncio.sleep(0.05)
    assert len(runs) == 3
    await runs.close()


async def test_a_run_that_nobody_ever_reads_never_begins() -> None:
    """Otherwise a response that could not be sent holds a slot for ever."""
    runs, source = live(), Source()
    begun(runs, source)
    await asyncio.sleep(0.05)
    assert (source.made, len(runs)) == (0, 0)


async def test_a_connection_that_takes_nothing_is_closed_and_its_run_ended() -> None:
    """Otherwise a few dozen dead phones hold every slot."""
    runs, source = live(), Source()
    run = begun(runs, source, resumable=False)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) > 3:
            await asyncio.Event().wait()

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}}
    response = EventStream(run.read(), stalled_s=0.2)
    await asyncio.wait_for(response(scope, receive, send), PATIENCE_S)
    assert source.closed
    assert len(runs) == 0
    assert sent[-1]["more_body"], "the connection is closed, not ended as if that were all"
