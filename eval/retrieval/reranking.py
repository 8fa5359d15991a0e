"""What the rerank stage adds on a question set.

Every candidate is scored once and then ordered with and without the stage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.retrieval.bootstrap import Interval, paired_difference
from eval.retrieval.indexed import IndexedSet, Report, indexed
from eval.retrieval.measures import DEPTH, Grades, ndcg, reciprocal_rank
from eval.retrieval.question_set import QuestionSet
from retrieval import (
    Encoder,
    HybridSearcher,
    PassageKind,
    Reranker,
    RerankSettings,
    SearchRequest,
    SearchSettings,
    store_backend,
)
from retrieval.reranking import mixed_order, reranked_text

_CUT = 10
#: Of a ranking of passages and the grades of those that are relevant, best first.
Measure = Callable[[Sequence[str], Grades], float]


def ndcg_at_10(ranking: Sequence[str], grades: Grades) -> float:
    """nDCG@10."""
    return ndcg(ranking, grades, _CUT)


def first_at_10(ranking: Sequence[str], grades: Grades) -> float:
    """1 / rank of the first relevant passage of ten, 0 where none is: what counts where any of many is as good."""
    return reciprocal_rank(ranking, frozenset(id for id, grade in grades.items() if grade > 0), _CUT)


@dataclass(frozen=True, slots=True)
class ScoredCandidates:
    """The first passages of one query, best first by the first stage, and what the reranker says of its candidates."""

    passages: tuple[str, ...]
    first: tuple[float, ...]
    #: The reranker's score of each candidate, by its place (from 0).
    scores: Mapping[int, float]


def scored_candidates(
    collection: IndexedSet,
    reranker: Reranker,
    settings: RerankSettings,
    report: Report = lambda _stage, _done, _total: None,
) -> tuple[ScoredCandidates, ...]:
    """Score the candidates of the product's search for every query of the set, of whatever source they are.

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
        hits = searcher.search(SearchRequest(queries=(query.text,), limit=settings.depth)).hits
        taken = settings.candidates_of([hit.passage.kind is PassageKind.RECOMMENDATION for hit in hits])
        scores = reranker.score(query.text, [reranked_text(hits[at].passage) for at in taken])
        found.append(
            ScoredCandidates(
                tuple(hit.passage.id for hit in hits),
                tuple(hit.score for hit in hits),
                dict(zip(taken, scores, strict=True)),
            )
        )
        report("reranking", number, len(queries))
    return tuple(found)


def values(
    collection: IndexedSet, scored: Sequence[ScoredCandidates], weight: float, measure: Measure = ndcg_at_10
) -> tuple[float, ...]:
    """The measure of every query with this weight of the reranker; weight 0 is the first stage alone."""
    return tuple(
        measure([one.passages[at] for at in mixed_order(one.first, one.scores, weight)], query.grades)
        for query, one in zip(collection.question_set.queries, scored, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Gain:
    """The mean of a measure without and with a part of the search, and the paired difference."""

    without: float
    improved: float
    difference: Interval


def gain_of(with_stage: Sequence[float], without: Sequence[float]) -> Gain:
    """From the values of each question."""
    count = len(without)
    return Gain(math.fsum(without) / count, math.fsum(with_stage) / count, paired_difference(with_stage, without))


def measured_gain(
    question_set: QuestionSet,
    reranker: Reranker,
    encoder: Encoder,
    folder: Path,
    settings: RerankSettings,
    report: Report,
    measure: Measure = ndcg_at_10,
) -> Gain:
    """What the stage adds on the set with these settings.

    Raises:
        RetrievalError: the search or the reranker failed.
    """

    def tell(stage: str, done: int, total: int) -> None:
        report(f"{question_set.name}: {stage}", done, total)

    with indexed(question_set, folder, encoder=encoder, store=store_backend("exact"), report=tell) as collection:
        scored = scored_candidates(collection, reranker, settings, tell)
        with_stage, without = (values(collection, scored, weight, measure) for weight in (settings.weight, 0.0))
    return gain_of(with_stage, without)
