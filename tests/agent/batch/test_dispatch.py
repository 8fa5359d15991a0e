"""Shards are handed on when a worker dies, and the figures of the batch are those of one process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import pytest

from agent.batch import (
    Advanced,
    BatchError,
    BatchProgress,
    BatchSummary,
    Failed,
    Finished,
    Lost,
    Shard,
    ShardResult,
    WorkerEvent,
    dispatch,
    read_tasks,
)

from .conftest import Batch, pairs, questions

SHARDS = [Shard(index, 3) for index in range(3)]


class ScriptedPool:
    """Two workers that make their runs in this process; some of them die when they are told to."""

    def __init__(self, batch: Batch, file: Path, *, dies: Callable[[Shard, int], bool] = lambda _shard, _start: False):
        self._batch, self._file, self._dies = batch, file, dies
        self._busy: list[Shard] = []
        self.starts: list[Shard] = []

    @property
    def free(self) -> int:
        return 2 - len(self._busy)

    def start(self, shard: Shard) -> None:
        assert self.free
        assert shard not in self._busy
        self._busy.append(shard)
        self.starts.append(shard)

    def wait(self) -> Iterable[WorkerEvent]:
        shard = self._busy.pop(0)
        tasks = read_tasks(self._file, shard)
        if self._dies(shard, self.starts.count(shard)):
            made, _ = self._batch.made(islice(tasks, 2))
            yield Advanced(shard, BatchProgress(made.done_before + made.generated, made.generated, 0))
            yield Lost(shard)
        else:
            yield Finished(shard, ShardResult(*self._batch.made(tasks)))


def once(shard: Shard, start: int) -> bool:
    return shard.index == 1 and start == 1


def test_every_shard_is_worked_through_once(batch: Batch, tmp_path: Path) -> None:
    file = questions(tmp_path / "q.jsonl", 20)
    pool = ScriptedPool(batch, file)
    summary = dispatch(batch.output, SHARDS, pool)
    assert sorted(pool.starts, key=lambda shard: shard.index) == SHARDS
    assert (summary.wanted, summary.generated, summary.done_before, summary.owed) == (20, 20, 0, 0)
    assert len(pairs(batch.rollouts())) == 20


def test_a_dead_workers_shard_goes_on_from_its_journal_and_no_figure_is_lost(batch: Batch, tmp_path: Path) -> None:
    file = questions(tmp_path / "q.jsonl", 20)
    seen: list[BatchProgress] = []
    pool = ScriptedPool(batch, file, dies=once)
    summary = dispatch(batch.output, SHARDS, pool, progress=seen.append)
    assert pool.starts.count(SHARDS[1]) == 2
    kept = pairs(batch.rollouts())
    assert set(kept.values()) == {1}
    assert len(kept) == 20
    assert (summary.wanted, summary.generated, summary.done_before) == (20, 20, 0)
    assert summary.searches == 20
    assert summary.stop_reasons == {"answered": 20}
    assert summary.completion_tokens == sum(
        step.usage.completion_tokens or 0 for rollout in batch.rollouts() for step in rollout.steps
    )
    assert max(at.settled for at in seen) == seen[-1].settled == 20
    assert seen[-1].generated == 20


def test_what_was_there_before_is_not_counted_as_made(batch: Batch, tmp_path: Path) -> None:
    file = questions(tmp_path / "q.jsonl", 20)
    asyncio.run(batch.run(questions(tmp_path / "first.jsonl", 8)))
    summary = dispatch(batch.output, SHARDS, ScriptedPool(batch, file, dies=once))
    assert (summary.wanted, summary.generated, summary.done_before) == (20, 12, 8)
    assert sum(summary.stop_reasons.values()) == 12


def test_a_shard_that_kills_every_worker_stops_the_batch(batch: Batch, tmp_path: Path) -> None:
    pool = ScriptedPool(batch, questions(tmp_path / "q.jsonl", 60), dies=lambda shard, _: shard.index == 0)
    with pytest.raises(BatchError, match=r"Shard 0/3 lost its worker 5 times.*same command"):
        dispatch(batch.output, SHARDS, pool)


def test_a_shard_that_cannot_be_worked_on_ends_the_batch_with_its_sentence(batch: Batch, tmp_path: Path) -> None:
    class Refuses(ScriptedPool):
        def wait(self) -> Iterable[WorkerEvent]:
            yield Failed(self._busy[0], "The index is not there: build it.")

    with pytest.raises(BatchError, match="The index is not there: build it"):
        dispatch(batch.output, SHARDS, Refuses(batch, questions(tmp_path / "q.jsonl", 3)))


def test_bad_lines_of_all_shards_are_listed_in_the_files_order(batch: Batch, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "What to give?"}\n{\n[]\n{"question": "What to give?"}\n', encoding="utf-8")
    summary: BatchSummary = dispatch(batch.output, SHARDS, ScriptedPool(batch, file))
    assert [bad.line for bad in summary.bad_lines] == [2, 3]
    assert (summary.repeated_lines, summary.generated) == (1, 1)
