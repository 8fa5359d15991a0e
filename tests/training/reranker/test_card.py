"""If these fail, the card beside an adapter says less, or something else, than was measured."""

from __future__ import annotations

import pytest

from retrieval.reranking import PACKAGED_ADAPTER, AdapterCard, SetFigure, read_card
from training.reranker import RerankerConfig, card_text, kept, kept_none_score


def figure(name: str, **fields: object) -> SetFigure:
    values = {"name": name, "queries": 31, "without": 0.5, "reranked": 0.52, "difference": 0.02}
    return SetFigure.model_validate({**values, "low": -0.01, "high": 0.05, **fields})


def card(*, helps: bool = True, none_score: float | None = 9.5) -> AdapterCard:
    return AdapterCard(
        name="small",
        base="base",
        base_sha256="a" * 64,
        adapter_sha256="b" * 64,
        text_version="1",
        rank=4,
        alpha=8,
        max_tokens=64,
        none_score=none_score,
        kept_share=0.5,
        weight=0.25,
        weight_chosen_on="spoons-dev",
        candidates=20,
        figures=(figure("spoons-dev", measure="MRR@20", chose=True), figure("spoons"), figure("forks")),
        helps=helps,
        data_sha256="c" * 64,
        counts={"groups from real questions": 7},
        config=RerankerConfig().model_dump(),
        trained_sets=("forks",),
        training_s=61.0,
    )


def test_it_names_hashes_choices_figures_counts_and_settings() -> None:
    text = card_text(card())
    for part in (
        "a" * 64,
        "b" * 64,
        "c" * 64,
        "50% of what was learnt",
        "0.25 z(reranker's score) over 20 candidates",
        'score of "none of these": 9.500',
        "| spoons-dev | MRR@20 | 31 | 0.500 | 0.520 | +0.020 (-0.010 to +0.050) | chose |",
        "| spoons | nDCG@10 | 31 | 0.500 | 0.520 | +0.020 (-0.010 to +0.050) |  |",
        "| forks | nDCG@10 | 31 | 0.500 | 0.520 | +0.020 (-0.010 to +0.050) | documents seen |",
        "guidelines-dev are trained\non",
        "| groups from real questions | 7 |",
        f"| seed | {RerankerConfig().seed} |",
        "61 seconds on 2 thread(s)",
    ):
        assert part in text


def test_what_ships_has_the_text_of_its_card() -> None:
    text = (PACKAGED_ADAPTER / "CARD.md").read_text(encoding="utf-8")
    assert text == card_text(read_card(PACKAGED_ADAPTER))


def test_it_says_plainly_that_it_is_not_used_or_learnt_no_score_of_none() -> None:
    assert "(`CLINSEARCH_RERANK=auto`): no," in card_text(card(helps=False))
    assert "(`CLINSEARCH_RERANK=auto`): yes," in card_text(card())
    assert "no score" in card_text(card(none_score=None))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_what_is_kept_scales_every_update_and_the_learnt_part_of_the_score(share: float) -> None:
    weights = {"layer.lora_A": 2.0, "layer.lora_B": 4.0, "head.first.weight": 3.0, "head.last.weight": 5.0}
    assert kept(weights, share) == {**weights, "layer.lora_B": 4.0 * share, "head.last.weight": 5.0 * share}
    assert kept_none_score(6.0, share, RerankerConfig(none_start=10)) == 10 - 4 * share
