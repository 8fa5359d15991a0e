"""Choosing the rerank stage's weight on one set, and measuring the stage on others.

Every candidate is scored once and then ordered with each weight. The set the weight was chosen on no longer measures
the stage.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.retrieval.bootstrap import Interval, paired_difference
from eval.retrieval.indexed import IndexedSet, Report, indexed
from eval.retrieval.measures import DEPTH, ndcg
from eval.retrieval.question_set import QuestionSet
from retrieval import Encoder, HybridSearcher, Reranker, SearchRequest, SearchSettings, store_backend
from retrieval.reranking import mixed_order, reranked_text

_CUT = 10


@dataclass(frozen=True, slots=True)
class ScoredCandidates:
    """The first candidates of one query with both scores, best first by the first stage."""

    passages: tuple[str, ...]
    first: tuple[float, ...]
    scores: tuple[float, ...]


def scored_candidates(
    collection: IndexedSet, reranker: Reranker, candidates: int, report: Report = lambda _stage, _done, _total: None
) -> tuple[ScoredCandidates, ...]:
    """Score the first `candidates` of the product's search for every query of the set.

    Raises:
        RetrievalError: the search or the reranker failed.
        ValueError: the set was indexed without vectors.
    """
    if collection.encoder is None:
        raise ValueError("the set was indexed without vectors")
    searcher = HybridSearcher(
        collection.store,
        collection.encoder,
        collection.corpus,
        settings=SearchSettings(leg_limit=DEPTH),
        table=collection.table,
    )
    found = []
    queries = collection.question_set.queries
    for number, query in enumerate(queries, start=1):
        hits = searcher.search(SearchRequest(queries=(query.text,), limit=candidates)).hits
        scores = reranker.score(query.text, [reranked_text(hit.passage) for hit in hits])
        found.append(
            ScoredCandidates(tuple(hit.passage.id for hit in hits), tuple(hit.score for hit in hits), tuple(scores))
        )
        report("reranking", number, len(queries))
    return tuple(found)


def ndcg_by_weight(
    collection: IndexedSet, scored: Sequence[ScoredCandidates], weights: Sequence[float], candidates: int
) -> dict[float, tuple[float, ...]]:
    """nDCG@10 of every query with each weight, reranking the first `candidates`; weight 0 is the first stage alone."""
    values: dict[float, tuple[float, ...]] = {}
    for weight in weights:
        own = []
        for query, one in zip(collection.question_set.queries, scored, strict=True):
            order = mixed_order(one.first[:candidates], one.scores[:candidates], weight)
            ranking = [one.passages[at] for at in (*order, *range(len(order), len(one.passages)))]
            own.append(ndcg(ranking, query.grades, _CUT))
        values[weight] = tuple(own)
    return values


@dataclass(frozen=True, slots=True)
class Gain:
    """nDCG@10 without and with the stage, and the paired difference."""

    without: float
    reranked: float
    difference: Interval


#: The weights that are tried; 0 leaves the fused order.
WEIGHTS = tuple(step / 10 for step in range(16))


def best_weight(
    question_set: QuestionSet, reranker: Reranker, encoder: Encoder, folder: Path, candidates: int, report: Report
) -> tuple[float, float]:
    """The weight of the best mean nDCG@10 on the set, the smallest of equal ones, and that mean.

    Raises:
        RetrievalError: the search or the reranker failed.
    """
    values = _values(question_set, reranker, encoder, folder, candidates, WEIGHTS, report)
    best = max(WEIGHTS, key=lambda weight: (math.fsum(values[weight]), -weight))
    return best, math.fsum(values[best]) / len(values[best])


def measured_gain(
    question_set: QuestionSet,
    reranker: Reranker,
    encoder: Encoder,
    folder: Path,
    candidates: int,
    weight: float,
    report: Report,
) -> Gain:
    """What the stage adds on the set with this weight.

    Raises:
        RetrievalError: the search or the reranker failed.
    """
    values = _values(question_set, reranker, encoder, folder, candidates, (0.0, weight), report)
    with_stage, without = values[weight], values[0.0]
    count = len(question_set.queries)
    return Gain(math.fsum(without) / count, math.fsum(with_stage) / count, paired_difference(with_stage, without))


def _values(
    question_set: QuestionSet,
    reranker: Reranker,
    encoder: Encoder,
    folder: Path,
    candidates: int,
    weights: Sequence[float],
    report: Report,
) -> dict[float, tuple[float, ...]]:
    def tell(stage: str, done: int, total: int) -> None:
        report(f"{question_set.name}: {stage}", done, total)

    with indexed(question_set, folder, encoder=encoder, store=store_backend("exact"), report=tell) as collection:
        scored = scored_candidates(collection, reranker, candidates, tell)
        return ndcg_by_weight(collection, scored, weights, candidates)
