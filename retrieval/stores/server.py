"""The server store: a collection on a Qdrant server or cluster, by URL.

Same vectors, same finished BM25 weights and same filters as the embedded store, so the same two legs.
What lives where:
- On the server, one collection for each generation of the index: vectors, sparse weights, what is
  filtered by, and each passage's id, so that a hit names its passage itself. No text of a passage.
- In the index directory: the passages of record, the statistics that a query's BM25 weights need, and
  `server.json`, which names the collection.
So one pointer, the directory's CURRENT, swaps passages, statistics and collection together; an alias on
the server could move at another moment than the passages. Another machine opens the same index from a
copy of the directory. An older collection stays as long as its generation does (the previous one always),
and its name stands on disk before it is made, so a build that was cut off leaves none behind for good.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from qdrant_client import models

from retrieval.bm25 import Bm25Statistics, TermIds
from retrieval.documents import PassageId
from retrieval.errors import StoreError
from retrieval.files import write_atomically
from retrieval.filters import SearchFilters
from retrieval.stores.base import TIE_MARGIN, Leg, StoreKind, StorePoint, StoreProgress, ordered_leg
from retrieval.stores.conditions import FIELDS, AnyOf, AtLeast, Condition, FieldKind, conditions, payload
from retrieval.stores.elsewhere import RECORD_FILE, ServerRecord
from retrieval.stores.server_client import Connect, ServerClient, connect
from retrieval.stores.server_settings import ServerSettings

_DENSE = "dense"
_BM25 = "bm25"
_PASSAGE = "passage_id"
_BATCH = 256  # points in a request: about 1.5 MB of JSON
_POLL_S = 0.5
_HNSW_EF = 128
#: Vectors (kB) of a segment up to which the server searches in full, as the embedded store does.
_EXACT_BELOW_KB = 100_000
_SCHEMAS: dict[FieldKind, models.PayloadSchemaType] = {
    "keyword": models.PayloadSchemaType.KEYWORD,
    "integer": models.PayloadSchemaType.INTEGER,
}
#: Grey: the server optimises at the next write, so there is nothing to wait for.
_DONE = (models.CollectionStatus.GREEN, models.CollectionStatus.GREY)


class ServerStore:
    """A collection on a Qdrant server."""

    kind: StoreKind = "server"

    def __init__(self, directory: Path, settings: ServerSettings, *, connect: Connect = connect) -> None:
        """Open the collection that `directory` names.

        Raises:
            StoreError: the directory is not complete, the server cannot be reached, or the collection is not there
                or not whole.
        """
        self._record = _read_record(directory)
        try:
            self._statistics = Bm25Statistics.load(directory / "statistics.npz")
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(f"{directory.name} is not a complete search store: {error}") from error
        self._client: ServerClient | None = ServerClient(settings, building=False, connect=connect)
        held = self.count()
        if held != self._record.points:
            self.close()
            raise StoreError(
                f"The collection {self._record.collection} on the Qdrant server at {settings.host} holds {held} of "
                f"{self._record.points} passages. Run `clinsearch index build`."
            )

    def bm25_leg(self, terms: TermIds, filters: SearchFilters, limit: int) -> Leg:
        """See `SearchStore.bm25_leg`."""
        client = self._open_client()
        weights = self._statistics.query_weights(terms)
        if not weights.indices:
            return ()
        vector = models.SparseVector(indices=list(weights.indices), values=list(weights.values))
        leg = self._leg(client, vector, _BM25, filters, limit)
        return tuple((passage_id, score) for passage_id, score in leg if score > 0)

    def dense_leg(self, vector: NDArray[np.float32], filters: SearchFilters, limit: int) -> Leg:
        """See `SearchStore.dense_leg`."""
        client = self._open_client()
        if vector.shape != (self._record.dimension,):
            raise StoreError(f"a query vector of shape {vector.shape} does not fit {self._record.dimension} dimensions")
        return self._leg(client, vector.tolist(), _DENSE, filters, limit)

    def count(self, filters: SearchFilters | None = None) -> int:
        """See `SearchStore.count`."""
        name, condition = self._record.collection, None if filters is None else _filter(filters)
        return self._open_client().call("count passages", lambda client: client.count(name, condition).count)

    def close(self) -> None:
        """Give the connection back; closing twice does nothing."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _open_client(self) -> ServerClient:
        if self._client is None:
            raise StoreError("the store is closed")
        return self._client

    def _leg(
        self,
        client: ServerClient,
        query: models.SparseVector | list[float],
        using: str,
        filters: SearchFilters,
        limit: int,
    ) -> Leg:
        name, condition = self._record.collection, _filter(filters)
        found = client.call(
            "search",
            lambda client: (
                client.query_points(
                    name,
                    query,
                    using=using,
                    query_filter=condition,
                    search_params=models.SearchParams(hnsw_ef=_HNSW_EF),
                    limit=limit + TIE_MARGIN,
                    with_payload=[_PASSAGE],
                ).points
            ),
        )
        return ordered_leg(((PassageId((point.payload or {})[_PASSAGE]), point.score) for point in found), limit)


class ServerBackend:
    """Builds each generation into a collection of its own."""

    kind: StoreKind = "server"

    def __init__(
        self,
        settings: ServerSettings,
        *,
        connect: Connect = connect,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`connect` makes the client and `sleep` waits (seconds) between attempts."""
        self._settings = settings
        self._connect = connect
        self._sleep = sleep

    def build(self, points: Sequence[StorePoint], directory: Path, progress: StoreProgress | None = None) -> None:
        """See `StoreBackend.build`."""
        if not points:
            raise StoreError("a search store needs at least one passage")
        directory.mkdir(parents=True)
        statistics = Bm25Statistics.of([point.terms for point in points])
        statistics.save(directory / "statistics.npz")
        record = ServerRecord(
            url=self._settings.url,
            collection=f"{self._settings.prefix}-{directory.parent.name}-{secrets.token_hex(6)}",
            points=len(points),
            dimension=len(points[0].vector),
        )
        with write_atomically(directory / RECORD_FILE) as file:
            file.write(record.model_dump_json(indent=1).encode())
        with self._server(building=True) as server:
            self._create(server, record)
            for start in range(0, len(points), _BATCH):
                batch = _structs(points[start : start + _BATCH], start, statistics)
                _put(server, record.collection, batch)
                if progress is not None:
                    progress(start + len(batch), len(points))
            self._wait_until_indexed(server, record.collection)

    def complete(self, directory: Path) -> bool:
        """See `StoreBackend.complete`."""
        if not (directory / RECORD_FILE).is_file():
            return False
        name, points = (record := _read_record(directory)).collection, record.points
        with self._server() as server:
            return (
                server.call("look for the index", lambda client: client.collection_exists(name))
                and server.call("count passages", lambda client: client.count(name).count) == points
            )

    def open(self, directory: Path, points: object) -> ServerStore:  # noqa: ARG002 - the collection holds them
        """See `StoreBackend.open`."""
        return ServerStore(directory, self._settings, connect=self._connect)

    def discard(self, directory: Path) -> ServerRecord | None:
        """See `StoreBackend.discard`."""
        if not (directory / RECORD_FILE).is_file():
            return None
        record = _read_record(directory)
        name = record.collection
        with self._server() as server:
            if server.call("look for an old index", lambda client: client.collection_exists(name)):
                server.call("remove an old index", lambda client: client.delete_collection(name))
                return None
        return None if record.url == self._settings.url else record

    @contextmanager
    def _server(self, *, building: bool = False) -> Iterator[ServerClient]:
        server = ServerClient(self._settings, building=building, connect=self._connect, sleep=self._sleep)
        try:
            yield server
        finally:
            server.close()

    def _create(self, server: ServerClient, record: ServerRecord) -> None:
        settings, name = self._settings, record.collection
        server.call(
            "make a collection",
            # An attempt that succeeded may have lost its answer.
            lambda client: (
                client.collection_exists(name)
                or client.create_collection(
                    name,
                    vectors_config={
                        _DENSE: models.VectorParams(size=record.dimension, distance=models.Distance.COSINE)
                    },
                    sparse_vectors_config={_BM25: models.SparseVectorParams()},
                    shard_number=settings.shards,
                    replication_factor=settings.replicas,
                    hnsw_config=models.HnswConfigDiff(full_scan_threshold=_EXACT_BELOW_KB),
                    optimizers_config=models.OptimizersConfigDiff(indexing_threshold=_EXACT_BELOW_KB),
                )
            ),
        )
        for field, kind in FIELDS.items():
            _index_field(server, name, field, _SCHEMAS[kind])

    def _wait_until_indexed(self, server: ServerClient, name: str) -> None:
        """Until the server has sorted its segments, so that the first searches are not slow ones."""
        deadline = time.monotonic() + self._settings.build_timeout_s
        while server.call("tell its state", lambda client: client.get_collection(name).status) not in _DONE:
            if time.monotonic() > deadline:
                return  # searches are right meanwhile, only slower
            self._sleep(_POLL_S)


def _put(server: ServerClient, name: str, batch: list[models.PointStruct]) -> None:
    server.call("store passages", lambda client: client.upsert(name, batch, wait=True))


def _index_field(server: ServerClient, name: str, field: str, schema: models.PayloadSchemaType) -> None:
    server.call("prepare its filters", lambda client: client.create_payload_index(name, field, schema))


def _structs(points: Sequence[StorePoint], first: int, statistics: Bm25Statistics) -> list[models.PointStruct]:
    structs = []
    for number, point in enumerate(points, start=first):
        weights = statistics.passage_weights(point.terms)
        sparse = models.SparseVector(indices=list(weights.indices), values=list(weights.values))
        structs.append(
            models.PointStruct(
                id=number,
                vector={_DENSE: point.vector.tolist(), _BM25: sparse},
                payload={_PASSAGE: str(point.passage_id), **payload(point)},
            )
        )
    return structs


def _read_record(directory: Path) -> ServerRecord:
    try:
        return ServerRecord.model_validate_json((directory / RECORD_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreError(f"{directory.name} is not a complete search store of a server") from error


def _filter(filters: SearchFilters) -> models.Filter | None:
    wanted = [_condition(condition) for condition in conditions(filters)]
    return models.Filter(must=wanted) if wanted else None


def _condition(condition: Condition) -> models.Condition:
    if isinstance(condition, AnyOf):
        return models.FieldCondition(key=condition.field, match=models.MatchAny(any=list(condition.values)))
    if isinstance(condition, AtLeast):
        return models.FieldCondition(key=condition.field, range=models.Range(gte=condition.value))
    return models.FieldCondition(key=condition.field, range=models.Range(lte=condition.value))
