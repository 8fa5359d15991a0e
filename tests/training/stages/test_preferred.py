"""If these fail, preference training learns from retrieved text, or is held to another model than it started from."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from training.stages import Base, Stage, StageFiles, StageRun, TrainingDataError, read_metrics, read_pairs, run_stage

from ..conftest import ByteRenderer
from .conftest import provenance, write_rows
from .test_stages import CONFIG, stage_run, weights


def traj(at: int = 0, **changes: Any) -> dict[str, Any]:
    """Both sides: two sampled tokens, three retrieved ones, two sampled ones."""
    row = {
        "prompt_ids": [5, 6, 7 + at],
        "chosen_ids": [20, 21, 90, 91, 92, 22, 23],
        "rejected_ids": [30, 31, 80, 81, 82, 32, 33],
        "chosen_mask": [1, 1, 0, 0, 0, 1, 1],
        "rejected_mask": [1, 1, 0, 0, 0, 1, 1],
        "provenance": provenance(),
    }
    return row | changes


def message_pair() -> dict[str, Any]:
    return {
        "prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "chosen": [{"role": "assistant", "content": "good"}],
        "rejected": [{"role": "assistant", "content": "bad"}],
        "provenance": provenance(),
    }


def test_both_kinds_of_rows_become_pairs(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "pairs.jsonl", [traj(), message_pair()])
    whole, reply = read_pairs(path, ByteRenderer(), 100)
    assert whole.chosen_mask == (1, 1, 0, 0, 0, 1, 1)
    assert bytes(reply.prompt_ids).decode() == "<system>s</>\n<user>u</>\n<assistant>"
    assert bytes(reply.chosen_ids).decode() == "good</>"
    assert reply.chosen_mask == (1,) * 7


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (traj(chosen_mask=[1]), "differ in number"),
        (traj(prompt_ids=list(range(99))), "106 tokens, more than max_tokens = 100"),
        (traj(rejected_mask=[0] * 7), "nothing to compare"),
        (traj(provenance=provenance(training_consent=False)), "not agreed to"),
        ({"messages": []}, "is not a row"),
        (message_pair() | {"chosen": []}, "is not a row"),
    ],
    ids=["lengths", "long", "no-loss", "consent", "format", "no-reply"],
)
def test_a_pair_that_must_not_be_trained_on_is_refused(tmp_path: Path, row: dict[str, Any], why: str) -> None:
    path = write_rows(tmp_path / "pairs.jsonl", [row])
    with pytest.raises(TrainingDataError, match=rf"pairs\.jsonl line 1.*{why}"):
        read_pairs(path, ByteRenderer(), 100)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_only_what_the_masks_name_counts() -> None:
    from training.stages.preferred import SampledOnlyCollator

    short = traj(chosen_ids=[20], chosen_mask=[1])
    batch = SampledOnlyCollator(pad_token_id=0)([traj(), short])
    counted = [
        row[mask.bool()].tolist() for row, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)
    ]
    assert counted == [[20, 21, 22, 23], [20], [30, 31, 32, 33], [30, 31, 32, 33]]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("processes", [1, 2])
def test_pairs_are_learned_from_the_adapter_that_was_trained_before(
    tiny_base: Path, tmp_path: Path, processes: int
) -> None:
    import torch

    run_stage(stage_run(tiny_base, tmp_path, "sft"))
    data = write_rows(tmp_path / "pairs.jsonl", [traj(at) for at in range(16)])
    config = CONFIG.model_copy(update={"beta": 0.5, "processes": processes, "epochs": 2.0})
    files = StageFiles(data=data, output=tmp_path / "dpo", init=tmp_path / "sft", dev=data)
    run = StageRun(
        stage=Stage.DPO, files=files, base=Base(path=str(tiny_base), name="tiny", sha256="0" * 64), config=config
    )
    card = run_stage(run)
    steps = read_metrics(tmp_path / "dpo")
    # Policy and reference are the same at first: the loss is log 2 exactly there.
    assert steps[0].loss == pytest.approx(math.log(2), abs=1e-3)
    assert steps[-1].loss < steps[0].loss - 0.05
    assert steps[-1].reward_accuracy == 1.0
    assert card.init == "sft"
    assert card.init_sha256 is not None
    before, after = weights(tmp_path / "sft"), weights(tmp_path / "dpo")
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert json.loads((tmp_path / "dpo" / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
