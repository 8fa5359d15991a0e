"""If these fail, the reranker's weight is chosen, or its gain measured, on another ranking than the one served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.retrieval.indexed import indexed
from eval.retrieval.measures import DEPTH, ndcg
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.reranking import WEIGHTS, best_weight, measured_gain, ndcg_by_weight, scored_candidates
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
def test_the_grid_orders_as_the_search_does(small_set: QuestionSet, tmp_path: Path, weight: float) -> None:
    reranker, candidates = ScriptedReranker(), 6
    with indexed(small_set, tmp_path, encoder=HashingEncoder(), store=ExactBackend(), report=silent) as collection:
        scored = scored_candidates(collection, reranker, 20)
        grid = ndcg_by_weight(collection, scored, [weight], candidates)[weight]
        assert collection.encoder is not None
        served = HybridSearcher(
            collection.store,
            collection.encoder,
            collection.corpus,
            settings=SearchSettings(leg_limit=DEPTH),
            table=collection.table,
            reranking=RerankStage(reranker, RerankSettings(candidates=candidates, weight=weight, deadline_ms=60_000)),
        )
        for query, value in zip(small_set.queries, grid, strict=True):
            hits = served.search(SearchRequest(queries=(query.text,), limit=20)).hits
            assert ndcg([hit.passage.id for hit in hits], query.grades, 10) == pytest.approx(value)


class IndifferentReranker(ScriptedReranker):
    """Finds everything equally good."""

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        return [1.0] * len(passages)


@pytest.mark.parametrize("reranker", [ScriptedReranker(), OppositeReranker()], ids=["good", "bad"])
def test_the_chosen_weight_is_the_best_of_all(
    small_set: QuestionSet, tmp_path: Path, reranker: ScriptedReranker
) -> None:
    best, mean = best_weight(small_set, reranker, HashingEncoder(), tmp_path, 10, silent)
    gains = {
        weight: measured_gain(small_set, reranker, HashingEncoder(), tmp_path, 10, weight, silent).reranked
        for weight in WEIGHTS
    }
    assert gains[best] == pytest.approx(max(gains.values())) == pytest.approx(mean)


def test_a_reranker_that_tells_nothing_apart_gets_no_weight(small_set: QuestionSet, tmp_path: Path) -> None:
    assert best_weight(small_set, IndifferentReranker(), HashingEncoder(), tmp_path, 10, silent)[0] == 0.0


def test_the_gain_is_that_of_the_stage_over_the_hybrid_search(small_set: QuestionSet, tmp_path: Path) -> None:
    worse = measured_gain(small_set, OppositeReranker(), HashingEncoder(), tmp_path, 10, 1.5, silent)
    assert worse.reranked < worse.without
    assert worse.difference.mean == pytest.approx(worse.reranked - worse.without)
    none = measured_gain(small_set, OppositeReranker(), HashingEncoder(), tmp_path, 10, 0.0, silent)
    assert (none.difference.mean, none.reranked) == (0.0, none.without)
