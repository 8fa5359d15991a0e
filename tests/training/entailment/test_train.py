"""If these fail, a stopped training run starts anew or ends with other weights, or an adapter gives other scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import EntailmentError
from agent.gate.entailment.adapter import read_card, save_adapter
from agent.gate.entailment.decision import Decision
from agent.gate.entailment.minilm import MiniLMEntailment
from retrieval.adapter_kind import ADAPTER_FILE, CARD_FILE
from retrieval.reranking import BaseModel
from training.entailment import EntailmentConfig, Pair
from training.entailment.train import learning_rate_share, schedule, train
from training.errors import CheckpointError

CONFIG = EntailmentConfig(
    trained_tokens=32, pairs_per_step=4, epochs=2, checkpoint_steps=1, kept_layers=5, warmup_share=0
)
PAIRS = tuple(
    Pair(sentence=f"{who} rest {days} days.", premise=f"Tea. | {who} rest for {stated} days.", entailed=days == stated)
    for who in ("Bakers", "Sailors")
    for days in (2, 5)
    for stated in (2, 5)
)


@given(st.lists(st.integers(3, 200), min_size=1, max_size=200), st.integers(1, 3))
def test_each_pass_sees_each_pair_once(lengths: list[int], epochs: int) -> None:
    steps = schedule(lengths, EntailmentConfig(epochs=epochs))
    seen = sorted(at for step in steps for at in step)
    assert seen == sorted(list(range(len(lengths))) * epochs)


def test_the_learning_rate_rises_and_falls_to_nothing() -> None:
    shares = [learning_rate_share(step, 100, EntailmentConfig(warmup_share=0.1)) for step in range(101)]
    assert max(shares) == shares[9] <= 1
    assert shares[:10] == sorted(shares[:10])
    assert shares[9:] == sorted(shares[9:], reverse=True)
    assert shares[100] == 0


def saved(folder: Path, weights: Mapping[str, object]) -> Path:
    save_adapter(
        folder,
        weights,
        name="made",
        kept_layers=5,
        max_tokens=64,
        decision=Decision(),
        data_sha256="0" * 64,
        counts={},
        config={},
        training_s=1.0,
    )
    return folder


@pytest.mark.slow
def test_a_stopped_run_ends_with_the_weights_it_would_have_had_and_the_adapter_scores_alike(tmp_path: Path) -> None:
    base = BaseModel()
    whole, _ = train(PAIRS, base, CONFIG, tmp_path / "whole", data_hash="a")

    def stop(stage: str, done: int, _total: int) -> None:
        if stage.startswith("training") and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(PAIRS, base, CONFIG, tmp_path / "stopped", data_hash="a", progress=stop)
    resumed, _ = train(PAIRS, base, CONFIG, tmp_path / "stopped", data_hash="a")
    assert whole.keys() == resumed.keys()
    assert all(name.startswith(("head.", "encoder.encoder.layer.5.")) for name in whole)
    assert all(bool((whole[name] == resumed[name]).all()) for name in whole)
    with pytest.raises(CheckpointError, match="other data"):
        train(PAIRS, base, CONFIG, tmp_path / "stopped", data_hash="b")
    scores = [
        MiniLMEntailment(saved(tmp_path / name, weights)).score("Bakers rest 2 days.", [PAIRS[0].premise, "Tea. | No."])
        for name, weights in (("one", whole), ("two", resumed))
    ]
    assert scores[0] == scores[1]
    assert len(scores[0]) == 2
    assert scores[0][0] != scores[0][1]


def test_an_adapter_that_is_not_its_cards_is_refused(tmp_path: Path) -> None:
    weights, _ = train(PAIRS, BaseModel(), CONFIG, tmp_path / "run", data_hash="a")
    folder = saved(tmp_path / "adapter", weights)
    (folder / ADAPTER_FILE).write_bytes((folder / ADAPTER_FILE).read_bytes()[:-1] + b"x")
    with pytest.raises(EntailmentError, match="not the one its card describes"):
        MiniLMEntailment(folder).score("a", ["b"])
    card = read_card(folder).model_copy(update={"base_sha256": "1" * 64})
    (folder / CARD_FILE).write_text(card.model_dump_json())
    with pytest.raises(EntailmentError, match="another all-MiniLM-L6-v2"):
        MiniLMEntailment(folder).score("a", ["b"])
    (folder / CARD_FILE).write_text("{}")
    with pytest.raises(EntailmentError, match="damaged"):
        MiniLMEntailment(folder)
    with pytest.raises(EntailmentError, match="no entailment adapter"):
        MiniLMEntailment(tmp_path / "nowhere")
