"""The exact reference store: bm25s and numpy, in memory.

It scores every passage, so it cannot miss one; it keeps the contract that `EdgeStore` is tested against
and serves where the embedded engine cannot be installed. BM25 comes from bm25s, an implementation that
shares no code with `retrieval.bm25`. It must not be used for large collections: a search is O(passages).
"""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np
from numpy.typing import NDArray

from retrieval.bm25 import K1, B, TermIds
from retrieval.documents import PassageId
from retrieval.errors import StoreError
from retrieval.filters import SearchFilters, filter_key
from retrieval.stores.base import TIE_MARGIN, Leg, StoreKind, StorePoint, ordered_leg


class ExactStore:
    """Exact BM25 and exact cosine over a collection held in memory."""

    kind: StoreKind = "exact"

    def __init__(self, points: Sequence[StorePoint], *, k1: float = K1, b: float = B) -> None:
        self._ids: list[PassageId] | None = [point.passage_id for point in points]
        self._size = len(points)
        self._sources = np.array([str(point.source) for point in points], dtype=object)
        self._publishers = np.array([filter_key(point.publisher) for point in points], dtype=object)
        self._regions = np.array([filter_key(point.region) for point in points], dtype=object)
        self._vectors = np.array([point.vector for point in points], dtype=np.float32)
        self._vectors /= np.linalg.norm(self._vectors, axis=1, keepdims=True) if self._size else 1.0
        self._vocabulary = {str(term) for point in points for term in np.unique(point.terms).tolist()}
        self._bm25: bm25s.BM25 | None = None
        if self._vocabulary:
            self._bm25 = bm25s.BM25(method="lucene", k1=k1, b=b, dtype="float64")
            self._bm25.index([[str(term) for term in point.terms.tolist()] for point in points], show_progress=False)

    def bm25_leg(self, terms: TermIds, filters: SearchFilters, limit: int) -> Leg:
        """See `SearchStore.bm25_leg`."""
        ids = self._open_ids()
        known = [str(term) for term in terms.tolist() if str(term) in self._vocabulary]
        if self._bm25 is None or not known:
            return ()
        scores = np.where(self._mask(filters), self._bm25.get_scores(known), 0.0)
        return self._best(ids, scores, np.flatnonzero(scores > 0), limit)

    def dense_leg(self, vector: NDArray[np.float32], filters: SearchFilters, limit: int) -> Leg:
        """See `SearchStore.dense_leg`."""
        ids = self._open_ids()
        if not self._size:
            return ()
        if vector.shape != self._vectors.shape[1:]:
            raise StoreError(f"a query vector of shape {vector.shape} does not fit {self._vectors.shape[1]} dimensions")
        scores = self._vectors @ (vector / np.linalg.norm(vector))
        return self._best(ids, scores, np.flatnonzero(self._mask(filters)), limit)

    def count(self, filters: SearchFilters | None = None) -> int:
        """See `SearchStore.count`."""
        self._open_ids()
        return self._size if filters is None else int(self._mask(filters).sum())

    def close(self) -> None:
        """Forget the collection; a later search raises `StoreError`."""
        self._ids = None

    def _open_ids(self) -> list[PassageId]:
        if self._ids is None:
            raise StoreError("the store is closed")
        return self._ids

    def _mask(self, filters: SearchFilters) -> NDArray[np.bool_]:
        mask = np.ones(self._size, dtype=np.bool_)
        if filters.source is not None:
            mask &= self._sources == str(filters.source)
        for column, wanted in ((self._publishers, filters.publishers), (self._regions, filters.regions)):
            if wanted:
                keys = {filter_key(name) for name in wanted}
                mask &= np.fromiter((value in keys for value in column), dtype=np.bool_, count=self._size)
        return mask

    @staticmethod
    def _best(ids: list[PassageId], scores: NDArray[np.floating], rows: NDArray[np.intp], limit: int) -> Leg:
        keep = min(limit + TIE_MARGIN, len(rows))
        if keep < len(rows):
            rows = rows[np.argpartition(scores[rows], -keep)[-keep:]]
        return ordered_leg(((ids[row], float(scores[row])) for row in rows.tolist()), limit)
