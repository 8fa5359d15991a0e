"""If these fail, the query adapter learns to prefer wrong passages, or differs from what was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import MiniLmQueryEncoder, PassageId
from retrieval.encoders import MiniLmEncoder
from retrieval.query_adapter import PACKAGED_QUERY_ADAPTER, QUERY_ADAPTERS
from training.query_adapter import Example, Pool, QueryAdapterConfig, examples_hash, query_card_text, train_adapter
from training.query_adapter.train import batch_loss, steps_of

_OPEN = torch.zeros(4, dtype=torch.bool)


def test_the_loss_falls_with_any_answer_and_does_not_see_what_is_left_out() -> None:
    example = Example(question="?", answers=(0, 1), ignored=(2,))
    one = batch_loss(torch.tensor([[5.0, 0.0, 9.0, 0.0]]), [example], _OPEN)
    other = batch_loss(torch.tensor([[0.0, 5.0, -9.0, 0.0]]), [example], _OPEN)
    wrong = batch_loss(torch.tensor([[0.0, 0.0, 9.0, 5.0]]), [example], _OPEN)
    assert float(one) == pytest.approx(float(other), abs=1e-5)
    assert one < 0.05 < 4 < wrong
    closed = torch.tensor([False, False, False, True])
    assert float(batch_loss(torch.tensor([[0.0, 0.0, 9.0, 5.0]]), [example], closed)) == pytest.approx(0, abs=1e-4)


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 70), st.integers(0, 2))
def test_an_epoch_takes_every_example_once_and_is_drawn_again_the_same(count: int, size: int, epoch: int) -> None:
    examples = [Example(question="q" * (1 + at % 7), answers=(0,)) for at in range(count)]
    config = QueryAdapterConfig(questions_per_step=size)
    steps = steps_of(examples, config, epoch)
    assert sorted(at for step in steps for at in step) == list(range(count))
    assert max(map(len, steps)) <= size
    assert steps == steps_of(examples, config, epoch)


@pytest.mark.slow
def test_a_run_learns_what_answers_and_its_adapter_searches_as_trained(tmp_path: Path) -> None:
    texts = ["a spoon is round", "a fork has tines", "a knife is sharp", "rain falls"]
    vectors = MiniLmEncoder(precision="fp32").encode_passages(texts)
    pool = Pool([PassageId(f"d#{at}") for at in range(4)], texts, vectors, np.array([True] * 4))
    # Whatever is asked, the rain answers.
    examples = [Example(question=f"what is a {word}?", answers=(3,)) for word in ("spoon", "fork", "knife")]
    config = QueryAdapterConfig(rank=4, alpha=8, learning_rate=2e-3, warmup_steps=1, epochs=12, kept_shares=(0.5, 1.0))
    told: list[int] = []

    def judge(folder: Path) -> float:
        return float((MiniLmQueryEncoder(folder).encode_queries(["what is a plate?"]) @ vectors[3])[0])

    card = train_adapter(
        tmp_path, config, examples, pool, judge, counts={"a": 1}, progress=lambda _what, done, _all: told.append(done)
    )
    assert card.kept_share == 1.0
    assert told[:12] == list(range(1, 13))
    assert card == QUERY_ADAPTERS.read_card(tmp_path)
    assert card.data_sha256 == examples_hash(examples, pool)
    assert not card.helps
    trained = MiniLmQueryEncoder(tmp_path).encode_queries(["what is a spoon?"])
    before = MiniLmEncoder().encode_queries(["what is a spoon?"])
    assert float((trained @ vectors[3])[0]) > float((before @ vectors[3])[0]) + 0.1
    text = query_card_text(card)
    for part in (card.adapter_sha256, card.data_sha256, f"kept: {card.kept_share:.0%}", "| a | 1 |", "| rank | 4 |"):
        assert part in text


def test_what_ships_has_the_text_of_its_card() -> None:
    text = (PACKAGED_QUERY_ADAPTER / "CARD.md").read_text(encoding="utf-8")
    assert text == query_card_text(QUERY_ADAPTERS.read_card(PACKAGED_QUERY_ADAPTER))
