"""Confidence intervals of a mean over queries, and of the difference of two systems on the same queries.

Percentile bootstrap: Efron, Tibshirani: "An Introduction to the Bootstrap", Chapman & Hall 1993, ch. 13. For two
systems the differences per query are resampled, which keeps the pairing: Sakai: "Evaluating Evaluation Metrics
based on the Bootstrap", SIGIR 2006; Smucker, Allan, Carterette: "A Comparison of Statistical Significance Tests
for Information Retrieval Evaluation", CIKM 2007, finds it in agreement with the randomisation and t tests.

The queries are the sample: an interval says what other queries of the same kind would give on the same passages,
nothing about another corpus. Intervals are not corrected for looking at many of them. Queries that share a
subject are treated as independent, which makes intervals somewhat too narrow for sets built that way (mediqa).

A share of things that several belong to one query (sentences, decisions) is a ratio of two sums; whole queries are
resampled, numerator and denominator together (Efron, Tibshirani, ch. 8.6: the unit drawn is the independent one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
LEVEL = 0.95
#: Fixed, so that the same rankings always give the same table.
SEED = 20261121

# Resampled indices held at once: bounds the memory at 8 bytes each.
_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its interval; `low <= mean <= high` up to rounding, in the units of the values."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside: for a difference, that the two systems clearly differ."""
        return self.low > 0 or self.high < 0


def mean_interval(
    values: Sequence[float], *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = SEED
) -> Interval:
    """The mean of `values` (one a query) with its percentile bootstrap interval.

    Raises:
        ValueError: there is no value, one is not finite, or a parameter is out of range.
    """
    if not 0 < level < 1 or resamples < 1:
        raise ValueError("the level must lie between 0 and 1, and there must be a resample")
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample) or not np.isfinite(sample).all():
        raise ValueError("a bootstrap needs finite values, at least one")
    means = _resampled_means(sample, resamples, seed)
    low, high = np.percentile(means, [50 * (1 - level), 50 * (1 + level)]).tolist()
    return Interval(float(sample.mean()), low, high)


def paired_difference(
    values: Sequence[float],
    baseline: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> Interval:
    """Mean of `values - baseline`, query by query, with its interval; above 0 where `values` is better.

    Raises:
        ValueError: as `mean_interval`, or the two were measured on different numbers of queries.
    """
    if len(values) != len(baseline):
        raise ValueError("the two systems were measured on different numbers of queries")
    differences = [value - other for value, other in zip(values, baseline, strict=True)]
    return mean_interval(differences, resamples=resamples, level=level, seed=seed)


def percentile_interval(mean: float, samples: NDArray[np.float64], level: float = LEVEL) -> Interval:
    """The interval that holds the middle `level` of resampled values; resamples that have no value (nan) are left out.

    Raises:
        ValueError: no resample has a value.
    """
    held = samples[np.isfinite(samples)]
    if not len(held):
        raise ValueError("no resample has a value")
    low, high = np.percentile(held, [50 * (1 - level), 50 * (1 + level)]).tolist()
    return Interval(mean, low, high)


@lru_cache(maxsize=1)
def resampled_counts(size: int, resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.float64]:
    """How often each of `size` queries is drawn, (resamples, size): the draws of `mean_interval`.

    The same arguments always give the same draws, which keeps systems paired that are compared one by one.
    """
    random = np.random.default_rng(seed)
    counts = np.empty((resamples, size))
    step = max(1, _BLOCK // size)
    for start in range(0, resamples, step):
        end = min(start + step, resamples)
        rows = random.integers(0, size, size=(end - start, size))
        rows += np.arange(end - start)[:, None] * size
        counts[start:end] = np.bincount(rows.ravel(), minlength=(end - start) * size).reshape(end - start, size)
    return counts


def resampled_ratios(
    numerators: NDArray[np.float64],
    denominators: NDArray[np.float64],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> NDArray[np.float64]:
    """Ratios of sums over resampled queries, (resamples, columns).

    Args:
        numerators, denominators: (queries, columns); a query that does not count has 0 in both.

    A resample whose denominators are all 0 has no value there (nan).
    """
    counts = resampled_counts(len(numerators), resamples, seed)
    over, of = counts @ numerators, counts @ denominators
    return np.divide(over, of, out=np.full_like(over, np.nan), where=of > 0)


def _resampled_means(sample: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    size = len(sample)
    step = max(1, _BLOCK // size)
    blocks = []
    for start in range(0, resamples, step):
        rows = random.integers(0, size, size=(min(step, resamples - start), size))
        blocks.append(sample[rows].mean(axis=1))
    return np.concatenate(blocks)
