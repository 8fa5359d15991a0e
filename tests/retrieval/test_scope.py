"""If a scope leaks, somebody is shown guidance that the organisation keeps from them."""

from __future__ import annotations

import pytest

from retrieval import (
    CorpusEntry,
    Document,
    DocumentId,
    HashingEncoder,
    HybridSearcher,
    Passage,
    PassageId,
    PassageKind,
    Scope,
    SearchFilters,
    SearchRequest,
    SourceId,
    memory_searcher,
    scoped,
)


def entry(name: str, source: str, region: str) -> CorpusEntry:
    document = Document(
        id=DocumentId(name), source=SourceId(source), title=name, publisher="Test Society", region=region
    )
    passage = Passage(
        id=PassageId(f"{name}/1"),
        document_id=document.id,
        kind=PassageKind.RECOMMENDATION,
        text="Give examplicillin for example fever.",
    )
    second = passage.model_copy(update={"id": PassageId(f"{name}/2"), "text": "Rest until example fever is over."})
    return CorpusEntry(document=document, passages=(passage, second))


@pytest.fixture(scope="module")
def searcher() -> HybridSearcher:
    entries = [
        entry("guide-gb", "guidelines", "GB"),
        entry("guide-us", "guidelines", "US"),
        entry("page-gb", "patient_information", "GB"),
    ]
    return memory_searcher(entries, encoder=HashingEncoder())


def found(searcher: HybridSearcher, scope: Scope, **filters: object) -> set[str]:
    request = SearchRequest(queries=("examplicillin",), filters=SearchFilters.model_validate(filters))
    return {str(hit.document.id) for hit in scoped(searcher, scope).search(request).hits}


PAGES = Scope(sources=(SourceId("patient_information"),))
BRITISH = Scope(regions=("UK",))
EVERY = {"guide-gb", "guide-us", "page-gb"}


@pytest.mark.parametrize(
    ("scope", "filters", "names"),
    [
        (Scope(), {}, EVERY),
        (PAGES, {}, {"page-gb"}),
        (PAGES, {"source": "patient_information"}, {"page-gb"}),
        (PAGES, {"source": "guidelines"}, set()),
        (BRITISH, {}, {"guide-gb", "page-gb"}),
        (BRITISH, {"regions": ("US",)}, set()),
        (BRITISH, {"regions": ("US", "gb")}, {"guide-gb", "page-gb"}),
        (Scope(sources=(SourceId("guidelines"),), regions=("US",)), {}, {"guide-us"}),
        (Scope(sources=(SourceId("none"),)), {}, set()),
    ],
)
def test_no_filter_finds_what_is_outside(
    searcher: HybridSearcher, scope: Scope, filters: dict[str, object], names: set[str]
) -> None:
    assert found(searcher, scope, **filters) == names


def test_the_scope_of_a_request_cannot_be_set_by_whoever_asks(searcher: HybridSearcher) -> None:
    request = SearchRequest(queries=("examplicillin",), scope=Scope())
    assert {hit.document.id for hit in scoped(searcher, PAGES).search(request).hits} == {"page-gb"}


def test_an_id_does_not_open_what_is_outside(searcher: HybridSearcher) -> None:
    under = scoped(searcher, PAGES)
    assert under.hit(PassageId("guide-gb/1")) is None
    assert under.passage(PassageId("guide-gb/1")) is None
    assert under.hit(PassageId("page-gb/1")) is not None


def test_the_neighbours_of_a_passage_are_those_of_a_passage_that_may_be_seen(searcher: HybridSearcher) -> None:
    under = scoped(searcher, PAGES)
    assert searcher.beside(PassageId("guide-gb/1")) == ("guide-gb/2",)
    assert under.beside(PassageId("guide-gb/1")) == ()
    assert under.beside(PassageId("page-gb/1")) == ("page-gb/2",)


def test_only_sources_of_the_scope_are_offered(searcher: HybridSearcher) -> None:
    assert [source.id for source in scoped(searcher, PAGES).sources] == ["patient_information"]
    assert scoped(searcher, Scope()) is searcher


def test_only_regions_of_the_scope_are_offered(searcher: HybridSearcher) -> None:
    assert searcher.regions == ("GB", "US")
    assert scoped(searcher, BRITISH).regions == ("GB",)
