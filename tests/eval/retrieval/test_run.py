"""One run from set to table: if these fail, the table shows other figures than the search has."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.retrieval.errors import UnknownSystemError
from eval.retrieval.indexed import MeasuredReranking, indexed
from eval.retrieval.measures import DEPTH, MEASURES
from eval.retrieval.question_set import QuestionSet, assembled, plain_entry
from eval.retrieval.report import RetrievalReport
from eval.retrieval.run import evaluate_retrieval
from eval.retrieval.systems import SYSTEMS, checked_systems
from eval.retrieval.table import ORACLE_TOLERANCE, table
from retrieval import (
    EMBEDDED,
    ExactBackend,
    HashingEncoder,
    RerankSettings,
    ScriptedReranker,
    SearchRequest,
    StoreBackend,
    memory_searcher,
)
from retrieval.encoders import EncodeProgress, Vectors

ALL = tuple(SYSTEMS)


class CountingEncoder(HashingEncoder):
    """Counts the texts it is given."""

    def __init__(self) -> None:
        super().__init__(64)
        self.passages = 0
        self.queries = 0

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        self.passages += len(texts)
        return super().encode_queries(texts)

    def encode_queries(self, texts: list[str]) -> Vectors:
        self.queries += len(texts)
        return super().encode_queries(texts)


def measured(
    question_set: QuestionSet, folder: Path, systems: tuple[str, ...] = ALL, *, store: StoreBackend = EMBEDDED
) -> RetrievalReport:
    return evaluate_retrieval(
        [question_set],
        systems,
        encoder=HashingEncoder,
        reranker=lambda: MeasuredReranking(
            ScriptedReranker(),
            RerankSettings(candidates=5, weight=0.5),
            frozenset({question_set.name}),
        ),
        adapter=HashingEncoder,
        folder=folder,
        store=store,
        baseline="bm25",
        resamples=200,
    )


@pytest.mark.parametrize("store", [EMBEDDED, ExactBackend()], ids=["edge", "exact"])
def test_every_system_is_measured_and_bm25_agrees_with_its_oracle(
    small_set: QuestionSet, tmp_path: Path, store: StoreBackend
) -> None:
    report = measured(small_set, tmp_path, store=store)
    (result,) = report.sets
    assert [system.system for system in result.systems] == list(ALL)
    assert result.oracle_gap is not None
    assert result.oracle_gap <= ORACLE_TOLERANCE
    hybrid = result.system("hybrid")
    assert hybrid is not None
    assert hybrid.measures["mrr@10"].mean == 1.0, "each question names its subject and its aspect"
    for system in result.systems:
        assert set(system.measures) == set(MEASURES)
        assert all(len(values) == len(small_set.queries) for values in system.per_query.values())
        assert (system.difference is None) == (system.system == "bm25")


def test_hybrid_is_compared_with_the_better_leg(small_set: QuestionSet, tmp_path: Path) -> None:
    """Better than BM25 alone says nothing where dense search is better still."""
    (result,) = measured(small_set, tmp_path).sets
    assert result.fusion_gain is not None
    means = {system.system: system.measures["ndcg@10"].mean for system in result.systems}
    assert means[result.fusion_gain.better_leg] == max(means["bm25"], means["dense"])
    assert result.fusion_gain.difference.mean == pytest.approx(means["hybrid"] - max(means["bm25"], means["dense"]))
    (alone,) = measured(small_set, tmp_path, ("bm25",)).sets
    assert alone.fusion_gain is None


def test_a_passage_without_words_does_not_stop_the_run(tmp_path: Path) -> None:
    """Real corpora hold a few."""
    entries = [plain_entry("p1", "gout"), plain_entry("p2", ""), plain_entry("p3", "the of and")]
    odd = assembled(
        "odd", measures_what="-", entries=entries, queries=[("q", "gout"), ("s", "the")],
        grades={"q": {"p1": 1}, "s": {"p3": 1}},
    )  # fmt: skip
    (result,) = measured(odd, tmp_path).sets
    bm25 = result.system("bm25")
    assert bm25 is not None
    assert bm25.per_query["ndcg@10"] == (1.0, 0.0)


def test_what_is_measured_as_tuned_is_what_the_product_returns(small_set: QuestionSet, tmp_path: Path) -> None:
    product = memory_searcher(small_set.entries, encoder=HashingEncoder())
    with indexed(small_set, tmp_path, encoder=HashingEncoder(), store=ExactBackend(), report=_silent) as collection:
        system = SYSTEMS["tuned"](collection)
        for query in small_set.queries:
            hits = product.search(SearchRequest(queries=(query.text,), limit=DEPTH)).hits
            assert system.search(query.text).passages == tuple(hit.passage.id for hit in hits)


def test_nothing_is_encoded_a_second_time(small_set: QuestionSet, tmp_path: Path) -> None:
    """Encoding tens of thousands of passages takes minutes; a second run must not pay for it."""
    first, second = CountingEncoder(), CountingEncoder()
    for encoder in (first, second):
        with indexed(small_set, tmp_path, encoder=encoder, store=ExactBackend(), report=_silent) as collection:
            SYSTEMS["hybrid"](collection).search(small_set.queries[0].text)
    assert (first.passages, first.queries) == (small_set.passages, len(small_set.queries))
    assert (second.passages, second.queries) == (0, 0)


def test_bm25_alone_needs_no_encoder(small_set: QuestionSet, tmp_path: Path) -> None:
    def absent() -> HashingEncoder:
        raise AssertionError("no vectors are needed")

    report = evaluate_retrieval([small_set], ("bm25", "rank-bm25"), encoder=absent, folder=tmp_path, resamples=50)
    assert report.encoder is None
    assert report.encode_query is None
    assert not list(tmp_path.iterdir())


def test_the_record_survives_writing_and_holds_no_text(small_set: QuestionSet, tmp_path: Path) -> None:
    report = measured(small_set, tmp_path)
    text = report.model_dump_json()
    assert RetrievalReport.model_validate_json(text) == report
    assert small_set.queries[0].text not in text
    assert "in people with" not in text


def test_the_table_names_every_figure_and_says_how_to_read_it(small_set: QuestionSet, tmp_path: Path) -> None:
    report = measured(small_set, tmp_path)
    shown = table(report)
    for part in (*ALL, "nDCG@10", "R@5", "R@20", "R@100", "MRR@10", "p95", "agrees with rank-bm25", "8 queries"):
        assert part in shown
    assert max(map(len, shown.splitlines()[:12])) <= 120, "wider lines break in a terminal"
    (result,) = report.sets
    off = result.systems[3].model_copy(
        update={"measures": {**result.systems[3].measures, "ndcg@10": result.systems[3].measures["judged@10"]}}
    )
    wrong = result.model_copy(update={"systems": (*result.systems[:3], off)})
    assert ("DOES NOT AGREE" in table(report.model_copy(update={"sets": (wrong,)}))) == (
        wrong.oracle_gap is not None and wrong.oracle_gap > ORACLE_TOLERANCE
    )


def test_a_busy_machine_is_named_beside_the_times(small_set: QuestionSet, tmp_path: Path) -> None:
    report = measured(small_set, tmp_path, ("bm25",))
    assert "busy" in table(report.model_copy(update={"load_per_core": 2.0}))
    assert "busy" not in table(report.model_copy(update={"load_per_core": 0.1}))


@pytest.mark.parametrize("names", [["bm25", "magic"], [""], []])
def test_systems_that_do_not_exist_are_refused_with_those_that_do(names: list[str]) -> None:
    with pytest.raises(UnknownSystemError, match="hybrid"):
        checked_systems(names)


def test_a_baseline_that_is_not_measured_is_refused(small_set: QuestionSet, tmp_path: Path) -> None:
    with pytest.raises(UnknownSystemError, match="baseline"):
        evaluate_retrieval([small_set], ("bm25",), encoder=HashingEncoder, folder=tmp_path, baseline="dense")


def test_a_dense_system_on_a_set_without_vectors_is_refused(small_set: QuestionSet, tmp_path: Path) -> None:
    """Placeholders would be ranked as if they meant something."""
    with (
        indexed(small_set, tmp_path, encoder=None, store=ExactBackend(), report=_silent) as collection,
        pytest.raises(UnknownSystemError, match="without vectors"),
    ):
        SYSTEMS["dense"](collection)


def _silent(_stage: str, _done: int, _total: int) -> None:
    return None


def test_a_set_that_the_reranker_was_trained_on_says_so(small_set: QuestionSet, tmp_path: Path) -> None:
    report = measured(small_set, tmp_path, ("bm25", "rerank"), store=ExactBackend())
    assert report.sets[0].reranker_trained_here
    assert "trained on documents that answer these questions" in table(report)
    assert "trained on" not in table(measured(small_set, tmp_path, ("bm25",), store=ExactBackend()))
