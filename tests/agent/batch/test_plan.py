"""Runs made with different settings do not end up in one directory, and a shard has one writer."""

from __future__ import annotations

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
    agent={"temperature": 0.7},
)


def test_the_same_settings_go_on(tmp_path: Path) -> None:
    for _ in range(2):
        with hold_plan(tmp_path / "out", PLAN, ALL_SHARDS):
            pass


def test_other_settings_are_refused_and_named(tmp_path: Path) -> None:
    with hold_plan(tmp_path, PLAN, ALL_SHARDS):
        pass
    other = PLAN.model_copy(update={"agent": {"temperature": 0.0}})
    with pytest.raises(BatchError, match=r"temperature 0\.7 and not 0\.0"), hold_plan(tmp_path, other, ALL_SHARDS):
        pass


def test_a_shard_has_one_writer_and_other_shards_are_free(tmp_path: Path) -> None:
    with hold_plan(tmp_path, PLAN, Shard(0, 2)):
        with pytest.raises(BatchError, match="Another process"), hold_plan(tmp_path, PLAN, Shard(0, 2)):
            pass
        with hold_plan(tmp_path, PLAN, Shard(1, 2)):
            pass


@pytest.mark.parametrize("text", ["4/4", "1", "-1/2", "0/0", "a/b", ""])
def test_a_shard_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(BatchError, match="A shard is written i/n"):
        Shard.parse(text)
