"""Sources: what an operator may add, and what a typing mistake is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from retrieval import (
    DEFAULT_SOURCES,
    CorpusEntry,
    HybridSearcher,
    SearchFilters,
    SearchRequest,
    Source,
    SourceId,
    UnknownSourceError,
    memory_searcher,
    source_named,
    with_added,
)
from retrieval.sources import MAX_SOURCES


def local(**fields: object) -> Source:
    return Source.model_validate({"id": "local_formulary", "description": "What our hospital stocks.", **fields})


def test_an_added_source_comes_after_the_built_in_ones() -> None:
    assert [source.id for source in with_added([local()])] == [
        *(source.id for source in DEFAULT_SOURCES),
        "local_formulary",
    ]


def test_a_built_in_source_can_be_described_anew_and_keeps_its_place() -> None:
    own = Source(id=SourceId("codes"), description="The codes our billing office uses.")
    merged = with_added([own])
    assert [source.id for source in merged] == [source.id for source in DEFAULT_SOURCES]
    assert source_named("codes", merged).description == own.description


def test_two_sources_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="local_formulary stands twice"):
        with_added([local(), local()])


def test_more_sources_than_a_prompt_holds_are_refused() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_SOURCES}"):
        with_added([local(id=f"source_{number}") for number in range(MAX_SOURCES)])


@pytest.mark.parametrize("name", ["", "Local", "9lives", "two words", "a" * 41, "läkare", "a-b"])
def test_an_id_that_would_not_stand_in_a_command_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="lower-case letters"):
        local(id=name)


@pytest.mark.parametrize("text", ["short", "two lines\nof description", "x" * 201, "          "])
def test_a_description_is_one_line_for_the_prompt(text: str) -> None:
    with pytest.raises(ValidationError):
        local(description=text)


def test_a_typing_mistake_names_the_nearest_and_all_known() -> None:
    with pytest.raises(UnknownSourceError, match=r"Did you mean guidelines\? Sources: guidelines, "):
        source_named("guidlines", DEFAULT_SOURCES)
    with pytest.raises(UnknownSourceError) as nothing_near:
        source_named("zzzz", DEFAULT_SOURCES)
    assert "Did you mean" not in str(nothing_near.value)


def test_default_filters_fill_only_what_a_search_leaves_open() -> None:
    source = local(publishers=["Our Trust"], regions=["GB"])
    narrowed = source.narrowed(SearchFilters(regions=("US",)))
    assert (narrowed.source, narrowed.publishers, narrowed.regions) == ("local_formulary", ("Our Trust",), ("US",))


def test_a_source_without_a_title_is_shown_by_its_id() -> None:
    assert local().shown_title == "Local formulary"
    assert local(title="Formulary").shown_title == "Formulary"


@pytest.fixture
def two_sources(make_entry: Callable[..., CorpusEntry]) -> HybridSearcher:
    """A formulary that holds only its own publisher by default, beside guidelines of anyone."""
    return memory_searcher(
        [
            make_entry("g1", "Give salbutamol for wheeze.", publisher="Anyone"),
            make_entry("f1", "Stocked: salbutamol for wheeze.", source="local_formulary", publisher="Our Trust"),
            make_entry("f2", "Salbutamol for wheeze is not stocked.", source="local_formulary", publisher="Other"),
        ],
        sources=(*DEFAULT_SOURCES, local(publishers=["Our Trust"])),
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["f1#1", "g1#1"]),
        ({"source": "local_formulary"}, ["f1#1"]),
        ({"source": "guidelines"}, ["g1#1"]),
        ({"publishers": ("other",)}, ["f2#1"]),
        ({"regions": ("US",)}, []),
    ],
    ids=str,
)
def test_the_defaults_of_a_source_hold_where_no_source_is_named_too(
    two_sources: HybridSearcher, filters: dict[str, object], expected: list[str]
) -> None:
    request = SearchRequest(queries=("salbutamol wheeze",), filters=SearchFilters.model_validate(filters))
    result = two_sources.search(request)
    assert sorted(hit.passage.id for hit in result.hits) == expected
    assert [hit.rank for hit in result.hits] == list(range(1, len(expected) + 1))


def test_what_a_filter_on_dates_leaves_out_is_counted_over_all_sources(
    make_entry: Callable[..., CorpusEntry],
) -> None:
    entries = [
        make_entry("g1", "Give salbutamol for wheeze."),
        make_entry("f1", "Stocked: salbutamol.", source="local_formulary", publisher="Our Trust"),
        make_entry("f2", "Not stocked: salbutamol.", source="local_formulary", publisher="Other"),
    ]
    dateless = {"published": None}
    undated = [e.model_copy(update={"document": e.document.model_copy(update=dateless)}) for e in entries]
    searcher = memory_searcher(undated, sources=(*DEFAULT_SOURCES, local(publishers=["Our Trust"])))
    dated = searcher.search(SearchRequest(queries=("salbutamol",), filters=SearchFilters(published_from="2020")))
    assert (dated.hits, dated.undated_left_out) == ((), 2)
