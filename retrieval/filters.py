"""Which passages a search may return.

Publisher and region names are compared without regard to case or surrounding spaces, because they
may come from a person or a model; languages by their first subtag ("en-GB" is "en"). A date known in part
matches where any of its days does ("2018" is found from 2018-06 on, its date is shown); a passage without a
date never matches a date filter. This module holds the rules; `retrieval.stores.conditions` says them in
terms that every store applies.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from retrieval.dates import PartialDate, first_day, last_day
from retrieval.documents import SourceId
from retrieval.regions import region_code
from retrieval.strength import StrengthClass


class SearchFilters(BaseModel):
    """Conditions that must all hold; an empty tuple or None puts no condition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceId | None = None
    #: Any of these publishers.
    publishers: tuple[str, ...] = ()
    #: Any of these regions: ISO 3166-1 alpha-2 codes, "EU" or "INT"; beside a common name ("UK") stands its code.
    regions: tuple[str, ...] = ()
    #: Any of these languages: BCP 47 tags, compared by their first subtag.
    languages: tuple[str, ...] = ()
    #: Published on or after the first day of this date.
    published_from: PartialDate | None = None
    #: Published on or before the last day of this date.
    published_to: PartialDate | None = None
    #: Any of these classes of strength.
    strengths: tuple[StrengthClass, ...] = ()
    #: Whether guidance that a newer version replaces may be found.
    include_superseded: bool = False

    @field_validator("regions")
    @classmethod
    def _with_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        # The name stays: a document may have been given it.
        return tuple(dict.fromkeys(item for name in value for item in (name, region_code(name))))

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if not dates_in_order(self.published_from, self.published_to):
            raise ValueError("published_from is after published_to")
        return self

    @property
    def dated(self) -> bool:
        """Whether passages without a date are left out."""
        return self.published_from is not None or self.published_to is not None

    def in_words(self) -> tuple[str, ...]:
        """Each condition for people: "region UK or GB", "published from 2018"; empty without conditions."""
        anys = (
            ("source", (self.source,) if self.source else ()),
            ("publisher", self.publishers),
            ("region", self.regions),
            ("language", self.languages),
            ("strength", tuple(strength.replace("_", " ") for strength in self.strengths)),
        )
        dates = (("published from", self.published_from), ("published up to", self.published_to))
        return (
            *(f"{what} {' or '.join(names)}" for what, names in anys if names),
            *(f"{what} {day}" for what, day in dates if day is not None),
        )


def dates_in_order(start: PartialDate | None, end: PartialDate | None) -> bool:
    """Whether some day lies between two partial dates; an open end always allows one."""
    return start is None or end is None or first_day(start) <= last_day(end)


NO_FILTERS = SearchFilters()


def filter_key(name: str) -> str:
    """The form in which publisher and region names are compared."""
    return " ".join(name.split()).casefold()


def language_key(tag: str) -> str:
    """The form in which languages are compared: "en-GB" -> "en"."""
    return tag.strip().replace("_", "-").split("-", 1)[0].casefold()
