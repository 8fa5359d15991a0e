"""If these fail, a search shows what its filter should leave out, or misses what it should leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.filters import SearchFilters
from retrieval.stores import conditions, payload
from retrieval.stores.conditions import holds
from retrieval.stores.filter_table import _KEPT, FilterTable
from tests.retrieval.stores.test_contract import FILTERS, collection

POINTS = collection()


@pytest.mark.parametrize("filters", FILTERS)
def test_a_point_is_left_where_all_conditions_hold(filters: SearchFilters, tmp_path: Path) -> None:
    wanted = conditions(filters)
    expected = [all(holds(condition, payload(point)) for condition in wanted) for point in POINTS]
    table = FilterTable.of(POINTS)
    table.save(tmp_path / "filters.npz")
    for one in (table, FilterTable.load(tmp_path / "filters.npz", len(POINTS))):
        found = one.matching(wanted)
        assert found.rows.tolist() == expected
        assert (found.count, found.share) == (sum(expected), sum(expected) / len(POINTS))


def test_more_filters_than_are_remembered_are_all_applied() -> None:
    table = FilterTable.of(POINTS)
    names = [f"Publisher {number}" for number in range(_KEPT + 8)]
    for _ in range(2):
        counts = [table.matching(conditions(SearchFilters(publishers=(name,)))).count for name in names]
        assert [bool(count) for count in counts] == [number < 5 for number in range(len(names))]
    assert table._remembered.cache_info().currsize == _KEPT
