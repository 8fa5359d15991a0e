"""If these fail, a run goes on from half a checkpoint, or from somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.stages import CheckpointError
from training.stages.checkpoints import hold_run, last_checkpoint, remove_checkpoints


def checkpoint(folder: Path, step: int, state: str | None) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "adapter_model.safetensors").write_bytes(b"x")
    if state is not None:
        (path / "trainer_state.json").write_text(state)
    return path


def test_the_newest_whole_checkpoint_counts_and_half_ones_go(tmp_path: Path) -> None:
    checkpoint(tmp_path, 9, "{}")
    whole = checkpoint(tmp_path, 10, "{}")
    torn = [checkpoint(tmp_path, 11, None), checkpoint(tmp_path, 12, '{"global_st')]
    assert last_checkpoint(tmp_path) == whole
    assert not any(path.exists() for path in torn)
    remove_checkpoints(tmp_path)
    assert last_checkpoint(tmp_path) is None


def test_a_folder_belongs_to_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    hold_run(folder, {"data": ["a"], "config": {"rank": 8}})
    hold_run(folder, {"data": ["a"], "config": {"rank": 8}})
    with pytest.raises(CheckpointError, match="begun with another data"):
        hold_run(folder, {"data": ["b"], "config": {"rank": 8}})
