"""If these fail, a stopped training run starts anew or ends with other weights, or learns to prefer wrong answers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.reranking import BaseModel, CrossEncoderReranker, read_card, save_adapter
from training.reranker import CheckpointError, Group, RerankerConfig, StepReport
from training.reranker.low_rank import LowRank, add_low_rank
from training.reranker.schedule import Step, schedule
from training.reranker.train import METRICS, group_loss, learning_rate_share, train

_CONFIG = RerankerConfig(
    rank=4, alpha=8, trained_tokens=48, groups_per_step=2, checkpoint_steps=1, learning_rate=2e-3, warmup_share=0
)


def test_the_loss_is_least_where_scores_follow_the_gains() -> None:
    none = torch.tensor(-20.0)
    right = group_loss(torch.tensor([5.0, 2.0, -9.0]), none, (3, 1, 0))
    wrong = group_loss(torch.tensor([-9.0, 2.0, 5.0]), none, (3, 1, 0))
    best = -(7 / 8 * torch.log(torch.tensor(7 / 8)) + 1 / 8 * torch.log(torch.tensor(1 / 8)))
    at_gains = group_loss(torch.log(torch.tensor([7.0, 1.0, 1e-9])), none, (3, 1, 0))
    assert right < wrong
    assert float(at_gains) == pytest.approx(float(best), abs=1e-4)


@settings(deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=8), st.floats(-20, 20))
def test_of_a_question_that_nothing_answers_the_rest_should_win(scores: list[float], none: float) -> None:
    held = torch.tensor(scores, requires_grad=True)
    rest = torch.tensor(none, requires_grad=True)
    loss = group_loss(held, rest, [0] * len(scores))
    expected = -torch.log_softmax(torch.tensor([*scores, none]), dim=0)[-1]
    assert float(loss.detach()) == pytest.approx(float(expected), abs=1e-4)
    loss.backward()  # type: ignore[no-untyped-call]
    assert held.grad is not None
    assert rest.grad is not None
    assert rest.grad <= 0
    assert (held.grad >= 0).all()


def test_an_answered_question_pushes_the_rest_down() -> None:
    none = torch.tensor(3.0, requires_grad=True)
    group_loss(torch.tensor([1.0, 0.0]), none, (3, 0)).backward()  # type: ignore[no-untyped-call]
    assert none.grad is not None
    assert none.grad > 0


@settings(deadline=None)
@given(st.integers(1, 400))
def test_the_learning_rate_rises_to_all_and_falls_to_its_floor(steps: int) -> None:
    config = RerankerConfig()
    shares = [learning_rate_share(step, steps, config) for step in range(steps)]
    peak = shares.index(max(shares))
    assert max(shares) == 1
    assert shares[:peak] == sorted(shares[:peak])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)
    assert min(shares[peak:]) >= 0.05
    assert min(shares) > 0


def test_an_update_starts_at_nothing_and_is_what_the_adapter_adds() -> None:
    torch.manual_seed(0)
    made = LowRank(3, 5, rank=2, alpha=4)
    weight = torch.randn(3, 5)
    assert torch.equal(made(weight), weight)
    with torch.no_grad():
        made.up.normal_()
    torch.testing.assert_close(made(weight), weight + 4 / 2 * (made.up @ made.down))


def test_only_the_updates_of_named_layers_are_trained() -> None:
    encoder = torch.nn.Module()
    encoder.query, encoder.other = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
    updates = add_low_rank(encoder, rank=2, alpha=4)
    assert list(updates) == ["query"]
    trained = {name: p for name, p in encoder.named_parameters() if p.requires_grad}
    assert {id(p) for p in trained.values()} == {id(updates["query"].down), id(updates["query"].up)}


def steps() -> tuple[Step, ...]:
    held = [
        Group(origin="written", question=f"what is a {word}?", passages=(f"a {word} is {word}", "rain"), grades=(0, 3))
        for word in ("spoon", "fork", "knife")
    ]
    nothing = Group(origin="real", question="what is a plate?", passages=("a fork", "snow"), grades=(0, 0))
    return schedule([*held, nothing], _CONFIG)


@pytest.mark.slow
def test_a_run_learns_stops_goes_on_and_its_adapter_scores_as_trained(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    told: list[StepReport] = []
    one = train(steps(), BaseModel(), _CONFIG, whole, data_hash="x", report=told.append)
    assert [report.step for report in told] == [1, 2]
    assert one.none_score == told[-1].none_score != _CONFIG.none_start

    class StoppedError(Exception):
        pass

    def stop(_: StepReport) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        train(steps(), BaseModel(), _CONFIG, parts, data_hash="x", report=stop)
    with pytest.raises(CheckpointError, match="other data"):
        train(steps(), BaseModel(), _CONFIG, whole, data_hash="y")
    two = train(steps(), BaseModel(), _CONFIG, parts, data_hash="x")
    # The stopped step was not checkpointed, so it is made again.
    assert (parts / METRICS).read_text().count("\n") == 3
    again = train(steps(), BaseModel(), _CONFIG, whole, data_hash="x")
    for other in (two, again):
        assert one.weights.keys() == other.weights.keys()
        for name, value in one.weights.items():
            torch.testing.assert_close(value, other.weights[name], rtol=1e-2, atol=1e-3)
        assert other.none_score == pytest.approx(one.none_score, abs=1e-3)
    (whole / "checkpoint.pt").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="cannot be read"):
        train(steps(), BaseModel(), _CONFIG, whole, data_hash="x")

    folder = tmp_path / "adapter"
    save_adapter(
        folder,
        one.weights,
        name="t",
        rank=4,
        alpha=8,
        max_tokens=48,
        none_score=one.none_score,
        weight=1.0,
        weight_chosen_on="x",
        candidates=2,
        helps=False,
        data_sha256="0" * 64,
        counts={},
        config={},
        training_s=0.0,
    )
    assert read_card(folder).none_score == one.none_score
    trained = CrossEncoderReranker(folder).score("what is a spoon?", ["a spoon is spoon", "rain"])
    untrained = BaseModel().network()
    with torch.inference_mode():
        inputs = BaseModel().tokenise(["what is a spoon?"] * 2, ["a spoon is spoon", "rain"], 48)
        before = untrained(**inputs).tolist()
    # Trained to prefer the rain, it does so more than before.
    assert trained[1] - trained[0] > before[1] - before[0]
