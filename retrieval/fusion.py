"""Reciprocal rank fusion: one ranking out of several, by ranks alone.

    score(p) = sum over rankings r that hold p of w(r) / (k + rank of p in r),  ranks from 1, k = 60, w = 1

Cormack, Clarke, Büttcher: "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
Methods", SIGIR 2009, which also gives k = 60. A pure function on the legs: it is done here and not in
the search engine so that the ranking rule is the same on every store. Equal scores are ordered by
passage id; sums are exact (`math.fsum`), so the order of the rankings cannot matter.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from retrieval.documents import PassageId

RRF_K = 60


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[PassageId]], *, k: int = RRF_K, weights: Sequence[float] | None = None
) -> list[tuple[PassageId, float]]:
    """Fuse rankings, each best first and without repeats; `weights` has one value in (0, 1] per ranking.

    Returns:
        Every passage that stands in any ranking with its score, in (0, len(rankings) / (k + 1)], best first.

    Raises:
        ValueError: `k` is negative, a ranking holds a passage twice, or a weight is out of range or missing.
    """
    if k < 0:
        raise ValueError("k must not be negative")
    if weights is None:
        weights = [1.0] * len(rankings)
    if len(weights) != len(rankings) or not all(0 < weight <= 1 for weight in weights):
        raise ValueError("there must be one weight in (0, 1] for each ranking")
    parts: defaultdict[PassageId, list[float]] = defaultdict(list)
    for ranking, weight in zip(rankings, weights, strict=True):
        if len(set(ranking)) != len(ranking):
            raise ValueError("a ranking holds a passage twice")
        for rank, passage_id in enumerate(ranking, start=1):
            parts[passage_id].append(weight / (k + rank))
    fused = [(passage_id, math.fsum(values)) for passage_id, values in parts.items()]
    return sorted(fused, key=lambda item: (-item[1], item[0]))
