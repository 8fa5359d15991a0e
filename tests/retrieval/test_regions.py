"""If these fail, a clinician misses the guidance of their own country, or loses better evidence to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import SearchFilters
from retrieval.regions import HOME_RANKS, from_elsewhere, home_first, region_code

REGIONS = st.lists(st.sampled_from(["GB", "US", "DE", "EU", "INT", "NG"]), max_size=20)


def order(regions: list[str], home: str | None) -> list[int]:
    return home_first(list(range(len(regions))), regions, home)


@pytest.mark.parametrize(
    ("regions", "home", "expected"),
    [
        (["US", "US", "US", "GB"], "GB", [3, 0, 1, 2]),
        (["US", "US", "US", "US", "GB"], "GB", [0, 4, 1, 2, 3]),
        (["US", "INT", "GB"], "GB", [2, 1, 0]),
        (["US", "EU", "DE"], "DE", [2, 1, 0]),
        (["US", "EU"], "GB", [0, 1]),
        (["US", "us "], "US", [0, 1]),
        (["US", "GB"], None, [0, 1]),
    ],
)
def test_home_guidance_comes_first_among_equals(regions: list[str], home: str | None, expected: list[int]) -> None:
    assert order(regions, home) == expected


@given(REGIONS, st.sampled_from(["GB", "US", "DE", "FR"]))
def test_nothing_is_lost_and_nothing_moves_far(regions: list[str], home: str) -> None:
    found = order(regions, home)
    assert sorted(found) == list(range(len(regions)))
    for now, before in enumerate(found):
        assert abs(now - before) <= HOME_RANKS
    for region in set(regions):
        kept = [rank for rank in found if regions[rank] == region]
        assert kept == sorted(kept), "guidance of one region keeps its own order"


@pytest.mark.parametrize(
    ("region", "home", "elsewhere"),
    [
        ("GB", "GB", False),
        ("US", "GB", True),
        ("INT", "GB", False),
        ("EU", "GB", True),
        ("EU", "FR", False),
        ("FR", "DE", True),
        ("US", None, False),
    ],
)
def test_guidance_from_elsewhere_is_told(region: str, home: str | None, elsewhere: bool) -> None:
    assert from_elsewhere(region, home) is elsewhere


@pytest.mark.parametrize(
    ("name", "code"),
    [("UK", "GB"), (" united  Kingdom ", "GB"), ("usa", "US"), ("Europe", "EU"), ("GB", "GB"), ("Narnia", "Narnia")],
)
def test_a_common_name_stands_for_its_code_and_any_other_for_itself(name: str, code: str) -> None:
    assert region_code(name) == code


def test_a_filter_keeps_the_name_it_was_given_beside_the_code() -> None:
    assert SearchFilters(regions=("UK", "GB", "EU")).regions == ("UK", "GB", "EU")
    assert SearchFilters(regions=("England",)).regions == ("England", "GB")


@given(st.lists(st.sampled_from(["UK", "usa", "NG", "Narnia"])))
def test_filters_read_again_are_the_same(names: list[str]) -> None:
    once = SearchFilters(regions=tuple(names))
    assert SearchFilters.model_validate_json(once.model_dump_json()) == once


def test_guidance_labelled_with_a_name_is_of_its_region() -> None:
    assert not from_elsewhere("UK", "GB")
    assert order(["US", "UK"], "GB") == [1, 0]


def test_filters_are_told_in_words() -> None:
    filters = SearchFilters.model_validate(
        {"source": "codes", "regions": ["UK"], "strengths": ["not_stated"], "published_to": "2018-06"}
    )
    assert filters.in_words() == ("source codes", "region UK or GB", "strength not stated", "published up to 2018-06")
    assert SearchFilters().in_words() == ()
