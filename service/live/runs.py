"""All runs that are being streamed, and those whose stream broke and may still go on.

Runs in progress are as many as there are slots. Of runs that ended, the newest `KEPT_RUNS` wait for a reader that left;
with the bounds of one run this is what streams can hold in memory at most, whatever their readers do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from agent import RolloutId
from service.live.run import LiveRun, Start
from service.records import OwnerId

#: Ended runs that are kept for readers that left.
KEPT_RUNS = 256


class LiveRuns:
    """Runs by their ids. One event loop."""

    def __init__(self, start: Start, *, hold_s: float, kept_runs: int = KEPT_RUNS) -> None:
        """`hold_s`: how long a resumable run waits for a reader that left, seconds; 0: none is resumable."""
        self._start = start
        self._hold_s = hold_s
        self._kept_runs = kept_runs
        self._runs: dict[RolloutId, LiveRun] = {}
        #: Those that ended and have no reader, the one that waits longest first.
        self._unread: dict[RolloutId, LiveRun] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def begin(
        self, rollout_id: RolloutId, owner: OwnerId | None, frames: AsyncGenerator[bytes], *, resumable: bool
    ) -> LiveRun:
        """A run that goes on once it is read; until then it holds nothing."""
        hold_s = self._hold_s if resumable else 0.0
        return LiveRun(rollout_id, owner, frames, start=self._start, hold_s=hold_s, changed=self._keep_or_drop)

    def find(self, rollout_id: RolloutId, owner: OwnerId | None) -> LiveRun | None:
        """A run by its id, for the one who asked; another's is not found."""
        run = self._runs.get(rollout_id)
        return run if run is not None and run.owner == owner else None

    async def close(self) -> None:
        """End every run that is left."""
        await asyncio.gather(*(run.stop() for run in tuple(self._runs.values())))

    def _keep_or_drop(self, run: LiveRun) -> None:
        if run.over:
            self._runs.pop(run.rollout_id, None)
        else:
            self._runs.setdefault(run.rollout_id, run)
        if run.over or run.has_reader or not run.ended:
            self._unread.pop(run.rollout_id, None)
            return
        self._unread[run.rollout_id] = run
        while len(self._unread) > self._kept_runs:
            self._start(self._unread.pop(next(iter(self._unread))).stop())
