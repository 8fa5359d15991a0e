"""Runs made with different settings do not end up in one directory, and a shard has one writer."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from agent.batch import ALL_SHARDS, BatchError, BatchPlan, Shard, hold_plan

PLAN = BatchPlan(
    model="m",
    adapter=None,
    policy="model",
    seed=0,
    prompt_sha256="p",
    sources_sha256="s",
    index_version="i",
    home_region=None,
    agent={"temperature": 0.7, "call_timeout_s": 30.0, "budget": {"steps": 6, "wall_clock_s": 60.0}},
)


def test_the_same_settings_go_on(tmp_path: Path) -> None:
    for _ in range(2):
        with hold_plan(tmp_path / "out", PLAN, ALL_SHARDS):
            pass


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    with hold_plan(tmp_path, PLAN, ALL_SHARDS):
        pass
    other = PLAN.model_copy(update={"agent": {**PLAN.agent, "temperature": 0.0}})
    with pytest.raises(BatchError, match=r"temperature 0\.7 and not 0\.0"), hold_plan(tmp_path, other, ALL_SHARDS):
        pass


def test_a_shard_has_one_writer_and_other_shards_are_free(tmp_path: Path) -> None:
    with hold_plan(tmp_path, PLAN, Shard(0, 2)):
        with (
            pytest.raises(BatchError, match=rf"Another process \({os.getpid()} on"),
            hold_plan(tmp_path, PLAN, Shard(0, 2)),
        ):
            pass
        with hold_plan(tmp_path, PLAN, Shard(1, 2)):
            pass


def test_a_slower_machine_with_more_time_goes_on(tmp_path: Path) -> None:
    with hold_plan(tmp_path, PLAN, ALL_SHARDS):
        pass
    patient = {"temperature": 0.7, "call_timeout_s": 600.0, "budget": {"steps": 6, "wall_clock_s": 900.0}}
    with hold_plan(tmp_path, PLAN.model_copy(update={"agent": patient}), ALL_SHARDS):
        pass
    longer = PLAN.model_copy(update={"agent": {**patient, "budget": {"steps": 9, "wall_clock_s": 60.0}}})
    with pytest.raises(BatchError, match="budget"), hold_plan(tmp_path, longer, ALL_SHARDS):
        pass


def test_parts_of_two_divisions_do_not_run_together_for_they_overlap(tmp_path: Path) -> None:
    other = pytest.raises(BatchError, match="in 2 shards, and not in 3")
    with hold_plan(tmp_path, PLAN, Shard(0, 2)), other, hold_plan(tmp_path, PLAN, Shard(1, 3)):
        pass
    with hold_plan(tmp_path, PLAN, Shard(1, 3)), hold_plan(tmp_path, PLAN, Shard(2, 3)):
        pass


def test_a_shard_whose_writer_is_just_ending_is_waited_for(tmp_path: Path) -> None:
    held, ended = threading.Event(), threading.Event()

    def writer() -> None:
        with hold_plan(tmp_path, PLAN, ALL_SHARDS):
            held.set()
            ended.wait(10)

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        assert held.wait(10)
        threading.Timer(0.2, ended.set).start()
        with hold_plan(tmp_path, PLAN, ALL_SHARDS, wait_s=10):
            assert ended.is_set()
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("text", ["4/4", "1", "-1/2", "0/0", "a/b", ""])
def test_a_shard_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(BatchError, match="A shard is written i/n"):
        Shard.parse(text)
