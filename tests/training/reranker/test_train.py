"""If these fail, a stopped training run starts anew or ends with other weights, or learns to prefer wrong answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from retrieval.reranking import BaseModel, CrossEncoderReranker, save_adapter
from training.reranker import CheckpointError, Group, RerankerConfig, StepReport
from training.reranker.schedule import Schedule, schedule
from training.reranker.train import METRICS, listwise_loss, train

_CONFIG = RerankerConfig(rank=4, alpha=8, trained_tokens=48, groups_per_step=2, checkpoint_steps=1, learning_rate=2e-3)


def test_the_loss_is_least_where_scores_follow_the_gains() -> None:
    right = listwise_loss(torch.tensor([5.0, 2.0, -9.0]), (3, 1, 0))
    wrong = listwise_loss(torch.tensor([-9.0, 2.0, 5.0]), (3, 1, 0))
    best = -(7 / 8 * torch.log(torch.tensor(7 / 8)) + 1 / 8 * torch.log(torch.tensor(1 / 8)))
    at_gains = listwise_loss(torch.log(torch.tensor([7.0, 1.0, 1e-9])), (3, 1, 0))
    assert right < wrong
    assert float(at_gains) == pytest.approx(float(best), abs=1e-4)


def plan() -> Schedule:
    held = [
        Group(origin="medquad", question=f"what is a {word}?", passages=(f"a {word} is {word}", "rain"), grades=(0, 3))
        for word in ("spoon", "fork", "knife", "plate")
    ]
    return schedule(held, (), _CONFIG)


@pytest.mark.slow
def test_a_run_learns_stops_goes_on_and_its_adapter_scores_as_trained(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    one = train(plan(), BaseModel(), _CONFIG, whole, data_hash="x")[0]

    class StoppedError(Exception):
        pass

    def stop(_: StepReport) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        train(plan(), BaseModel(), _CONFIG, parts, data_hash="x", report=stop)
    with pytest.raises(CheckpointError, match="other data"):
        train(plan(), BaseModel(), _CONFIG, whole, data_hash="y")
    two, _ = train(plan(), BaseModel(), _CONFIG, parts, data_hash="x")
    assert (whole / METRICS).read_text().count("\n") == 2
    # The stopped step was not checkpointed, so it is made again.
    assert one.keys() == two.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], rtol=1e-2, atol=1e-3)

    folder = tmp_path / "adapter"
    save_adapter(
        folder,
        one,
        name="t",
        rank=4,
        alpha=8,
        max_tokens=48,
        weight=1.0,
        weight_chosen_on="x",
        candidates=2,
        helps=False,
        data_sha256="0" * 64,
        counts={},
        config={},
        training_s=0.0,
    )
    trained = CrossEncoderReranker(folder).score("what is a spoon?", ["a spoon is spoon", "rain"])
    untrained = BaseModel().network()
    with torch.inference_mode():
        inputs = BaseModel().tokenise(["what is a spoon?"] * 2, ["a spoon is spoon", "rain"], 48)
        before = untrained(**inputs).tolist()
    # Trained to prefer the rain, it does so more than before.
    assert trained[1] - trained[0] > before[1] - before[0]
