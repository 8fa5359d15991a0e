"""The contract of a search store: two legs over one immutable collection.

A store answers a BM25 leg and a dense leg, each filtered, cut and ordered; it never fuses them. Fusion
is a pure function outside (`retrieval.fusion`), so the ranking rule is the same on every store. A store
is built once for a whole collection and then only read: an index changes by building the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.bm25 import TermIds
from retrieval.dates import PartialDate
from retrieval.documents import PassageId, SourceId
from retrieval.filters import SearchFilters
from retrieval.strength import StrengthClass

StoreKind = Literal["edge", "exact", "server"]

#: Called with points written and points in all.
StoreProgress = Callable[[int, int], None]

#: Passages with their scores, best first.
Leg = tuple[tuple[PassageId, float], ...]

# Engines add the same products in different orders and precisions (measured: relative error 2e-7). Scores
# that agree to this many decimals count as equal and are ordered by passage id, so that both stores give
# one ranking; coarser rounding would reorder passages that really differ.
_DECIMALS = 5

#: Asked for on top of the limit, so that a tie at the cut is also broken by passage id.
TIE_MARGIN = 32


@dataclass(frozen=True, slots=True)
class StorePoint:
    """A passage as a store sees it: what it is filtered by, its bag of terms and its unit vector."""

    passage_id: PassageId
    source: SourceId
    publisher: str
    region: str
    #: Bag of term ids, repeats kept; shape [terms].
    terms: TermIds
    #: Unit length; shape [dimension].
    vector: NDArray[np.float32]
    #: BCP 47 tag.
    language: str = "en"
    #: None where the document gives no date.
    published: PartialDate | None = None
    #: Never empty.
    strengths: frozenset[StrengthClass] = frozenset({StrengthClass.NOT_STATED})
    #: A newer version of its document is in the collection.
    superseded: bool = False


class SearchStore(Protocol):
    """Two legs over one collection; safe to call from several threads."""

    @property
    def kind(self) -> StoreKind:
        """Which implementation this is."""
        ...

    def bm25_leg(self, terms: TermIds, filters: SearchFilters, limit: int) -> Leg:
        """Passages sharing a term with the query, by BM25 (see `retrieval.bm25`) over the whole collection.

        Raises:
            StoreError: the engine failed or the store is closed.
        """
        ...

    def dense_leg(self, vector: NDArray[np.float32], filters: SearchFilters, limit: int) -> Leg:
        """Passages by cosine with `vector` (shape [dimension], not zero), -1 .. 1.

        Raises:
            StoreError: the engine failed, the store is closed or the dimension differs.
        """
        ...

    def count(self, filters: SearchFilters | None = None) -> int:
        """How many passages match; without filters all of them, superseded ones too."""
        ...

    def close(self) -> None:
        """Release everything; closing twice does nothing."""
        ...


def ordered_leg(scored: Iterable[tuple[PassageId, float]], limit: int) -> Leg:
    """The best `limit` by score (rounded, see above), equal scores by passage id."""
    return tuple(sorted(scored, key=lambda item: (-round(item[1], _DECIMALS), item[0]))[:limit])


def below(score: float, other: float) -> bool:
    """Whether a score is lower than another in the order of a leg, not its equal."""
    return round(score, _DECIMALS) < round(other, _DECIMALS)
