"""Worst-at-k: what is left of a score when the worst of k answers to a question counts.

Arora et al.: "HealthBench", arXiv 2505.08775, section 6.4: the mean, over all subsets of k of the N answers to a
problem, of the smallest score; then the mean over problems. The subsets need not be enumerated: with the scores in
ascending order the i-th is the smallest of C(N - i, k - 1) subsets. Of scores 0 and 1 it is pass^k = C(c, k) / C(N, k).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from eval.agent.report import Curve
from eval.retrieval.bootstrap import Interval, mean_interval, paired_difference
from eval.retrieval.report import Estimate

#: Scores of the answers to one problem, in any order; every problem has as many.
Problems = Sequence[Sequence[float]]


def worst_at_k(scores: Sequence[float], k: int) -> float:
    """The unbiased estimate for one problem from its N scores.

    Raises:
        ValueError: k is not within 1 .. N.
    """
    n = len(scores)
    if not 1 <= k <= n:
        raise ValueError(f"k must lie between 1 and the {n} answers of a problem")
    smallest = sum(comb(n - i, k - 1) * score for i, score in enumerate(sorted(scores), start=1) if n - i >= k - 1)
    return smallest / comb(n, k)


def curves(models: Sequence[Problems]) -> tuple[Curve, ...]:
    """The curve of each model with bootstrap intervals over problems, and its differences.

    Args:
        models: for each model its scores, problem by problem in the same order.

    Raises:
        ValueError: there is no problem, or the models have different ones.
    """
    values = [_by_k(problems) for problems in models]
    made = []
    for place, by_k in enumerate(values):
        made.append(
            Curve(
                values=tuple(_estimate(mean_interval(column)) for column in by_k),
                minus_first=_minus(by_k, values[0]) if place else None,
                minus_previous=_minus(by_k, values[place - 1]) if place else None,
            )
        )
    return tuple(made)


def _by_k(problems: Problems) -> list[list[float]]:
    """For each k its value of every problem."""
    n = min((len(scores) for scores in problems), default=0)
    return [[worst_at_k(scores, k) for scores in problems] for k in range(1, n + 1)]


def _minus(values: Sequence[Sequence[float]], others: Sequence[Sequence[float]]) -> tuple[Estimate, ...]:
    pairs = zip(values, others, strict=True)
    return tuple(_estimate(paired_difference(column, other)) for column, other in pairs)


def _estimate(interval: Interval) -> Estimate:
    return Estimate(mean=interval.mean, low=interval.low, high=interval.high)
