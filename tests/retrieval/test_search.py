"""If these fail, a clinician's search returns the wrong passages, or says the wrong thing when it cannot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

import pytest
from pydantic import ValidationError

import retrieval
from retrieval import (
    DEFAULT_SOURCES,
    CorpusEntry,
    HybridSearcher,
    PassageId,
    RerankerError,
    RerankSettings,
    RerankStage,
    ScriptedReranker,
    Searcher,
    SearchFilters,
    SearchRequest,
    SearchSettings,
    Source,
    SourceId,
    UnknownSourceError,
    memory_searcher,
)
from retrieval.fusion import reciprocal_rank_fusion

from ..starter import starter

EntryMaker = Callable[..., CorpusEntry]


@pytest.fixture
def searcher(entries: tuple[CorpusEntry, ...]) -> Searcher:
    return memory_searcher(entries)


def ids(searcher: Searcher, *queries: str, **filters: object) -> list[str]:
    request = SearchRequest(queries=queries, filters=SearchFilters.model_validate(filters))
    return [hit.passage.id for hit in searcher.search(request).hits]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("inhaled salbutamol", "asthma#1"),
        ("wheezy exacerbation peak flow", "asthma#2"),
        ("bladder infection nitrofurantoin", "uti#1"),
        ("GOUT flare", "gout#1"),
    ],
)
def test_words_of_condition_synonym_and_text_find_the_passage(searcher: Searcher, query: str, first: str) -> None:
    assert ids(searcher, query)[0] == first


def test_a_hit_says_why_it_stands_where_it_does(entries: tuple[CorpusEntry, ...]) -> None:
    plain = memory_searcher(entries, settings=SearchSettings(ranking="fused"))
    result = plain.search(SearchRequest(queries=("salbutamol for wheeze",)))
    assert [hit.rank for hit in result.hits] == list(range(1, len(result.hits) + 1))
    for hit in result.hits:
        ranks = [rank for rank in (hit.bm25_rank, hit.dense_rank) if rank is not None]
        assert hit.score == pytest.approx(sum(1 / (60 + rank) for rank in ranks))
        assert (hit.bm25_score is None) == (hit.bm25_rank is None)
        assert hit.cosine is not None
        assert -1.0001 <= hit.cosine <= 1.0001
        assert hit.document.id == hit.passage.document_id
    assert result.hits[-1].bm25_rank is None  # no shared word: missing, not 0
    assert result.total_ms >= max(result.encode_ms, result.bm25_ms, result.dense_ms, result.fuse_ms) >= 0


def test_several_queries_are_fused_and_a_repeated_one_counts_once(searcher: Searcher) -> None:
    one, two = "salbutamol", "colchicine"
    assert set(ids(searcher, one, two)[:2]) == {"asthma#1", "gout#1"}
    request = SearchRequest(queries=(one, one, two, one))
    assert [(hit.passage.id, hit.score) for hit in searcher.search(request).hits] == [
        (hit.passage.id, hit.score) for hit in searcher.search(SearchRequest(queries=(one, two))).hits
    ]


def test_filters_keep_other_publishers_and_regions_out(searcher: Searcher) -> None:
    assert ids(searcher, "treatment", publishers=("other college",)) == ["gout#1"]
    assert "gout#1" not in ids(searcher, "gout colchicine", regions=("GB",))
    assert ids(searcher, "gout", publishers=("Nobody",)) == []


def test_an_unknown_source_is_refused_with_the_ones_there_are(searcher: Searcher) -> None:
    with pytest.raises(UnknownSourceError, match="Sources: guidelines"):
        ids(searcher, "gout", source="leaflets")


def test_a_source_limits_the_search_and_brings_its_defaults(make_entry: EntryMaker) -> None:
    corpus = [
        make_entry("a", "Give fluids."),
        make_entry("b", "Give fluids.", source="codes", region="US"),
        make_entry("c", "Give fluids.", source="codes", region="GB"),
    ]
    codes = Source(id=SourceId("codes"), description="Codes of diagnoses.", regions=("US",))
    searcher = memory_searcher(corpus, sources=(DEFAULT_SOURCES[0], codes))
    assert ids(searcher, "fluids", source="guidelines") == ["a#1"]
    assert ids(searcher, "fluids", source="codes") == ["b#1"]
    assert ids(searcher, "fluids", source="codes", regions=("GB",)) == ["c#1"]
    assert ids(searcher, "fluids") == ["a#1", "b#1"]


@pytest.mark.parametrize(
    "query", ["ما علاج الربو؟", "喘息的治疗", "астма", "🙂", "?!", "a" * 5000, "\u202eabc", "\x00"]
)
def test_any_question_is_searched(searcher: Searcher, query: str) -> None:
    assert len(ids(searcher, query)) == 5


@pytest.mark.parametrize(
    "fields",
    [
        {"queries": ()},
        {"queries": ("  \n",)},
        {"queries": ("a",) * 5},
        {"queries": ("a",), "limit": 0},
        {"queries": ("a",), "limit": 101},
        {"queries": ("a",), "surprise": 1},
    ],
)
def test_requests_out_of_range_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SearchRequest.model_validate(fields)


def test_the_limit_is_kept(make_entry: EntryMaker) -> None:
    searcher = memory_searcher([make_entry("many", *(f"Give fluids {n}." for n in range(120)))])
    for limit in (1, 8, 50):
        assert len(searcher.search(SearchRequest(queries=("fluids",), limit=limit)).hits) == limit


def test_a_passage_is_opened_by_its_id(searcher: Searcher, entries: tuple[CorpusEntry, ...]) -> None:
    assert searcher.passage(PassageId("gout#1")) == (entries[2].passages[0], entries[2].document)
    assert searcher.passage(PassageId("nothing")) is None


def test_the_ranking_is_the_fusion_of_the_legs_shown(searcher: Searcher) -> None:
    hits = searcher.search(SearchRequest(queries=("acute treatment flare",), limit=50)).hits
    lexical = sorted((hit for hit in hits if hit.bm25_rank), key=lambda hit: hit.bm25_rank or 0)
    dense = sorted((hit for hit in hits if hit.dense_rank), key=lambda hit: hit.dense_rank or 0)
    fused = reciprocal_rank_fusion([[hit.passage.id for hit in lexical], [hit.passage.id for hit in dense]])
    assert [passage_id for passage_id, _ in fused] == [hit.passage.id for hit in hits]


def test_threads_search_alike(searcher: Searcher) -> None:
    request = SearchRequest(queries=("urine culture", "cystitis"))
    expected, results = searcher.search(request).hits, []
    threads = [threading.Thread(target=lambda: results.append(searcher.search(request).hits)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8


def test_the_starter_guidelines_there_are_can_be_searched() -> None:
    """Each condition's own name finds that condition first."""
    corpus = list(starter())
    searcher = memory_searcher(corpus)
    conditions = sorted({passage.section[0] for entry in corpus for passage in entry.passages})
    missed = [
        condition
        for condition in conditions
        if searcher.search(SearchRequest(queries=(condition,))).hits[0].passage.section[0] != condition
    ]
    assert missed == []


def test_public_names_exist_and_are_sorted() -> None:
    assert all(hasattr(retrieval, name) for name in retrieval.__all__)
    assert len(set(retrieval.__all__)) == len(retrieval.__all__)


def _reranked(entries: tuple[CorpusEntry, ...], **settings: object) -> HybridSearcher:
    chosen = RerankSettings.model_validate({"deadline_ms": 60_000, "weight": 100, **settings})
    return memory_searcher(entries, reranking=RerankStage(ScriptedReranker(), chosen))


def test_a_reranked_result_says_so_and_carries_the_scores(entries: tuple[CorpusEntry, ...]) -> None:
    with closing(_reranked(entries)) as searcher:
        result = searcher.search(SearchRequest(queries=("acute gout flare attack",), limit=2))
    assert result.reranked
    assert result.not_reranked is None
    assert result.rerank_ms > 0
    assert [hit.rank for hit in result.hits] == [1, 2]
    scores = [hit.rerank_score for hit in result.hits]
    assert None not in scores
    assert scores == sorted(scores, key=lambda score: -(score or 0))


def test_candidates_are_looked_at_beyond_the_limit_of_the_request(entries: tuple[CorpusEntry, ...]) -> None:
    query = "peak flow in an exacerbation"
    with closing(_reranked(entries)) as searcher:
        few = searcher.search(SearchRequest(queries=(query,), limit=1)).hits
        many = searcher.search(SearchRequest(queries=(query,), limit=8)).hits
    assert few[0].passage.id == many[0].passage.id


def test_only_the_scored_candidates_carry_a_score(entries: tuple[CorpusEntry, ...]) -> None:
    with closing(_reranked(entries, candidates=2)) as searcher:
        hits = searcher.search(SearchRequest(queries=("treatment of adults",))).hits
    assert [hit.rerank_score is not None for hit in hits] == [True, True] + [False] * (len(hits) - 2)


def test_only_passages_of_the_stages_sources_are_reranked(entries: tuple[CorpusEntry, ...]) -> None:
    other = SourceId("codes")
    mixed = [
        entry.model_copy(update={"document": entry.document.model_copy(update={"source": other})})
        if number % 2
        else entry
        for number, entry in enumerate(entries)
    ]
    request = SearchRequest(queries=("treatment of adults",), limit=8)
    first = memory_searcher(mixed).search(request).hits
    assert {hit.document.source for hit in first} == {other, SourceId("guidelines")}
    with closing(_reranked(tuple(mixed))) as searcher:
        hits = searcher.search(request).hits
        codes = searcher.search(request.model_copy(update={"filters": SearchFilters(source=other)}))
    assert [hit.rerank_score is not None for hit in hits] == [hit.document.source != other for hit in hits]
    assert [hit.passage.id for hit in hits if hit.document.source == other] == [
        hit.passage.id for hit in first if hit.document.source == other
    ]
    assert (codes.reranked, codes.not_reranked) == (False, "few")


def test_a_search_that_cannot_be_reranked_answers_in_fused_order_and_says_why(
    entries: tuple[CorpusEntry, ...],
) -> None:
    def fail(_: int) -> None:
        raise RerankerError("The weights cannot be read.")

    request = SearchRequest(queries=("salbutamol for wheeze",))
    fused = memory_searcher(entries).search(request)
    stage = RerankStage(ScriptedReranker(fail), RerankSettings(deadline_ms=60_000))
    with closing(memory_searcher(entries, reranking=stage)) as searcher:
        result = searcher.search(request)
    assert (fused.reranked, fused.not_reranked, fused.rerank_ms) == (False, "off", 0)
    assert (result.reranked, result.not_reranked) == (False, "failed")
    assert result.hits == fused.hits


def test_a_brand_finds_its_generic_and_the_untuned_search_is_left_alone(make_entry: EntryMaker) -> None:
    made = [make_entry("a", "Take warfarin in the evening."), make_entry("b", "Take apixaban twice a day.")]
    request = SearchRequest(queries=("Eliquis",))

    def lexical(settings: SearchSettings) -> list[str]:
        hits = memory_searcher(made, settings=settings).search(request).hits
        return [hit.passage.id for hit in hits if hit.bm25_rank is not None]

    assert lexical(SearchSettings()) == ["b#1"]
    assert memory_searcher(made).search(request).hits[0].passage.id == "b#1"
    assert lexical(SearchSettings(expansion=False)) == []
    assert lexical(SearchSettings(ranking="fused")) == []


def test_a_query_without_words_of_the_table_is_searched_alike(entries: tuple[CorpusEntry, ...]) -> None:
    request = SearchRequest(queries=("gout flare", "wheeze"))
    on, off = (memory_searcher(entries, settings=SearchSettings(expansion=each)) for each in (True, False))
    assert on.search(request).hits == off.search(request).hits
