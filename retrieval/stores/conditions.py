"""Filters in terms that every engine has: what a point carries, and the conditions on it.

A store indexes the fields of `FIELDS`, writes `payload` of each point and applies every condition of
`conditions`; it reads `SearchFilters` in no other way, so all stores keep the same passages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from retrieval.dates import first_day, last_day
from retrieval.filters import SearchFilters, filter_key, language_key
from retrieval.stores.base import StorePoint

#: Stands in the index version and in the manifest: an index of another one is not opened. Change it whenever a passage
#: gets another payload, also by another table of strengths, so that the next build writes the payloads anew.
PAYLOAD_VERSION = "2"

FieldKind = Literal["keyword", "integer"]
#: A keyword, several keywords (a point matches by any of them), or a day as an integer (20181031).
Value = str | list[str] | int

PUBLISHED_FIRST = "published_first"
PUBLISHED_LAST = "published_last"
#: The same days, of what no newer version replaces alone: a date filter then needs no condition more for that.
CURRENT_FIRST = "current_first"
CURRENT_LAST = "current_last"
SUPERSEDED = "superseded"

#: Every field that is filtered by, with the index it needs.
FIELDS: Mapping[str, FieldKind] = {
    "source": "keyword",
    "publisher": "keyword",
    "region": "keyword",
    "language": "keyword",
    "strength": "keyword",
    SUPERSEDED: "keyword",
    PUBLISHED_FIRST: "integer",
    PUBLISHED_LAST: "integer",
    CURRENT_FIRST: "integer",
    CURRENT_LAST: "integer",
}


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field holds at least one of these keywords."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The field is there and not below this."""

    field: str
    value: int


@dataclass(frozen=True, slots=True)
class AtMost:
    """The field is there and not above this."""

    field: str
    value: int


Condition = AnyOf | AtLeast | AtMost

#: What leaves superseded guidance out. A store that holds none may drop it.
NOT_SUPERSEDED = AnyOf(SUPERSEDED, ("no",))


def payload(point: StorePoint) -> dict[str, Value]:
    """The fields of a point; the days of publication are left out where no date is known."""
    values: dict[str, Value] = {
        "source": str(point.source),
        "publisher": filter_key(point.publisher),
        "region": filter_key(point.region),
        "language": language_key(point.language),
        "strength": sorted(str(name) for name in point.strengths),
        SUPERSEDED: "yes" if point.superseded else "no",
    }
    if point.published is not None:
        values[PUBLISHED_FIRST] = first_day(point.published)
        values[PUBLISHED_LAST] = last_day(point.published)
        if not point.superseded:
            values[CURRENT_FIRST], values[CURRENT_LAST] = values[PUBLISHED_FIRST], values[PUBLISHED_LAST]
    return values


def conditions(filters: SearchFilters) -> tuple[Condition, ...]:
    """The conditions that must all hold."""
    wanted: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("source", (str(filters.source),) if filters.source is not None else ()),
        ("publisher", tuple(filter_key(name) for name in filters.publishers)),
        ("region", tuple(filter_key(name) for name in filters.regions)),
        ("language", tuple(language_key(tag) for tag in filters.languages)),
        ("strength", tuple(str(name) for name in filters.strengths)),
    )
    found: list[Condition] = [AnyOf(field, values) for field, values in wanted if values]
    current = not filters.include_superseded
    first, last = (CURRENT_FIRST, CURRENT_LAST) if current else (PUBLISHED_FIRST, PUBLISHED_LAST)
    # A date known in part is kept where any of its days is in range.
    if filters.published_from is not None:
        found.append(AtLeast(last, first_day(filters.published_from)))
    if filters.published_to is not None:
        found.append(AtMost(first, last_day(filters.published_to)))
    if current and not filters.dated:
        found.append(NOT_SUPERSEDED)
    return tuple(found)


def holds(condition: Condition, values: Mapping[str, Value]) -> bool:
    """Whether the payload of a point meets a condition; the meaning that engines are held to."""
    value = values.get(condition.field)
    if isinstance(condition, AnyOf):
        own = value if isinstance(value, list) else [value]
        return any(item in condition.values for item in own)
    if not isinstance(value, int):
        return False
    return value >= condition.value if isinstance(condition, AtLeast) else value <= condition.value
