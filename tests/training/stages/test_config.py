"""If these fail, a stage trains with settings nobody wrote down."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.stages import Stage, TrainingConfigError, read_stage_config


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_ships_its_config(stage: Stage) -> None:
    config = read_stage_config(stage)
    assert config.learning_rate < 1e-2
    assert (config.earlier_share > 0) == (stage is Stage.SELFDISTILL)


def test_later_stages_learn_more_slowly_than_the_first() -> None:
    rates = [read_stage_config(stage).learning_rate for stage in Stage]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("text", ["learning_rate = 2", "rank = 8", "learning_rate = 1e-4\nraink = 8", "[["])
def test_a_config_that_cannot_be_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(TrainingConfigError, match=r"own\.toml"):
        read_stage_config(Stage.SFT, path)


def test_what_does_not_decide_the_weights_is_not_of_the_run() -> None:
    one = read_stage_config(Stage.SFT)
    other = one.model_copy(update={"threads": 7, "checkpoint_minutes": 9.0})
    assert one.of_the_run() == other.of_the_run()
    assert one.of_the_run() != one.model_copy(update={"seed": 1}).of_the_run()
