"""Which passages a search may return.

Publisher and region names are compared without regard to case or surrounding spaces, because they
may come from a person or a model. This module holds the rule; the stores apply it.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from retrieval.documents import SourceId


class SearchFilters(BaseModel):
    """Conditions that must all hold; an empty tuple or None puts no condition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceId | None = None
    #: Any of these publishers.
    publishers: tuple[str, ...] = ()
    #: Any of these regions: ISO 3166-1 alpha-2 codes, "EU" or "INT".
    regions: tuple[str, ...] = ()


NO_FILTERS = SearchFilters()


def filter_key(name: str) -> str:
    """The form in which publisher and region names are compared."""
    return " ".join(name.split()).casefold()
