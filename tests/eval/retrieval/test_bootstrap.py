"""If these fail, a chance difference is reported as an improvement, or a real one is missed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.retrieval.bootstrap import (
    Interval,
    mean_interval,
    paired_difference,
    percentile_interval,
    resampled_counts,
    resampled_ratios,
)

values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_the_interval_is_that_of_all_resamples_of_a_small_sample() -> None:
    """Four values have 256 resamples: the exact bootstrap distribution can be listed."""
    sample = [0.0, 0.2, 0.5, 1.0]
    exact = np.percentile([np.mean(draw) for draw in itertools.product(sample, repeat=4)], [2.5, 97.5])
    found = mean_interval(sample, resamples=40_000)
    assert found.mean == pytest.approx(0.425)
    assert [found.low, found.high] == pytest.approx(exact.tolist(), abs=0.02)


def test_for_many_values_it_is_the_textbook_interval() -> None:
    """By the central limit theorem it must be mean +- 1.96 standard errors."""
    sample = np.random.default_rng(1).normal(0.4, 0.2, size=2000)
    found = mean_interval(sample.tolist())
    error = float(sample.std() / math.sqrt(len(sample)))
    assert found.low == pytest.approx(sample.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(sample.mean() + 1.96 * error, abs=0.1 * error)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    covered = 0
    for seed in range(300):
        found = mean_interval(random.beta(2, 3, size=80).tolist(), resamples=500, seed=seed)
        covered += found.low <= 0.4 <= found.high
    assert covered / 300 == pytest.approx(0.95, abs=0.04)


def test_pairing_sees_a_small_steady_gain_that_separate_intervals_hide() -> None:
    random = np.random.default_rng(3)
    baseline = random.uniform(0, 1, size=100)
    better = (baseline + 0.02 + random.normal(0, 0.01, size=100)).tolist()
    assert paired_difference(better, baseline.tolist()).excludes_zero
    assert mean_interval(better).low < mean_interval(baseline.tolist()).high


@settings(max_examples=30, deadline=None)
@given(values)
def test_a_system_never_differs_from_itself(sample: list[float]) -> None:
    assert paired_difference(sample, sample, resamples=50) == Interval(0.0, 0.0, 0.0)


@settings(max_examples=30, deadline=None)
@given(values)
def test_an_interval_stays_within_the_values_and_is_the_same_every_time(sample: list[float]) -> None:
    found = mean_interval(sample, resamples=50)
    assert found == mean_interval(sample, resamples=50)
    assert min(sample) - 1e-12 <= found.low <= found.high <= max(sample) + 1e-12


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30))
def test_swapping_the_systems_turns_the_sign(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = paired_difference(ours, theirs, resamples=200), paired_difference(theirs, ours, resamples=200)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))


@pytest.mark.parametrize("sample", [[], [float("nan")], [float("inf"), 0.0]])
def test_values_that_mean_nothing_are_refused(sample: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mean_interval(sample)


def test_systems_measured_on_different_queries_are_not_compared() -> None:
    with pytest.raises(ValueError, match="different numbers"):
        paired_difference([0.1], [0.1, 0.2])


def test_draws_of_ratios_are_those_of_means_so_the_two_agree() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 0.25]
    counts = resampled_counts(len(values), 500)
    assert counts.sum(axis=1).tolist() == [len(values)] * 500
    samples = resampled_ratios(np.array(values)[:, None], np.ones((len(values), 1)), resamples=500)[:, 0]
    expected = mean_interval(values, resamples=500)
    found = percentile_interval(expected.mean, samples)
    assert (found.mean, found.low, found.high) == pytest.approx((expected.mean, expected.low, expected.high))


def test_a_resample_without_what_is_counted_has_no_value() -> None:
    over, of = np.array([[1.0], [0.0], [0.0]]), np.array([[2.0], [0.0], [0.0]])
    samples = resampled_ratios(over, of, resamples=200)[:, 0]
    assert np.isnan(samples).any()
    interval = percentile_interval(0.5, samples)
    assert (interval.low, interval.high) == (0.5, 0.5)
    with pytest.raises(ValueError, match="no resample has a value"):
        percentile_interval(0.0, np.array([np.nan]))
