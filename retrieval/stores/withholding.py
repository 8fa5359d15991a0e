"""A store that leaves withdrawn passages out, as if the collection did not hold them.

Each leg is asked for more until it is as long as was wanted without them, so a search that meets many withdrawn
passages is as deep as any other. Only BM25's statistics still count them, until the next build.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from retrieval.bm25 import TermIds
from retrieval.documents import PassageId
from retrieval.filters import SearchFilters
from retrieval.stores.base import Leg, SearchStore, StoreKind


class WithholdingStore:
    """`inner` without the passages that `hidden` names at the time of each call."""

    def __init__(self, inner: SearchStore, hidden: Callable[[], frozenset[PassageId]]) -> None:
        self._inner = inner
        self._hidden = hidden

    @property
    def kind(self) -> StoreKind:
        """See `SearchStore.kind`."""
        return self._inner.kind

    def bm25_leg(self, terms: TermIds, filters: SearchFilters, limit: int) -> Leg:
        """See `SearchStore.bm25_leg`."""
        return self._leg(lambda depth: self._inner.bm25_leg(terms, filters, depth), limit)

    def dense_leg(self, vector: NDArray[np.float32], filters: SearchFilters, limit: int) -> Leg:
        """See `SearchStore.dense_leg`."""
        return self._leg(lambda depth: self._inner.dense_leg(vector, filters, depth), limit)

    def count(self, filters: SearchFilters | None = None) -> int:
        """See `SearchStore.count`; withdrawn passages are counted until the next build."""
        return self._inner.count(filters)

    def close(self) -> None:
        """See `SearchStore.close`."""
        self._inner.close()

    def _leg(self, ask: Callable[[int], Leg], limit: int) -> Leg:
        hidden = self._hidden()
        depth = limit
        while True:
            leg = ask(depth)
            kept = tuple(item for item in leg if item[0] not in hidden)
            if len(kept) >= limit or len(leg) < depth:
                return kept[:limit]
            depth += max(limit, len(leg) - len(kept))
