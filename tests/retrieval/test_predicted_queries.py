"""If these fail, a recommendation is not found by what is asked for it, or one is found that a filter leaves out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import (
    CorpusEntry,
    CorpusError,
    ExactBackend,
    HashingEncoder,
    IndexMismatchError,
    PassageId,
    SearchFilters,
    SearchRequest,
    SearchSettings,
    SourceId,
    Withdrawal,
    Withdrawals,
    build_index,
    memory_searcher,
    open_searcher,
    read_manifest,
)
from retrieval.generations import IndexDirectory
from retrieval.index import store_points
from retrieval.predicted_queries import (
    PredictedQueries,
    PredictedQueryTable,
    PredictedSettings,
    predicted_hash,
    read_predicted_queries,
    weighed,
)
from retrieval.searched_text import dense_text

EntryMaker = Callable[..., CorpusEntry]
ENCODER = HashingEncoder()
#: Shares no word with the passage.
ASKED = "toe suddenly red and hot overnight"
PREDICTED: PredictedQueries = {PassageId("gout#1"): ("sudden red hot toe overnight", "podagra remedy")}


def table_of(entries: tuple[CorpusEntry, ...], predicted: PredictedQueries) -> PredictedQueryTable | None:
    pairs = [(passage, entry.document) for entry in entries for passage in entry.passages]
    vectors = ENCODER.encode_passages([dense_text(passage) for passage, _ in pairs])
    return PredictedQueryTable.of(store_points(pairs, vectors), predicted, ENCODER.encode_queries)


def found(entries: tuple[CorpusEntry, ...], filters: SearchFilters) -> list[str]:
    searcher = memory_searcher(entries, predicted=PREDICTED)
    return [hit.passage.id for hit in searcher.search(SearchRequest(queries=(ASKED,), filters=filters)).hits]


def test_a_passage_is_found_first_by_a_query_predicted_for_it(entries: tuple[CorpusEntry, ...]) -> None:
    narrow = SearchSettings(leg_limit=1)
    without = memory_searcher(entries, settings=narrow).search(SearchRequest(queries=(ASKED,), limit=1))
    found = memory_searcher(entries, settings=narrow, predicted=PREDICTED).search(
        SearchRequest(queries=(ASKED,), limit=1)
    )
    assert [hit.passage.id for hit in without.hits] != ["gout#1"]
    assert [hit.passage.id for hit in found.hits] == ["gout#1"]
    (query,) = ENCODER.encode_queries([ASKED])
    (near,) = ENCODER.encode_queries(["sudden red hot toe overnight"])
    assert found.hits[0].predicted_cosine == pytest.approx(float(query @ near), abs=1e-5)
    assert all(hit.predicted_cosine is None for hit in without.hits)


@pytest.mark.parametrize("filters", [SearchFilters(regions=("GB",)), SearchFilters(publishers=("Example Institute",))])
def test_filters_hold_for_predicted_queries_too(entries: tuple[CorpusEntry, ...], filters: SearchFilters) -> None:
    hits = found(entries, filters)
    assert hits
    assert "gout#1" not in hits
    assert found(entries, SearchFilters(source=SourceId("guidelines")))[0] == "gout#1"


def test_what_is_withdrawn_is_not_found_by_them(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    withdrawals = Withdrawals(tmp_path / "withdrawals.jsonl")
    searcher = memory_searcher(entries, predicted=PREDICTED, withdrawals=withdrawals)
    assert searcher.search(SearchRequest(queries=(ASKED,))).hits[0].passage.id == "gout#1"
    at = datetime(2026, 5, 4, tzinfo=UTC)
    withdrawals.add(Withdrawal(act="withdraw", kind="passage", id="gout#1", why="Wrong.", who="Example", at=at))
    hits = searcher.search(SearchRequest(queries=(ASKED,))).hits
    assert "gout#1" not in [hit.passage.id for hit in hits]
    without = memory_searcher(entries, withdrawals=withdrawals).search(SearchRequest(queries=(ASKED,))).hits
    assert [(hit.passage.id, hit.score) for hit in hits] == [(hit.passage.id, hit.score) for hit in without]


def test_other_words_for_the_need_do_not_count(entries: tuple[CorpusEntry, ...]) -> None:
    searcher = memory_searcher(entries, predicted=PREDICTED)
    first = searcher.search(SearchRequest(queries=("peak flow",)))
    both = searcher.search(SearchRequest(queries=("peak flow", ASKED)))
    told = {hit.passage.id: hit.predicted_cosine for hit in first.hits}
    assert {hit.passage.id: hit.predicted_cosine for hit in both.hits} == told


def test_the_plain_fusion_knows_nothing_of_them(entries: tuple[CorpusEntry, ...]) -> None:
    fused = SearchSettings(ranking="fused")
    without = memory_searcher(entries, settings=fused).search(SearchRequest(queries=(ASKED,)))
    found = memory_searcher(entries, settings=fused, predicted=PREDICTED).search(SearchRequest(queries=(ASKED,)))
    assert found.hits == without.hits


def test_a_match_is_the_best_of_a_passages_queries(entries: tuple[CorpusEntry, ...]) -> None:
    table = table_of(entries, {**PREDICTED, PassageId("uti#2"): ("when to culture",), PassageId("gone#1"): ("gone",)})
    assert table is not None
    assert len(table) == 2
    (query,) = ENCODER.encode_queries(["podagra remedy"])
    match = table.match(query)
    assert match.cosine(PassageId("gout#1")) == pytest.approx(1, abs=1e-5)
    assert match.cosine(PassageId("uti#1")) is None
    assert match.cosine(PassageId("gone#1")) is None
    assert [id for id, _ in match.leg((SearchFilters(),), 5)] == ["gout#1", "uti#2"]
    assert [id for id, _ in match.leg((SearchFilters(),), 1)] == ["gout#1"]
    assert match.leg((), 5) == ()


def test_a_filter_that_leaves_few_through_still_finds_them(make_entry: EntryMaker) -> None:
    entries = (
        *(make_entry(f"us-{number}", "Give one.", region="US") for number in range(60)),
        make_entry("gb", "Give another.", region="GB"),
    )
    predicted = {entry.passages[0].id: (ASKED if "us" in entry.document.id else "toe",) for entry in entries}
    table = table_of(entries, predicted)
    assert table is not None
    match = table.match(ENCODER.encode_queries([ASKED])[0])
    assert [id for id, _ in match.leg((SearchFilters(regions=("GB",)),), 3)] == ["gb#1"]


def test_there_is_no_table_where_nothing_is_predicted(entries: tuple[CorpusEntry, ...]) -> None:
    assert table_of(entries, {PassageId("gone#1"): ("gone",)}) is None


@given(
    scores=st.lists(st.floats(-1, 1), min_size=1, max_size=8),
    cosines=st.lists(st.floats(-1, 1), min_size=8, max_size=8),
    weight=st.floats(0, 5),
    margin=st.floats(0, 0.5),
)
def test_nothing_is_lost_and_nothing_counts_less(
    scores: list[float], cosines: list[float], weight: float, margin: float
) -> None:
    entries = [PassageId(f"p#{number}") for number in range(len(scores))]
    match = PredictedQueryTable(entries[:1], np.array([0]), [{}], np.array([[1.0, 0.0]], dtype=np.float32)).match(
        np.array([1.0, 1.0], dtype=np.float32)
    )
    before = dict(zip(entries, scores, strict=True))
    after = weighed(
        list(before.items()), cosines[: len(scores)], match, PredictedSettings(weight=weight, margin=margin)
    )
    assert sorted(id for id, _ in after) == sorted(entries)
    assert [score for _, score in after] == sorted((score for _, score in after), reverse=True)
    for passage, score in after:
        assert score >= before[passage] - 1e-5
        if passage != entries[0]:
            assert score == pytest.approx(before[passage], abs=1e-5)


def test_an_index_keeps_them_and_is_built_anew_where_they_change(
    tmp_path: Path, entries: tuple[CorpusEntry, ...]
) -> None:
    plain = build_index(entries, tmp_path, ENCODER, store=ExactBackend())
    manifest = build_index(entries, tmp_path, ENCODER, store=ExactBackend(), predicted=PREDICTED)
    assert (plain.predicted, manifest.predicted) == (0, 1)
    assert manifest.index_version != plain.index_version
    assert build_index(entries, tmp_path, ENCODER, store=ExactBackend(), predicted=PREDICTED) == manifest
    searcher = open_searcher(tmp_path, encoder=ENCODER, store=ExactBackend())
    try:
        hits = searcher.search(SearchRequest(queries=(ASKED,))).hits
    finally:
        searcher.close()
    held = memory_searcher(entries, predicted=PREDICTED)
    assert hits == held.search(SearchRequest(queries=(ASKED,))).hits
    assert held.index_version == manifest.index_version == read_manifest(tmp_path).index_version


def test_queries_for_passages_of_no_index_change_nothing(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    plain = build_index(entries, tmp_path, ENCODER, store=ExactBackend())
    other: PredictedQueries = {PassageId("elsewhere#1"): ("anything",)}
    assert build_index(entries, tmp_path, ENCODER, store=ExactBackend(), predicted=other) == plain


@pytest.mark.parametrize("name", ["vectors.npy", "starts.npy", "passages.json"])
def test_a_damaged_table_is_refused(tmp_path: Path, entries: tuple[CorpusEntry, ...], name: str) -> None:
    build_index(entries, tmp_path, ENCODER, store=ExactBackend(), predicted=PREDICTED)
    place = IndexDirectory(tmp_path)
    (place.predicted(1) / name).write_bytes(b"damaged")
    with pytest.raises(IndexMismatchError, match="index build"):
        open_searcher(tmp_path, encoder=ENCODER, store=ExactBackend())


def test_lines_are_read_and_joined(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    one.write_text('{"passage": "a#1", "queries": ["first one", "second"]}\n', encoding="utf-8")
    two.write_text('{"passage": "a#1", "queries": ["second", "third"]}\n', encoding="utf-8")
    read = read_predicted_queries([one, two])
    assert read == {"a#1": ("first one", "second", "third")}
    assert predicted_hash(read, [PassageId("b#1")]) is None
    assert predicted_hash(read, [PassageId("a#1")]) == predicted_hash(read, [PassageId("a#1"), PassageId("b#1")])


def test_a_line_that_was_not_finished_and_empty_ones_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "written.jsonl"
    path.write_text('{"passage": "a#1", "queries": ["hot\u2028toe"]}\n\n{"passage": "b#1", "que', encoding="utf-8")
    assert read_predicted_queries([path]) == {"a#1": ("hot\u2028toe",)}


@pytest.mark.parametrize("line", ["{", '{"passage": "a#1", "queries": []}', '{"passage": "a#1"}', "[]"])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(f'{{"passage": "a#1", "queries": ["fine"]}}\n{line}\n', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"mine\.jsonl line 2"):
        read_predicted_queries([path])
    with pytest.raises(CorpusError, match=r"none\.jsonl"):
        read_predicted_queries([tmp_path / "none.jsonl"])
