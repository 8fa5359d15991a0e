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
from retrieval.filters import SearchFilters
from retrieval.stores.base import TIE_MARGIN, Leg, StoreKind, StorePoint, ordered_leg
from retrieval.stores.conditions import FIELDS, AnyOf, AtLeast, Condition, Value, conditions, payload


class ExactStore:
    """Exact BM25 and exact cosine over a collection held in memory."""

    kind: StoreKind = "exact"

    def __init__(self, points: Sequence[StorePoint], *, k1: float = K1, b: float = B) -> None:
        self._ids: list[PassageId] | None = [point.passage_id for point in points]
        self._size = len(points)
        payloads = [payload(point) for point in points]
        # A missing date is a value that no range holds.
        self._columns = {
            field: np.array([values.get(field, np.nan) for values in payloads], dtype=float)
            if kind == "integer"
            else _keywords([values[field] for values in payloads])
            for field, kind in FIELDS.items()
        }
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
        for condition in conditions(filters):
            mask &= self._holds(condition)
        return mask

    def _holds(self, condition: Condition) -> NDArray[np.bool_]:
        column = self._columns[condition.field]
        if isinstance(condition, AnyOf):
            wanted = frozenset(condition.values)
            return np.fromiter((not wanted.isdisjoint(own) for own in column), dtype=np.bool_, count=self._size)
        found: NDArray[np.bool_] = (
            column >= condition.value if isinstance(condition, AtLeast) else column <= condition.value
        )
        return found

    @staticmethod
    def _best(ids: list[PassageId], scores: NDArray[np.floating], rows: NDArray[np.intp], limit: int) -> Leg:
        keep = min(limit + TIE_MARGIN, len(rows))
        if keep < len(rows):
            rows = rows[np.argpartition(scores[rows], -keep)[-keep:]]
        return ordered_leg(((ids[row], float(scores[row])) for row in rows.tolist()), limit)


def _keywords(values: Sequence[Value]) -> NDArray[np.object_]:
    """One set of keywords a passage; equal ones are one object."""
    made: dict[tuple[str, ...], frozenset[str]] = {}
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        key = tuple(value) if isinstance(value, list) else (str(value),)
        column[row] = made.setdefault(key, frozenset(key))
    return column
