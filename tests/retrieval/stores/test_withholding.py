"""Leaving withdrawn passages out of a store. If these fail, a withdrawal costs hits that still stand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.bm25 import term_ids
from retrieval.documents import PassageId, SourceId
from retrieval.errors import StoreError
from retrieval.filters import NO_FILTERS, SearchFilters
from retrieval.stores import ExactStore, StorePoint
from retrieval.stores.withholding import WithholdingStore

SIZE = 120


def points() -> list[StorePoint]:
    random = np.random.default_rng(3)
    made = []
    for number in range(SIZE):
        vector = random.normal(size=8).astype(np.float32)
        vector /= np.linalg.norm(vector)
        terms = term_ids(["fluids"] * (1 + number % 7) + ["other"] * (number % 3))
        region = "GB" if number % 2 else "US"
        made.append(StorePoint(PassageId(f"p{number:03d}"), SourceId("s"), "p", region, terms, vector))
    return made


POINTS = points()
STORE = ExactStore(POINTS)
QUERY = np.ones(8, dtype=np.float32) / np.sqrt(np.float32(8))


@given(st.sets(st.integers(0, SIZE - 1)), st.integers(1, 60), st.sampled_from([(), ("GB",)]))
@settings(max_examples=60, deadline=None)
def test_a_leg_is_what_a_store_without_them_gives(hidden: set[int], limit: int, regions: tuple[str, ...]) -> None:
    names = frozenset(POINTS[number].passage_id for number in hidden)
    filters = SearchFilters(regions=regions)
    without = ExactStore([point for point in POINTS if point.passage_id not in names])
    store = WithholdingStore(STORE, lambda: names)
    assert [name for name, _ in store.dense_leg(QUERY, filters, limit)] == [
        name for name, _ in without.dense_leg(QUERY, filters, limit)
    ]
    found = store.bm25_leg(term_ids(["fluids"]), filters, limit)
    assert not names & {name for name, _ in found}
    assert len(found) == min(limit, without.count(filters))


@pytest.mark.parametrize("limit", [1, 50])
def test_everything_withdrawn_is_nothing_found(limit: int) -> None:
    store = WithholdingStore(STORE, lambda: frozenset(point.passage_id for point in POINTS))
    assert store.dense_leg(QUERY, NO_FILTERS, limit) == ()
    assert store.bm25_leg(term_ids(["fluids"]), NO_FILTERS, limit) == ()


def test_it_passes_on_what_it_does_not_change() -> None:
    inner = ExactStore(POINTS)
    store = WithholdingStore(inner, frozenset)
    assert (store.kind, store.count(), store.count(SearchFilters(regions=("GB",)))) == ("exact", SIZE, SIZE // 2)
    assert store.dense_leg(QUERY, NO_FILTERS, 9) == inner.dense_leg(QUERY, NO_FILTERS, 9)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        inner.count()
