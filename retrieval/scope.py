"""What may be searched and opened for whoever asks: a limit that no request can widen.

Filters say what somebody wants to see; a scope says what they may. The search applies it where filters become
conditions of the store, so that every way into the product is under it; a `ScopedSearcher` puts it on each request and
also keeps passages outside it from being opened by their ids.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, field_validator

from retrieval.documents import Document, Passage, PassageId, SourceId
from retrieval.filters import SearchFilters, filter_key
from retrieval.regions import HomeRegion

if TYPE_CHECKING:
    from retrieval.search import Hit, Searcher, SearchRequest, SearchResult
    from retrieval.sources import Source
    from retrieval.withdrawals import Withdrawal


class Scope(BaseModel):
    """Sources and regions; an empty tuple puts no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[SourceId, ...] = ()
    #: As in `SearchFilters`.
    regions: tuple[str, ...] = ()

    @field_validator("regions")
    @classmethod
    def _with_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return SearchFilters(regions=value).regions

    @property
    def unlimited(self) -> bool:
        """Whether everything may be searched."""
        return not self.sources and not self.regions

    @cached_property
    def _region_keys(self) -> frozenset[str]:
        return frozenset(map(filter_key, self.regions))

    def offers(self, source: SourceId | None) -> bool:
        """Whether a source may be searched."""
        return not self.sources or source in self.sources

    def holds_region(self, region: str) -> bool:
        """Whether guidance of a region may be shown."""
        return not self.regions or filter_key(region) in self._region_keys

    def holds(self, document: Document) -> bool:
        """Whether a document may be shown."""
        return self.holds_region(document.region) and self.offers(document.source)

    def limited(self, filters: SearchFilters) -> SearchFilters | None:
        """`filters` within the scope, None where nothing is left; where sources are limited, they must name one."""
        if not self.offers(filters.source):
            return None
        if not self.regions:
            return filters
        wanted = tuple(name for name in filters.regions if filter_key(name) in self._region_keys)
        if filters.regions and not wanted:
            return None
        return filters.model_copy(update={"regions": wanted or self.regions})


EVERYTHING = Scope()


class ScopedSearcher:
    """A searcher that finds and opens only what a scope holds."""

    def __init__(self, inner: Searcher, scope: Scope) -> None:
        self._inner = inner
        self._scope = scope

    @property
    def sources(self) -> tuple[Source, ...]:
        """See `Searcher.sources`; those of the scope."""
        return tuple(source for source in self._inner.sources if self._scope.offers(source.id))

    @property
    def regions(self) -> tuple[str, ...]:
        """See `Searcher.regions`; those of the scope."""
        return tuple(name for name in self._inner.regions if self._scope.holds_region(name))

    @property
    def index_version(self) -> str:
        """See `Searcher.index_version`."""
        return self._inner.index_version

    def search(self, request: SearchRequest) -> SearchResult:
        """See `Searcher.search`."""
        return self._inner.search(request.model_copy(update={"scope": self._scope}))

    def passage(self, id: PassageId) -> tuple[Passage, Document] | None:
        """See `Searcher.passage`; None outside the scope too."""
        found = self._inner.passage(id)
        return found if found is not None and self._scope.holds(found[1]) else None

    def hit(self, id: PassageId, home_region: HomeRegion | None = None) -> Hit | None:
        """See `Searcher.hit`; None outside the scope too."""
        hit = self._inner.hit(id, home_region)
        return hit if hit is not None and self._scope.holds(hit.document) else None

    def beside(self, id: PassageId) -> tuple[PassageId, ...]:
        """See `Searcher.beside`; none outside the scope."""
        return self._inner.beside(id) if self.passage(id) is not None else ()

    def withdrawal(self, id: PassageId) -> Withdrawal | None:
        """See `Searcher.withdrawal`."""
        return self._inner.withdrawal(id)


def scoped(searcher: Searcher, scope: Scope) -> Searcher:
    """The searcher under a scope; itself where that limits nothing."""
    return searcher if scope.unlimited else ScopedSearcher(searcher, scope)
