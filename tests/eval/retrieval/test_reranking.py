"""If these fail, the reranker's gain is measured on another ranking than the one served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.retrieval.indexed import indexed
from eval.retrieval.measures import DEPTH, ndcg
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.reranking import first_at_10, measured_gain, ndcg_at_10, scored_candidates, values
from retrieval import (
    ExactBackend,
    HashingEncoder,
    HybridSearcher,
    RerankSettings,
    RerankStage,
    ScriptedReranker,
    SearchRequest,
    SearchSettings,
)


class OppositeReranker(ScriptedReranker):
    """Prefers what shares nothing with the question."""

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        return [-score for score in super().score(query, passages)]


def silent(_stage: str, _done: int, _total: int) -> None:
    pass


@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
def test_what_is_measured_orders_as_the_search_does(small_set: QuestionSet, tmp_path: Path, weight: float) -> None:
    reranker = ScriptedReranker()
    settings = RerankSettings(candidates=6, of_any_kind=3, weight=weight, deadline_ms=60_000, sources=())
    with indexed(small_set, tmp_path, encoder=HashingEncoder(), store=ExactBackend(), report=silent) as collection:
        scored = scored_candidates(collection, reranker, settings)
        measured = values(collection, scored, weight)
        assert collection.encoder is not None
        served = HybridSearcher(
            collection.store,
            collection.encoder,
            collection.corpus,
            settings=SearchSettings(leg_limit=DEPTH),
            table=collection.table,
            reranking=RerankStage(reranker, settings),
        )
        for query, value in zip(small_set.queries, measured, strict=True):
            hits = served.search(SearchRequest(queries=(query.text,), limit=20)).hits
            assert ndcg([hit.passage.id for hit in hits], query.grades, 10) == pytest.approx(value)


def test_where_any_of_many_is_as_good_the_order_of_the_others_does_not_count() -> None:
    grades = {"a": 1, "b": 1, "c": 1, "d": 0}
    assert first_at_10(["a", "x", "y", "b"], grades) == first_at_10(["a", "b", "c"], grades) == 1
    assert first_at_10(["d", "a"], grades) == 0.5
    assert first_at_10([str(number) for number in range(10)] + ["a"], grades) == 0
    assert ndcg_at_10(["a", "x", "y", "b"], grades) < ndcg_at_10(["a", "b", "c"], grades)


def test_the_gain_is_that_of_the_stage_over_the_hybrid_search(small_set: QuestionSet, tmp_path: Path) -> None:
    settings = RerankSettings(candidates=10, weight=1.5)
    worse = measured_gain(small_set, OppositeReranker(), HashingEncoder(), tmp_path, settings, silent)
    assert worse.improved < worse.without
    assert worse.difference.mean == pytest.approx(worse.improved - worse.without)
    settings = settings.model_copy(update={"weight": 0.0})
    none = measured_gain(small_set, OppositeReranker(), HashingEncoder(), tmp_path, settings, silent)
    assert (none.difference.mean, none.improved) == (0.0, none.without)
