"""The embedded search engine: Qdrant Edge in process, one directory, opened read-only by many.

Why the settings are as they are:
- The shard is built without a write-ahead log. The log holds a lock that lets only one process open the
  shard, and a terminal search must work while the service runs. Nothing is lost by it: a store is built
  once, flushed, and then only read; a build that was cut off is thrown away.
- Sparse vectors carry finished BM25 weights and no IDF modifier, so scores do not depend on how the
  engine counts documents (see `retrieval.bm25`).
- The dense leg looks at every passage that the filter leaves. Up to `exact_up_to` passages it compares whole
  vectors. Above, it first compares 4-bit codes, kept in memory, and then the whole vectors of the best
  `oversampling` times as many: a fifth of the bytes are read, and on real vectors the same ten nearest
  were found as by exact search (recall 1.000 at 50 000 and at 200 000; docs/adr/0011).
- A graph (HNSW) is only made above `scan_up_to_kb` of vectors, 450 000 passages: with a region and date filter
  it found half of the ten nearest. What it misses there must be measured before it is used.
The BM25 leg is always exact.
- The engine looks each passage up for every condition of a filter, which costs the dense leg more than comparing
  does where nearly all are left. There the best of the whole collection are asked for, deep enough, and those that
  the filter leaves out are dropped (`retrieval.stores.filter_table`): the same passages, since everything is compared
  either way. The engine filters where that was not deep enough, where fewer are left, and where a graph is walked.
The engine raises bare `Exception`s; every call goes through `_boundary`, which names them `StoreError`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from zipfile import BadZipFile

import numpy as np
import qdrant_edge as qe
from numpy.typing import NDArray

from retrieval.bm25 import Bm25Statistics, TermIds
from retrieval.documents import PassageId
from retrieval.errors import StoreError
from retrieval.filters import SearchFilters
from retrieval.stores.base import TIE_MARGIN, Leg, StoreKind, StorePoint, StoreProgress, below, ordered_leg
from retrieval.stores.conditions import FIELDS, NOT_SUPERSEDED, AnyOf, AtLeast, Condition, conditions, payload
from retrieval.stores.filter_table import FilterTable

_DENSE = "dense"
_BM25 = "bm25"
_BATCH = 1000  # points per update: bounds the memory of the Python copies
_FILTER_TABLE = "filters.npz"
#: How much deeper than wanted the best are asked for, for each share of them that is dropped: what is near a question
#: often shares what is filtered by. Deeper than the second number the engine filters faster.
_SIFTING, _SIFTED_TO = 40.0, 300


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """How the dense leg searches; sizes are of one collection.

    Passages up to which it is exact; kB of vectors (4 bytes a dimension) up to which all are compared; codes
    compared again as whole vectors, for each that is wanted; HNSW's degree, build and search beam widths.
    """

    exact_up_to: int = 20_000
    scan_up_to_kb: int = 700_000
    oversampling: float = 2.0
    hnsw_m: int = 16
    hnsw_ef_construct: int = 200
    hnsw_ef: int = 512


class EdgeStore:
    """A collection in a Qdrant Edge shard."""

    kind: StoreKind = "edge"

    def __init__(self, directory: Path, settings: EdgeSettings = EdgeSettings()) -> None:
        """Open what `build` wrote.

        Raises:
            StoreError: the directory is not a complete store.
        """
        self._parameters = qe.SearchParams(
            hnsw_ef=settings.hnsw_ef,
            quantization=qe.QuantizationSearchParams(rescore=True, oversampling=settings.oversampling),
            # A graph walk stops early where a filter leaves few of the neighbours; this looks one step further.
            acorn=qe.AcornSearchParams(enable=True, max_selectivity=1.0),
        )
        self._settings = settings
        try:
            self._ids = [PassageId(value) for value in json.loads((directory / "passages.json").read_text("utf-8"))]
            self._statistics = Bm25Statistics.load(directory / "statistics.npz")
            self._filters = FilterTable.load(directory / _FILTER_TABLE, len(self._ids))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise StoreError(f"{directory.name} is not a complete search store: {error}") from error
        with _boundary("open"):
            self._shard: qe.EdgeShard | None = qe.EdgeShard.load(str(directory / "shard"))
        # Where nothing is superseded the condition holds for every passage and would only cost time.
        self._mixed = self._filters.matching((NOT_SUPERSEDED,)).count < len(self._ids)

    @classmethod
    def build(
        cls,
        points: Sequence[StorePoint],
        directory: Path,
        *,
        settings: EdgeSettings = EdgeSettings(),
        progress: StoreProgress | None = None,
    ) -> EdgeStore:
        """Write a store of `points` into `directory` (which must not hold one), and open it.

        Durable when it returns. `progress` is called with points written and points in all.

        Raises:
            StoreError: the engine failed, or there is nothing to store.
        """
        if not points:
            raise StoreError("a search store needs at least one passage")
        shard_directory = directory / "shard"
        shard_directory.mkdir(parents=True)
        statistics = Bm25Statistics.of([point.terms for point in points])
        with _boundary("build"):
            shard = qe.EdgeShard.create(str(shard_directory), _config(len(points[0].vector), len(points), settings))
            for field, kind in FIELDS.items():
                schema = qe.PayloadSchemaType.Keyword if kind == "keyword" else qe.PayloadSchemaType.Integer
                shard.update(qe.UpdateOperation.create_field_index(field, schema))
            for start in range(0, len(points), _BATCH):
                batch = [
                    _point(number, point, statistics)
                    for number, point in enumerate(points[start : start + _BATCH], start=start)
                ]
                shard.update(qe.UpdateOperation.upsert_points(batch))
                if progress is not None:
                    progress(start + len(batch), len(points))
            shard.optimize()
            shard.flush()
            shard.close()
        statistics.save(directory / "statistics.npz")
        FilterTable.of(points).save(directory / _FILTER_TABLE)
        ids = json.dumps([point.passage_id for point in points], ensure_ascii=False)
        (directory / "passages.json").write_text(ids, encoding="utf-8")
        return cls(directory, settings)

    def bm25_leg(self, terms: TermIds, filters: SearchFilters, limit: int) -> Leg:
        """See `SearchStore.bm25_leg`."""
        weights = self._statistics.query_weights(terms)
        if not weights.indices:
            return ()
        vector = qe.SparseVector(indices=list(weights.indices), values=list(weights.values))
        # The engine's filter costs this leg little: only passages that share a term are looked at.
        points = self._points(qe.Query.Nearest(vector, using=_BM25), self._filter(filters), limit + TIE_MARGIN)
        return self._ordered(((row, score) for row, score in points if score > 0), limit)

    def dense_leg(self, vector: NDArray[np.float32], filters: SearchFilters, limit: int) -> Leg:
        """See `SearchStore.dense_leg`."""
        query = qe.Query.Nearest(vector.tolist(), using=_DENSE)
        scanned = len(self._ids) * vector.nbytes <= self._settings.scan_up_to_kb * 1024
        points = self._sifted(query, filters, limit) if scanned else None
        if points is None:
            points = self._points(query, self._filter(filters), limit + TIE_MARGIN)
        return self._ordered(points, limit)

    def count(self, filters: SearchFilters | None = None) -> int:
        """See `SearchStore.count`."""
        self._open_shard()
        return len(self._ids) if filters is None else self._filters.matching(conditions(filters)).count

    def close(self) -> None:
        """Release the shard; closing twice does nothing."""
        if self._shard is not None:
            with _boundary("close"):
                self._shard.close()
            self._shard = None

    def _open_shard(self) -> qe.EdgeShard:
        if self._shard is None:
            raise StoreError("the store is closed")
        return self._shard

    def _filter(self, filters: SearchFilters | None) -> qe.Filter | None:
        if filters is None:
            return None
        wanted = conditions(filters)
        return _filter(wanted if self._mixed else [part for part in wanted if part != NOT_SUPERSEDED])

    def _sifted(self, query: qe.Query, filters: SearchFilters, limit: int) -> list[tuple[int, float]] | None:
        """The best `limit` that the filter leaves, with all that score as the last; None where that is not the way."""
        left = self._filters.matching(conditions(filters))
        depth = math.ceil((1 + _SIFTING * (1 - left.share)) * limit) + TIE_MARGIN
        if depth > _SIFTED_TO:
            return None
        points = self._points(query, None, depth)
        kept = [point for point in points if left.rows[point[0]]]
        if len(points) < depth or (len(kept) >= limit and below(points[-1][1], kept[limit - 1][1])):
            return kept
        return None

    def _ordered(self, points: Iterable[tuple[int, float]], limit: int) -> Leg:
        return ordered_leg(((self._ids[row], score) for row, score in points), limit)

    def _points(self, query: qe.Query, where: qe.Filter | None, limit: int) -> list[tuple[int, float]]:
        """Rows with their scores, best first."""
        request = qe.QueryRequest(
            limit=limit, query=query, filter=where, params=self._parameters, with_payload=False, with_vector=False
        )
        with _boundary("search"):
            return [(cast("int", point.id), point.score) for point in self._open_shard().query(request)]


def _config(dimension: int, points: int, settings: EdgeSettings) -> qe.EdgeConfig:
    codes = qe.TurboQuantQuantizationConfig(bits=qe.TurboQuantBitSize.Bits4, memory=qe.Memory.Pinned)
    return qe.EdgeConfig(
        vectors={_DENSE: qe.EdgeVectorParams(size=dimension, distance=qe.Distance.Cosine)},
        sparse_vectors={_BM25: qe.EdgeSparseVectorParams()},
        hnsw_config=qe.HnswIndexConfig(
            m=settings.hnsw_m,
            ef_construct=settings.hnsw_ef_construct,
            full_scan_threshold=settings.scan_up_to_kb,
        ),
        quantization_config=codes if points > settings.exact_up_to else None,
        optimizers=qe.EdgeOptimizersConfig(indexing_threshold=settings.scan_up_to_kb),
        wal_enabled=False,
    )


def _point(number: int, point: StorePoint, statistics: Bm25Statistics) -> qe.Point:
    weights = statistics.passage_weights(point.terms)
    return qe.Point(
        id=number,
        vector={
            _DENSE: point.vector.tolist(),
            _BM25: qe.SparseVector(indices=list(weights.indices), values=list(weights.values)),
        },
        payload=payload(point),
    )


def _filter(wanted: Sequence[Condition]) -> qe.Filter | None:
    return qe.Filter(must=[_condition(condition) for condition in wanted]) if wanted else None


def _condition(condition: Condition) -> qe.FieldCondition:
    if isinstance(condition, AnyOf):
        # Measured at half the cost of a choice of one.
        if len(condition.values) == 1:
            return qe.FieldCondition(key=condition.field, match=qe.MatchValue(condition.values[0]))
        return qe.FieldCondition(key=condition.field, match=qe.MatchAny(list(condition.values)))
    if isinstance(condition, AtLeast):
        return qe.FieldCondition(key=condition.field, range=qe.RangeFloat(gte=condition.value))
    return qe.FieldCondition(key=condition.field, range=qe.RangeFloat(lte=condition.value))


@contextmanager
def _boundary(action: str) -> Iterator[None]:
    """Name whatever the engine raises; its messages hold no question or passage text."""
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise StoreError(f"the search engine could not {action}: {error}") from error
