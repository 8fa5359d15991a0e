"""If these fail, the card beside an adapter says less, or something else, than was measured."""

from __future__ import annotations

import pytest

from retrieval.reranking import AdapterCard, SetFigure
from training.reranker import RerankerConfig, card_text, kept


def card(*, helps: bool = True) -> AdapterCard:
    return AdapterCard(
        name="small",
        base="base",
        base_sha256="a" * 64,
        adapter_sha256="b" * 64,
        text_version="1",
        rank=4,
        alpha=8,
        max_tokens=64,
        kept_share=0.5,
        weight=0.25,
        weight_chosen_on="spoons-dev",
        candidates=20,
        figures=(
            SetFigure(name="spoons", queries=31, without=0.5, reranked=0.52, difference=0.02, low=-0.01, high=0.05),
        ),
        helps=helps,
        data_sha256="c" * 64,
        counts={"groups from medquad": 7},
        config=RerankerConfig().model_dump(),
        training_s=61.0,
    )


def test_it_names_hashes_choices_figures_counts_and_settings() -> None:
    text = card_text(card())
    for part in (
        "a" * 64,
        "b" * 64,
        "c" * 64,
        "50% of what was learnt",
        "0.25 z(reranker's score)",
        "spoons-dev",
        "| spoons | 31 | 0.500 | 0.520 | +0.020 (-0.010 to +0.050) |",
        "| groups from medquad | 7 |",
        f"| seed | {RerankerConfig().seed} |",
        "61\nseconds on 1 thread(s)",
    ):
        assert part in text


def test_it_says_plainly_that_it_did_not_help() -> None:
    assert "it did not help" in card_text(card(helps=False))
    assert "it did not help" not in card_text(card())


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_is_kept_scales_every_update_and_the_learnt_part_of_the_score(share: float) -> None:
    weights = {"layer.lora_A": 2.0, "layer.lora_B": 4.0, "head.first.weight": 3.0, "head.last.weight": 5.0}
    assert kept(weights, share) == {**weights, "layer.lora_B": 4.0 * share, "head.last.weight": 5.0 * share}
