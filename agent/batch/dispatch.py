"""Shards handed to workers, and handed on when a worker dies.

Nothing is remembered of a dead worker but what it wrote: whoever takes its shard reads the journal and makes what is
still owed. Which machine a worker runs on is the pool's affair.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.batch.errors import BatchError
from agent.batch.generate import BatchProgress
from agent.batch.summary import BatchSummary
from agent.batch.tally import Tally
from agent.batch.tasks import Shard
from agent.clock import Clock, SystemClock
from agent.journal import read_segment
from agent.rollout import SEGMENT_PATTERN

#: Workers a shard may lose before the batch stops: then the shard, or the machines, are what kills them.
MAX_LOSSES = 5
_NOTHING_YET = BatchProgress(settled=0, generated=0, completion_tokens=0)


@dataclass(frozen=True, slots=True)
class ShardResult:
    """A shard that was worked through, and the journal segments its worker wrote."""

    summary: BatchSummary
    segments: tuple[str, ...]


class ShardRunner(Protocol):
    """What a worker opens once and uses for shard after shard. Raises `AgentError` or `RetrievalError` alone."""

    def run(self, shard: Shard, report: Callable[[BatchProgress], None]) -> ShardResult:
        """Make what is owed of one shard."""

    def close(self) -> None:
        """Give everything back."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """How far a worker is with its shard."""

    shard: Shard
    progress: BatchProgress


@dataclass(frozen=True, slots=True)
class Finished:
    """A shard is done."""

    shard: Shard
    result: ShardResult


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker died. It writes nothing any more."""

    shard: Shard


@dataclass(frozen=True, slots=True)
class Failed:
    """A shard cannot be worked on, and `why` says what to do."""

    shard: Shard
    why: str


WorkerEvent = Advanced | Finished | Lost | Failed


class WorkerPool(Protocol):
    """Workers, each busy with one shard at a time."""

    @property
    def free(self) -> int:
        """How many shards could be started now."""

    def start(self, shard: Shard) -> None:
        """Give a shard to a free worker."""

    def wait(self) -> Iterable[WorkerEvent]:
        """What happened since; waits about a second where nothing has."""


def dispatch(
    directory: Path,
    shards: Sequence[Shard],
    pool: WorkerPool,
    *,
    progress: Callable[[BatchProgress], None] | None = None,
    clock: Clock | None = None,
) -> BatchSummary:
    """Have every shard worked through; all workers write into `directory`, each to segments of its own.

    Raises:
        BatchError: a shard cannot be worked on, or killed one worker after another. What is written stays.
    """
    clock = clock or SystemClock()
    started = clock.monotonic()
    before = _segments(directory)
    owed = deque(shards)
    losses: Counter[Shard] = Counter()
    results: dict[Shard, ShardResult] = {}
    now: dict[Shard, BatchProgress] = {}
    #: Of workers that died: runs and tokens they told of.
    past: Counter[str] = Counter()
    while len(results) < len(shards):
        while owed and pool.free:
            pool.start(owed.popleft())
        for event in pool.wait():
            match event:
                case Advanced():
                    now[event.shard] = event.progress
                case Finished():
                    results[event.shard] = event.result
                    now[event.shard] = _at_the_end(event.result.summary)
                case Lost():
                    losses[event.shard] += 1
                    at = now.pop(event.shard, _NOTHING_YET)
                    past.update(generated=at.generated, completion_tokens=at.completion_tokens)
                    owed.appendleft(event.shard)
                case Failed():
                    raise BatchError(event.why)
            if losses[event.shard] >= MAX_LOSSES:
                raise BatchError(
                    f"Shard {event.shard.index}/{event.shard.count} lost its worker {MAX_LOSSES} times. See why "
                    "(often too little memory); the same command goes on where this stopped."
                )
        if progress is not None:
            progress(
                BatchProgress(
                    settled=sum(at.settled for at in now.values()),
                    generated=sum(at.generated for at in now.values()) + past["generated"],
                    completion_tokens=sum(at.completion_tokens for at in now.values()) + past["completion_tokens"],
                )
            )
    told = {name for result in results.values() for name in result.segments}
    left = Tally()
    for name in sorted(_segments(directory) - before - told):
        for rollout in read_segment(directory / name):
            left.add(rollout)
    parts = [results[shard].summary for shard in shards]
    return BatchSummary.of_shards(parts, left, clock.monotonic() - started)


def _segments(directory: Path) -> set[str]:
    return {path.name for path in directory.glob(SEGMENT_PATTERN)}


def _at_the_end(summary: BatchSummary) -> BatchProgress:
    return BatchProgress(summary.done_before + summary.generated, summary.generated, summary.completion_tokens)
