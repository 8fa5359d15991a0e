"""Worst-at-k: the closed form is the mean over all subsets, and the curve says what it claims."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import comb
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.agent.reliability import curves, worst_at_k

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@given(SCORES, st.data())
def test_the_closed_form_is_the_mean_of_the_smallest_over_all_subsets(scores: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(scores)))
    enumerated = fmean(min(subset) for subset in combinations(scores, k))
    assert worst_at_k(scores, k) == pytest.approx(enumerated, abs=1e-12)


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_of_successes_it_is_the_chance_that_k_of_them_all_succeed(passed: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(passed)))
    expected = comb(sum(passed), k) / comb(len(passed), k)
    assert worst_at_k([float(one) for one in passed], k) == pytest.approx(expected, abs=1e-12)


@given(SCORES)
def test_it_starts_at_the_mean_ends_at_the_smallest_and_never_rises(scores: list[float]) -> None:
    curve = [worst_at_k(scores, k) for k in range(1, len(scores) + 1)]
    assert curve[0] == pytest.approx(fmean(scores))
    assert curve[-1] == pytest.approx(min(scores))
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(curve))


@pytest.mark.parametrize("k", [0, 4], ids=["none", "more than there are"])
def test_a_k_that_cannot_be_drawn_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match="k must lie between 1 and the 3 answers"):
        worst_at_k([0.0, 0.5, 1.0], k)


def test_models_are_compared_problem_by_problem() -> None:
    steady = [[1.0, 1.0], [0.0, 0.0]] * 20
    shaky = [[1.0, 0.0], [1.0, 0.0]] * 20
    first, second, third = curves([steady, shaky, shaky])
    assert [value.mean for value in first.values] == [0.5, 0.5]
    assert [value.mean for value in second.values] == [0.5, 0.0]
    assert (first.kept, second.kept) == (1.0, 0.0)
    assert first.minus_first is None
    assert second.minus_first is not None
    assert third.minus_previous is not None
    assert [value.mean for value in second.minus_first] == [0.0, -0.5]
    assert second.minus_first[1].high < 0
    assert third.minus_previous[1].low == third.minus_previous[1].high == 0


def test_a_model_that_never_succeeds_keeps_nothing_known() -> None:
    assert curves([[[0.0, 0.0]]])[0].kept is None
