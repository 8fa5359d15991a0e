"""One batch in a directory with a scripted model."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent import (
    AgentSettings,
    ClinicalAgent,
    ManualClock,
    ModelClient,
    Rollout,
    RolloutSink,
    ScriptedModel,
    read_journal,
)
from agent.batch import (
    ALL_SHARDS,
    BadLine,
    BatchProgress,
    BatchSettings,
    BatchSink,
    BatchSummary,
    BatchTask,
    Ledger,
    Shard,
    generate,
    read_tasks,
)
from agent.journal import Journal
from agent.scripted import ByTurn
from retrieval import HybridSearcher, memory_searcher

from ...starter import starter


def questions(path: Path, count: int, **fields: object) -> Path:
    rows = [json.dumps({"question": f"What to give in case {number}?", **fields}) for number in range(count)]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def pairs(rollouts: Iterable[Rollout]) -> Counter[tuple[str, int]]:
    return Counter((rollout.task_key, rollout.rep) for rollout in rollouts)


@dataclass(frozen=True)
class Batch:
    """A directory and the calls made in it."""

    output: Path
    searcher: HybridSearcher

    async def run(
        self,
        file: Path,
        settings: BatchSettings | None = None,
        *,
        client: ModelClient | None = None,
        shard: Shard = ALL_SHARDS,
        journal: RolloutSink | None = None,
        progress: Callable[[BatchProgress], None] | None = None,
    ) -> BatchSummary:
        model = client or ScriptedModel([ByTurn()])
        clock = ManualClock()
        with Journal(self.output) as kept, Ledger(self.output) as ledger:
            sink = BatchSink(journal or kept)
            agent = ClinicalAgent(model, self.searcher, sink, settings=AgentSettings(attempts=1), clock=clock)
            return await generate(
                read_tasks(file, shard),
                lambda _: agent,
                model,
                sink,
                ledger,
                settings or BatchSettings(concurrency=4),
                progress=progress,
                clock=clock,
            )

    def made(self, tasks: Iterable[BatchTask | BadLine]) -> tuple[BatchSummary, tuple[str, ...]]:
        """What one process made of some tasks, and the segments it wrote."""

        async def run(journal: Journal) -> BatchSummary:
            model, sink = ScriptedModel([ByTurn()]), BatchSink(journal)
            agent = ClinicalAgent(model, self.searcher, sink, settings=AgentSettings(attempts=1))
            with Ledger(self.output) as ledger:
                return await generate(tasks, lambda _: agent, model, sink, ledger, BatchSettings(concurrency=4))

        with Journal(self.output) as journal:
            return asyncio.run(run(journal)), journal.segments

    def rollouts(self) -> list[Rollout]:
        return list(read_journal(self.output))


@pytest.fixture(scope="session")
def small_searcher() -> HybridSearcher:
    return memory_searcher(starter()[:3])


@pytest.fixture
def batch(tmp_path: Path, small_searcher: HybridSearcher) -> Batch:
    return Batch(tmp_path / "rollouts", small_searcher)
