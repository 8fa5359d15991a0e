"""What the query adapter adds on a question set: the product's search before its reranker, without and with it."""

from __future__ import annotations

from pathlib import Path

from eval.retrieval.indexed import IndexedSet, Report, indexed
from eval.retrieval.measures import DEPTH
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.reranking import Gain, Measure, gain_of
from retrieval import (
    AdaptedQueries,
    Encoder,
    HybridSearcher,
    QueryEncoder,
    SearchRequest,
    SearchSettings,
    store_backend,
)


def adapted_gain(
    question_set: QuestionSet,
    queries: QueryEncoder,
    encoder: Encoder,
    folder: Path,
    report: Report,
    measure: Measure,
) -> Gain:
    """What the adapter adds on the set, whatever its source.

    Raises:
        RetrievalError: the search or the adapter failed.
    """

    def tell(stage: str, done: int, total: int) -> None:
        report(f"{question_set.name}: {stage}", done, total)

    with indexed(question_set, folder, encoder=encoder, store=store_backend("exact"), report=tell) as collection:
        without = _values(collection, None, measure)
        with_adapter = _values(collection, AdaptedQueries(queries, sources=()), measure)
    return gain_of(with_adapter, without)


def _values(collection: IndexedSet, adapted: AdaptedQueries | None, measure: Measure) -> tuple[float, ...]:
    if collection.encoder is None:
        raise ValueError("the set was indexed without vectors")
    searcher = HybridSearcher(
        collection.store,
        collection.encoder,
        collection.corpus,
        settings=SearchSettings(leg_limit=DEPTH),
        table=collection.table,
        adapted=adapted,
    )
    found = []
    for query in collection.question_set.queries:
        hits = searcher.search(SearchRequest(queries=(query.text,), limit=DEPTH)).hits
        found.append(measure([hit.passage.id for hit in hits], query.grades))
    return tuple(found)
