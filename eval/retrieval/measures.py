"""Measures of one ranking against the judgements of its query.

    nDCG@k   = DCG@k / ideal DCG@k,   DCG@k = sum over ranks i = 1 .. k of gain(i) / log2(i + 1)
               Järvelin, Kekäläinen: "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002, with
               the discount that trec_eval's `ndcg_cut` uses. The gain is the judgement itself (linear), as there
               and in BEIR, so figures compare with published ones; 2^grade - 1 is another measure.
    Recall@k = relevant passages in the first k / all relevant passages
    MRR@k    = 1 / rank of the first relevant passage, 0 where none is in the first k
    judged@k = share of the first k that has any judgement: where it is low, the other figures are lower bounds

Relevant means a grade of at least the set's threshold. A passage without a judgement counts as not relevant.
Pure functions; nothing here knows of questions, texts or systems.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

Measure = Literal["ndcg@10", "recall@5", "recall@20", "recall@100", "mrr@10", "judged@10"]
MEASURES: tuple[Measure, ...] = get_args(Measure)

#: How far down a ranking any measure looks.
DEPTH = 100

#: Grades by passage id; above 0 means some use, absent means not judged.
Grades = Mapping[str, int]


def ndcg(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """nDCG@k, 0 .. 1.

    Args:
        ranking: passage ids, best first, without repeats.
        grades: judgements of this query; grades below 0 gain nothing.
        k: how many of the ranking count, at least 1.

    Raises:
        ValueError: the ranking repeats a passage, `k` is below 1, or no grade is above 0 (then nothing is ideal).
    """
    _check(ranking, k)
    ideal = _dcg(sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k])
    if ideal == 0:
        raise ValueError("nDCG needs a judgement above 0")
    # A perfect ranking may come out above 1 by a rounding error of the last digit.
    return min(1.0, _dcg([max(0, grades.get(item, 0)) for item in ranking[:k]]) / ideal)


def recall(ranking: Sequence[str], relevant: frozenset[str], k: int) -> float:
    """Recall@k, 0 .. 1. Raises ValueError as `ndcg`, and where nothing is relevant."""
    _check(ranking, k)
    if not relevant:
        raise ValueError("recall needs a relevant passage")
    return sum(item in relevant for item in ranking[:k]) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: frozenset[str], k: int) -> float:
    """Reciprocal rank at k, 0 .. 1; its mean over queries is MRR@k. Raises ValueError as `ndcg`."""
    _check(ranking, k)
    return next((1 / rank for rank, item in enumerate(ranking[:k], start=1) if item in relevant), 0.0)


def judged(ranking: Sequence[str], grades: Grades, k: int) -> float:
    """Share of the first k (of those there are) with a judgement, 0 .. 1; 0 for an empty ranking."""
    _check(ranking, k)
    first = ranking[:k]
    return sum(item in grades for item in first) / len(first) if first else 0.0


def all_measures(ranking: Sequence[str], grades: Grades, relevant_from: int) -> dict[Measure, float]:
    """Every measure of one query.

    Args:
        ranking: passage ids, best first, without repeats.
        grades: judgements of this query.
        relevant_from: the lowest grade that recall and MRR count as relevant, at least 1.

    Raises:
        ValueError: no passage has that grade, or the ranking repeats a passage.
    """
    relevant = relevant_passages(grades, relevant_from)
    return {
        "ndcg@10": ndcg(ranking, grades, 10),
        "recall@5": recall(ranking, relevant, 5),
        "recall@20": recall(ranking, relevant, 20),
        "recall@100": recall(ranking, relevant, 100),
        "mrr@10": reciprocal_rank(ranking, relevant, 10),
        "judged@10": judged(ranking, grades, 10),
    }


def relevant_passages(grades: Grades, relevant_from: int) -> frozenset[str]:
    """Passages judged at least `relevant_from` (at least 1)."""
    if relevant_from < 1:
        raise ValueError("the threshold of relevance must be at least 1")
    return frozenset(item for item, grade in grades.items() if grade >= relevant_from)


def _dcg(gains: Sequence[int]) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def _check(ranking: Sequence[str], k: int) -> None:
    if k < 1:
        raise ValueError("k must be at least 1")
    if len(set(ranking)) != len(ranking):
        raise ValueError("a ranking holds a passage twice")
