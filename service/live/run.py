"""One run that is being streamed: it goes on by itself, at the pace of its reader, for as long as somebody may read it.

A run has one reader at a time. Where another comes, the one before is a connection that broke without saying so, and
its stream ends. A run whose reader left is held for a stated time and then ended; with none, it ends at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing

from agent import RolloutId
from service.live.window import Window
from service.records import OwnerId

Start = Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


class LiveRun:
    """Carries a run's frames to whoever reads them. Nothing happens before the first reader comes."""

    def __init__(
        self,
        rollout_id: RolloutId,
        owner: OwnerId | None,
        frames: AsyncGenerator[bytes],
        *,
        start: Start,
        hold_s: float,
        changed: Callable[[LiveRun], None],
    ) -> None:
        """
        Args:
            rollout_id: of the run.
            owner: who asked; None where nobody is known.
            frames: of the run, numbered from 1 in their order; closing them ends it.
            start: starts what outlives a request.
            hold_s: seconds that the run waits for a reader that left; 0: not at all.
            changed: called when it has a reader, lost it, ended or is over.
        """
        self.rollout_id = rollout_id
        self.owner = owner
        self._frames = frames
        self._start = start
        self.hold_s = hold_s
        self._changed = changed
        self._window = Window(again=hold_s > 0)
        self._carrying: asyncio.Task[None] | None = None
        self._reader: object | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        #: No more frames come.
        self.ended = False
        #: Nobody may read it any more.
        self.over = False

    @property
    def resumable(self) -> bool:
        """Whether it waits for a reader that left."""
        return self.hold_s > 0

    @property
    def has_reader(self) -> bool:
        """Whether somebody reads it now."""
        return self._reader is not None

    @property
    def last(self) -> int:
        """Number of the newest frame; 0 before the first."""
        return self._window.last

    @property
    def dropped(self) -> int:
        """Number of the last frame that is no longer kept."""
        return self._window.dropped

    @property
    def held_bytes(self) -> int:
        """Bytes of the frames kept."""
        return self._window.held_bytes

    async def read(self, after: int = 0) -> AsyncGenerator[bytes]:
        """The frames that follow number `after`, from `dropped` to `last`, as they come.

        It ends with the run, or when another reader takes its place. Closing it is how a reader leaves.
        """
        if after < self._window.dropped:
            return  # let go since it was asked for; whoever asks again is told
        reader = self._reader = object()
        self._news.set()  # whoever read before stops
        self._wait_no_more()
        self._window.go_on_after(after)
        if self._carrying is None:
            self._carrying = self._start(self._carry())
        self._changed(self)
        try:
            while self._reader is reader:
                frame = self._window.take()
                if frame is not None:
                    self._room.set()
                    yield frame
                elif self.ended:
                    return
                else:
                    self._news.clear()
                    await self._news.wait()
        finally:
            if self._reader is reader:
                self._reader = None
                await self._left()

    async def stop(self) -> None:
        """End the run now; returns once its model call is given up and its record is written."""
        if not self.over:
            self.over = True
            self._wait_no_more()
            self._changed(self)
            if self._carrying is not None:
                self._carrying.cancel()
        if self._carrying is not None:
            # Whoever stops it may be cancelled meanwhile; what the run has to write down is not cut short by that.
            await asyncio.wait({self._carrying})

    async def _carry(self) -> None:
        try:
            async with aclosing(self._frames) as frames:
                async for frame in frames:
                    while not self._window.fits(frame):
                        self._room.clear()
                        await self._room.wait()
                    self._window.add(frame)
                    self._news.set()
        finally:
            self.ended = True
            self._news.set()
            self._changed(self)

    async def _left(self) -> None:
        if self.over:
            return
        if not self.resumable:
            await self.stop()
            return
        self._timer = asyncio.get_running_loop().call_later(self.hold_s, self._expire)
        self._changed(self)

    def _expire(self) -> None:
        self._start(self.stop())

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
