"""If these fail, the same passages come back in another order for no reason a user could see."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.documents import PassageId
from retrieval.fusion import RRF_K, reciprocal_rank_fusion

ids = st.sampled_from([PassageId(f"p{n:02d}") for n in range(20)])
rankings = st.lists(st.lists(ids, unique=True, max_size=12), max_size=6)


@given(rankings, st.randoms())
def test_order_of_the_legs_does_not_matter(legs: list[list[PassageId]], random: object) -> None:
    shuffled = list(legs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert reciprocal_rank_fusion(legs) == reciprocal_rank_fusion(shuffled)


@given(rankings)
def test_scores_are_the_published_sum(legs: list[list[PassageId]]) -> None:
    for passage_id, score in reciprocal_rank_fusion(legs):
        exact = sum(Fraction(1, RRF_K + leg.index(passage_id) + 1) for leg in legs if passage_id in leg)
        assert score == pytest.approx(float(exact), rel=1e-15)


@given(rankings)
def test_every_passage_of_any_leg_comes_back_once(legs: list[list[PassageId]]) -> None:
    fused = [passage_id for passage_id, _ in reciprocal_rank_fusion(legs)]
    assert sorted(fused) == sorted({passage_id for leg in legs for passage_id in leg})


@given(rankings)
def test_best_first_and_ties_by_id(legs: list[list[PassageId]]) -> None:
    fused = reciprocal_rank_fusion(legs)
    assert fused == sorted(fused, key=lambda item: (-item[1], item[0]))


@given(rankings, st.data())
def test_moving_a_passage_up_in_one_leg_never_moves_it_down(legs: list[list[PassageId]], data: st.DataObject) -> None:
    filled = [number for number, leg in enumerate(legs) if len(leg) > 1]
    if not filled:
        return
    number = data.draw(st.sampled_from(filled))
    place = data.draw(st.integers(1, len(legs[number]) - 1))
    passage_id = legs[number][place]
    before = [item for item, _ in reciprocal_rank_fusion(legs)].index(passage_id)
    raised = list(legs[number])
    raised[place - 1], raised[place] = raised[place], raised[place - 1]
    changed = [*legs[:number], raised, *legs[number + 1 :]]
    assert [item for item, _ in reciprocal_rank_fusion(changed)].index(passage_id) <= before


@given(st.lists(ids, unique=True, max_size=12), st.integers(1, 4))
def test_legs_that_agree_keep_their_order(leg: list[PassageId], copies: int) -> None:
    assert [item for item, _ in reciprocal_rank_fusion([leg] * copies)] == leg


def test_a_passage_twice_in_one_leg_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        reciprocal_rank_fusion([[PassageId("a"), PassageId("a")]])


def test_a_negative_constant_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        reciprocal_rank_fusion([], k=-1)


def test_a_lighter_ranking_only_breaks_ties_of_a_heavier_one() -> None:
    """An untrained model's query must not push down what the clinician's own words found."""
    own, other = [PassageId("a"), PassageId("b")], [PassageId("c"), PassageId("b"), PassageId("a")]
    assert [p for p, _ in reciprocal_rank_fusion([own, other], weights=[1, 0.1])][:2] == ["a", "b"]
    assert reciprocal_rank_fusion([own, other], weights=[1, 1]) == reciprocal_rank_fusion([own, other])


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, 1.5], [1.0, float("nan")]])
def test_weights_that_make_no_sense_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="one weight"):
        reciprocal_rank_fusion([[PassageId("a")], [PassageId("b")]], weights=weights)
