"""A batch makes exactly what is owed, whatever happens to the server, the disk or the process."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from agent import JournalError, Rollout, ScriptedModel, read_journal
from agent.batch import BatchError, BatchProgress, BatchSettings, Shard
from agent.batch.generate import run_seed
from agent.client import Completion, CompletionRequest, Usage
from agent.errors import ModelStatusError, ModelUnavailableError
from agent.scripted import ByTurn, Reply

from .conftest import Batch, pairs, questions

CHILD = Path(__file__).with_name("batch_child.py")
KILLS = 20


async def test_every_question_is_asked_n_times(batch: Batch, tmp_path: Path) -> None:
    file = questions(tmp_path / "q.jsonl", 5, licence="CC0", training_consent=True, question_source="made")
    summary = await batch.run(file, BatchSettings(repetitions=3, concurrency=4))
    kept = batch.rollouts()
    assert summary.generated == summary.wanted == 15
    assert set(pairs(kept).values()) == {1}
    assert {rollout.rep for rollout in kept} == {0, 1, 2}
    assert {rollout.split for rollout in kept} == {"train"}
    assert all(r.provenance.training_consent and r.provenance.licence == "CC0" for r in kept)
    assert {r.provenance.question_source for r in kept} == {"made"}
    assert summary.stop_reasons == {"answered": 15}
    assert summary.searches == 15


class _Counted(ScriptedModel):
    """Reports tokens as a server does."""

    @staticmethod
    def _completion(reply: Reply) -> Completion:
        usage = Usage(prompt_tokens=9, completion_tokens=4)
        return ScriptedModel._completion(reply).model_copy(update={"usage": usage})


async def test_progress_counts_what_is_there_what_was_made_and_its_tokens(batch: Batch, tmp_path: Path) -> None:
    await batch.run(questions(tmp_path / "first.jsonl", 3))
    seen: list[BatchProgress] = []
    file, settings = questions(tmp_path / "q.jsonl", 8), BatchSettings(concurrency=2)
    summary = await batch.run(file, settings, client=_Counted([ByTurn()]), progress=seen.append)
    assert [at.generated for at in seen] == sorted(at.generated for at in seen)
    assert (seen[-1].settled, seen[-1].generated) == (8, 5)
    calls = 5 * 3
    assert seen[-1].completion_tokens == summary.completion_tokens == calls * 4
    assert summary.prompt_tokens == calls * 9
    assert summary.model_copy(update={"seconds": 2.0}).completion_tokens_per_second == calls * 2


async def test_a_second_call_asks_nothing_and_a_larger_n_only_what_is_new(batch: Batch, tmp_path: Path) -> None:
    file = questions(tmp_path / "q.jsonl", 4)
    await batch.run(file)
    again = await batch.run(file)
    assert (again.generated, again.done_before) == (0, 4)
    more = await batch.run(file, BatchSettings(repetitions=3, concurrency=2))
    assert (more.generated, more.done_before) == (8, 4)
    assert len(pairs(batch.rollouts())) == 12


async def test_each_repetition_has_a_seed_of_its_own_that_never_changes(batch: Batch, tmp_path: Path) -> None:
    await batch.run(questions(tmp_path / "q.jsonl", 3), BatchSettings(repetitions=2, seed=7))
    seeds = {(r.task_key, r.rep): r.policy.seed for r in batch.rollouts()}
    assert len(set(seeds.values())) == 6
    assert all(seed == run_seed(7, key, rep) for (key, rep), seed in seeds.items())
    assert all(seed is not None and 0 <= seed < 2**31 for seed in seeds.values())


async def test_shards_are_disjoint_and_together_whole(batch: Batch, tmp_path: Path) -> None:
    file = questions(tmp_path / "q.jsonl", 30)
    counts = [(await batch.run(file, shard=Shard(i, 3))).generated for i in range(3)]
    assert sum(counts) == 30
    assert min(counts) > 0
    assert set(pairs(batch.rollouts()).values()) == {1}


async def test_bad_and_repeated_lines_are_named_and_the_rest_is_asked(batch: Batch, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    good = json.dumps({"question": "What to give for asthma?"})
    lines = [good, "{", json.dumps({"question": "  "}), json.dumps({"text": "no question"}), "[]", "", good]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    summary = await batch.run(file)
    assert summary.generated == 1
    assert [bad.line for bad in summary.bad_lines] == [2, 3, 4, 5]
    assert summary.repeated_lines == 1
    text = "\n".join(summary.lines())
    assert "bad line   4: question: Field required" in text


async def test_runs_lost_to_an_outage_are_made_again_and_never_kept_twice(batch: Batch, tmp_path: Path) -> None:
    by_turn = ByTurn()
    calls = 0

    def reply(request: CompletionRequest) -> Reply:
        nonlocal calls
        calls += 1
        return Reply(error=ModelUnavailableError("gone")) if calls in (2, 3, 7) else Reply(text=by_turn(request))

    summary = await batch.run(questions(tmp_path / "q.jsonl", 6), client=ScriptedModel([reply]))
    kept = batch.rollouts()
    assert (summary.generated, summary.owed) == (6, 0)
    assert set(pairs(kept).values()) == {1}
    assert all(not rollout.outcome.failures for rollout in kept)


class _Away(ScriptedModel):
    """A server that is gone and does not come back."""

    def __init__(self) -> None:
        super().__init__([Reply(error=ModelUnavailableError("gone"))])

    async def ready(self) -> bool:
        return False


async def test_a_server_that_stays_away_stops_the_batch_and_nothing_is_lost(batch: Batch, tmp_path: Path) -> None:
    file = questions(tmp_path / "q.jsonl", 5)
    with pytest.raises(BatchError, match="same command"):
        await batch.run(file, client=_Away())
    assert batch.rollouts() == []
    assert (await batch.run(file)).generated == 5


async def test_a_question_that_always_loses_the_server_is_left_owed(batch: Batch, tmp_path: Path) -> None:
    by_turn = ByTurn()

    def reply(request: CompletionRequest) -> Reply:
        poison = any("case 2?" in message.content for message in request.messages)
        return Reply(error=ModelUnavailableError("gone")) if poison else Reply(text=by_turn(request))

    summary = await batch.run(questions(tmp_path / "q.jsonl", 5), client=ScriptedModel([reply]))
    assert (summary.generated, summary.owed) == (4, 1)


async def test_other_failures_of_the_model_are_data(batch: Batch, tmp_path: Path) -> None:
    broken = ScriptedModel([Reply(error=ModelStatusError(400))])
    summary = await batch.run(questions(tmp_path / "q.jsonl", 3), client=broken)
    assert summary.generated == 3
    assert summary.failures == {"model_status": 3}


async def test_a_full_disk_stops_the_batch_with_a_sentence(batch: Batch, tmp_path: Path) -> None:
    class Full:
        def append(self, rollout: Rollout) -> None:
            raise JournalError("no space left")

    with pytest.raises(BatchError, match="Free some space"):
        await batch.run(questions(tmp_path / "q.jsonl", 3), journal=Full())


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_file(batch: Batch, tmp_path: Path) -> None:
    """200 askings are in flight two at a time; what is held afterwards is not a record for each."""
    file = questions(tmp_path / "q.jsonl", 200)
    # Each once before, so that word lists, tables and caches are what they will be.
    await batch.run(file, BatchSettings(concurrency=2), client=_Forgetful())
    written_before = sum(path.stat().st_size for path in batch.output.glob("rollouts-*.jsonl"))
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        await batch.run(file, BatchSettings(concurrency=2, repetitions=2), client=_Forgetful())
        gc.collect()  # what only waits to be collected is not held, and how much does is chance
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    written = sum(path.stat().st_size for path in batch.output.glob("rollouts-*.jsonl")) - written_before
    assert written > 600_000
    assert held < written / 3


class _Forgetful(ScriptedModel):
    """Keeps no requests, so that only the batch's own memory is seen."""

    def __init__(self) -> None:
        super().__init__([ByTurn()])

    async def _next(self, request: CompletionRequest, timeout_s: float) -> Reply:
        reply = await super()._next(request, timeout_s)
        self.requests.clear()
        return reply


@pytest.mark.slow
def test_killed_twenty_times_nothing_is_lost_torn_or_made_twice(tmp_path: Path) -> None:
    """SIGKILL at random moments; each time what was finished stays, and the last call makes what is owed."""
    file, output = questions(tmp_path / "q.jsonl", 150), tmp_path / "rollouts"
    seconds = random.Random(20261121)
    seen: set[tuple[str, int]] = set()
    killed = 0
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, str(CHILD), str(file), str(output), "10"]
    while killed < KILLS:
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"begun\n"
            try:
                child.wait(timeout=seconds.uniform(0.02, 0.6))
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
        assert child.returncode == -signal.SIGKILL, "the batch ended before it could be killed twenty times"
        killed += 1
        now = pairs(read_journal(output))
        assert set(now.values()) <= {1}, "an asking was recorded twice"
        assert seen <= set(now), "a finished record was lost"
        seen = set(now)
    assert 0 < len(seen) < 1500
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment, timeout=300)
    final = pairs(read_journal(output))
    assert set(final.values()) == {1}
    assert len(final) == 1500
