"""The home region: guidance of where the clinician works comes first among equals.

Each hit may rise by so many ranks, and none falls by more than `HOME_RANKS`: one from the home region by three,
one of the European Union for its members by two, an international one by one. The order moves within the hits
that are returned anyway, so no evidence from elsewhere is lost; it is labelled as being from elsewhere.
Ranks and not scores, because the scores of fusion and of a reranker have different scales.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field


def _home_code(value: object) -> object:
    return region_code(value) if isinstance(value, str) else value


#: ISO 3166-1 alpha-2 code of where a clinician works; common names are taken for it ("UK").
HomeRegion = Annotated[str, BeforeValidator(_home_code), Field(pattern=r"^[A-Z]{2}$")]

HOME_RANKS = 3
_EU_RANKS = 2
_INTERNATIONAL_RANKS = 1
# ISO 3166-1 codes of the member states.
EU_MEMBERS = frozenset(re.findall("..", "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK"))

# What people say for a region: names of countries that publish guidelines in English, and of two bodies.
_SAID = {
    "AU": ("australia",),
    "CA": ("canada",),
    "EU": ("europe", "european union", "e.u."),
    "GB": (
        "uk", "u.k.", "united kingdom", "great britain", "britain", "england", "scotland", "wales", "northern ireland",
    ),
    "IE": ("ireland", "republic of ireland"),
    "IN": ("india",),
    "INT": ("international", "global", "world", "worldwide", "who"),
    "KE": ("kenya",),
    "NG": ("nigeria",),
    "NZ": ("new zealand",),
    "US": ("usa", "u.s.", "u.s.a.", "united states", "united states of america", "america"),
    "ZA": ("south africa",),
}  # fmt: skip
_CODES = {name: code for code, names in _SAID.items() for name in names}

Item = TypeVar("Item")


def region_code(name: str) -> str:
    """The code of a region by a common name ("UK" -> "GB"); any other name as it is, without outer spaces."""
    return _CODES.get(" ".join(name.split()).casefold(), name.strip())


def from_elsewhere(region: str, home: str | None) -> bool:
    """Whether guidance of `region` is of neither the home region nor a body that it belongs to."""
    return home is not None and _ranks(region, home) == 0


def home_first(items: Sequence[Item], regions: Sequence[str], home: str | None) -> list[Item]:
    """`items` (best first) in the order for a home region; `regions` names the region of each."""
    if home is None:
        return list(items)
    rises = [_ranks(region, home) for region in regions]
    order = sorted(range(len(items)), key=lambda rank: (rank - rises[rank], -rises[rank], rank))
    return [items[rank] for rank in order]


def _ranks(region: str, home: str) -> int:
    region, home = region_code(region).upper(), region_code(home).upper()
    if region == home:
        return HOME_RANKS
    if region == "EU" and home in EU_MEMBERS:
        return _EU_RANKS
    return _INTERNATIONAL_RANKS if region == "INT" else 0
