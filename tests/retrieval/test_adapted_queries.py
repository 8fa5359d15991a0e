"""If these fail, a query adapter decides searches that it was not trained for, or what counts as off the subject."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval import (
    AdaptedQueries,
    CorpusEntry,
    Document,
    DocumentId,
    HashingEncoder,
    Passage,
    PassageId,
    PassageKind,
    SearchFilters,
    SearchRequest,
    SearchSettings,
    SourceId,
    memory_searcher,
)
from retrieval.encoders import Vectors
from retrieval.relevance import RelevanceModel
from retrieval.rescoring import RescoringSettings


def entry(name: str, text: str, source: str = "guidelines") -> CorpusEntry:
    document = Document(id=DocumentId(name), source=SourceId(source), title=name, publisher="Example", region="INT")
    passage = Passage(
        id=PassageId(f"{name}#1"),
        document_id=document.id,
        kind=PassageKind.RECOMMENDATION,
        section=(),
        text=text,
    )
    return CorpusEntry(document=document, passages=(passage,))


ENTRIES = (
    entry("gout", "colchicine"),
    entry("asthma", "salbutamol"),
    entry("leaflet", "colchicine explained", source="patient_information"),
)


class Always:
    """Whatever is asked is encoded as one text, by the passages' own encoder."""

    name = "always"
    fingerprint = "always-1"

    def __init__(self, text: str) -> None:
        self._vector = HashingEncoder().encode_queries([text])
        self.asked: list[str] = []

    def encode_queries(self, texts: list[str]) -> Vectors:
        self.asked += texts
        return np.repeat(self._vector, len(texts), axis=0)


def found(adapter: Always, request: SearchRequest, *, sources: tuple[SourceId, ...] | None = None) -> list[str]:
    adapted = AdaptedQueries(adapter) if sources is None else AdaptedQueries(adapter, sources)
    return [hit.passage.id for hit in memory_searcher(ENTRIES, adapted=adapted).search(request).hits]


def asks(*queries: str, source: str | None = "guidelines") -> SearchRequest:
    return SearchRequest(queries=queries, filters=SearchFilters(source=SourceId(source) if source else None))


def test_what_the_adapter_makes_of_a_query_orders_a_search_of_its_source() -> None:
    adapter = Always("salbutamol")
    assert found(adapter, asks("unheard-of words"))[0] == "asthma#1"
    assert adapter.asked == ["unheard-of words"]


def test_every_wording_is_adapted() -> None:
    adapter = Always("salbutamol")
    found(adapter, asks("one", "two"))
    assert adapter.asked == ["one", "two"]


@pytest.mark.parametrize("source", ["patient_information", None])
def test_a_search_of_another_source_or_of_all_is_left_alone(source: str | None) -> None:
    adapter = Always("salbutamol")
    found(adapter, asks("colchicine", source=source))
    assert adapter.asked == []


def test_no_sources_named_means_every_search() -> None:
    adapter = Always("salbutamol")
    assert found(adapter, asks("unheard-of words", source=None), sources=())[0] == "asthma#1"


def test_cosines_are_the_encoders_own_also_of_what_only_the_adapter_found() -> None:
    request = SearchRequest(
        queries=("colchicine",), filters=SearchFilters(source=SourceId("guidelines")), limit=1
    )  # one place in every leg, and the encoder's own is gout's
    settings = SearchSettings(leg_limit=1, rescoring=RescoringSettings(dense_weight=0.9))
    adapted = AdaptedQueries(Always("salbutamol"))
    (hit,) = memory_searcher(ENTRIES, settings=settings, adapted=adapted).search(request).hits
    assert hit.passage.id == "asthma#1"
    own = HashingEncoder().encode_queries(["colchicine"]) @ HashingEncoder().encode_passages(["salbutamol"]).T
    assert hit.cosine == pytest.approx(float(own[0, 0]), abs=2e-3)


def test_what_is_off_the_subject_is_still_judged_by_the_encoder_itself() -> None:
    model = RelevanceModel(
        schema="relevance.v1",
        encoder="hashing",
        weights={"cosine": 10.0, "cosine_behind_best": 0.0, "coverage": 0.0},
        bias=-5.0,
        floor=0.5,
    )
    request = asks("unheard-of words")
    for adapted in (None, AdaptedQueries(Always("salbutamol"))):
        searcher = memory_searcher(ENTRIES, adapted=adapted)
        searcher._relevance = model
        hits = searcher.search(request).hits
        assert all(hit.below_floor for hit in hits)
