"""What is measured: the product's legs and fusion, and rank-bm25 as the oracle of its BM25.

`tuned` is the product's own `HybridSearcher` with its default settings, `adapted` the same with the product's query
adapter, `rerank` with its reranker, `adapted-rerank` with both; `predicted` and `predicted-rerank` are `adapted` and
`adapted-rerank` with the queries that are predicted for the set's passages, the last of them what the product does for
guidelines. Of the sets here guidelines and starter have such queries; without any they are as `adapted`. `hybrid` is
the same searcher untuned (reciprocal rank fusion of both legs, k = 60), kept as the baseline;
`bm25` and `dense` are the legs, alone.
`rank-bm25` is a separate implementation given the same terms, k1 and b. Its own idf (Okapi's, with a floor for
frequent terms) is another formula, so it is given Lucene's, counted here and not by the code under test: then both
must agree.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from eval.retrieval.errors import ExtraMissingError, UnknownSystemError
from eval.retrieval.indexed import IndexedSet
from eval.retrieval.measures import DEPTH
from retrieval import (
    AdaptedQueries,
    Encoder,
    HybridSearcher,
    RerankerError,
    RerankStage,
    SearchFilters,
    SearchRequest,
    SearchSettings,
)
from retrieval.bm25 import K1, B, term_ids
from retrieval.searched_text import bm25_text
from retrieval.tokens import tokenise

_FILTERS = SearchFilters()
_NO_DEADLINE_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a system found for one query, best first, at most `DEPTH`."""

    passages: tuple[str, ...]
    #: Milliseconds, without the encoding of the query.
    search_ms: float


class System(Protocol):
    """One way to search an indexed set."""

    def search(self, query: str) -> Ranking:
        """Rank passages for a query.

        Raises:
            RetrievalError: the encoder or the search engine failed.
        """
        ...


class Bm25System:
    """The product's BM25 leg alone."""

    def __init__(self, collection: IndexedSet) -> None:
        self._store = collection.store

    def search(self, query: str) -> Ranking:
        """See `System.search`."""
        start = time.perf_counter()
        leg = self._store.bm25_leg(term_ids(tokenise(query)), _FILTERS, DEPTH)
        return Ranking(tuple(item for item, _ in leg), (time.perf_counter() - start) * 1e3)


class DenseSystem:
    """The product's dense leg alone."""

    def __init__(self, collection: IndexedSet) -> None:
        self._store = collection.store
        self._encoder = _encoder(collection)

    def search(self, query: str) -> Ranking:
        """See `System.search`."""
        (vector,) = self._encoder.encode_queries([query])
        start = time.perf_counter()
        leg = self._store.dense_leg(vector, _FILTERS, DEPTH)
        return Ranking(tuple(item for item, _ in leg), (time.perf_counter() - start) * 1e3)


class SearcherSystem:
    """The product's searcher, each leg as deep as the measures look."""

    def __init__(
        self,
        collection: IndexedSet,
        ranking: Literal["rescored", "fused"],
        *,
        adapted: bool = False,
        predicted: bool = False,
    ) -> None:
        self._searcher = HybridSearcher(
            collection.store,
            _encoder(collection),
            collection.corpus,
            settings=SearchSettings(leg_limit=DEPTH, ranking=ranking),
            table=collection.table if ranking == "rescored" else None,
            predicted=collection.predicted if predicted else None,
            adapted=_adapted(collection) if adapted else None,
        )

    def search(self, query: str) -> Ranking:
        """See `System.search`."""
        result = self._searcher.search(SearchRequest(queries=(query,), limit=DEPTH))
        passages = tuple(hit.passage.id for hit in result.hits)
        return Ranking(passages, result.total_ms - result.encode_ms)


class RerankSystem:
    """The product's search, which is `tuned`, with its reranker, its weight and its number of candidates.

    Without the deadline, so that figures do not depend on how busy the machine is: read the latency beside the
    deadline that a service sets. Over every source: the figures say of a benchmark what the reranker does to it.
    """

    def __init__(self, collection: IndexedSet, *, adapted: bool = False, predicted: bool = False) -> None:
        if collection.reranking is None:
            raise UnknownSystemError("This run was given no reranker.")
        settings = collection.reranking.settings.model_copy(update={"deadline_ms": _NO_DEADLINE_MS, "sources": ()})
        stage = RerankStage(collection.reranking.reranker, settings)
        stage.warm().result()
        self._searcher = HybridSearcher(
            collection.store,
            _encoder(collection),
            collection.corpus,
            settings=SearchSettings(leg_limit=DEPTH),
            table=collection.table,
            predicted=collection.predicted if predicted else None,
            reranking=stage,
            adapted=_adapted(collection) if adapted else None,
        )

    def search(self, query: str) -> Ranking:
        """See `System.search`."""
        result = self._searcher.search(SearchRequest(queries=(query,), limit=DEPTH))
        if result.not_reranked in ("deadline", "failed"):
            raise RerankerError("The reranker failed, so its figures would be those of the hybrid search.")
        passages = tuple(hit.passage.id for hit in result.hits)
        return Ranking(passages, result.total_ms - result.encode_ms)


class RankBm25System:
    """rank-bm25's BM25Okapi with Lucene's idf, over the product's terms."""

    def __init__(self, collection: IndexedSet) -> None:
        try:
            rank_bm25: Any = importlib.import_module("rank_bm25")
        except ImportError as error:
            raise ExtraMissingError("rank-bm25 is not installed: pip install 'clinsearch[eval]'.") from error
        bags = [tokenise(bm25_text(passage, document)) for passage, document in collection.pairs]
        self._ids = np.array([passage.id for passage, _ in collection.pairs], dtype=object)
        self._bm25 = rank_bm25.BM25Okapi(bags, k1=K1, b=B)
        frequencies = Counter(term for bag in bags for term in set(bag))
        # As in eval.bench_search; the idf is an attribute, so no subclass is needed.
        self._bm25.idf = {
            term: math.log(1 + (len(bags) - count + 0.5) / (count + 0.5)) for term, count in frequencies.items()
        }

    def search(self, query: str) -> Ranking:
        """See `System.search`."""
        start = time.perf_counter()
        scores = self._bm25.get_scores(tokenise(query))
        rows = np.flatnonzero(scores > 0)  # a passage that shares no term with the query is not found
        best = rows[np.lexsort((self._ids[rows], -scores[rows]))][:DEPTH]
        passages = tuple(str(item) for item in self._ids[best])
        return Ranking(passages, (time.perf_counter() - start) * 1e3)


#: How each system is made, by the name it is asked for.
SYSTEMS: Mapping[str, Callable[[IndexedSet], System]] = {
    "bm25": Bm25System,
    "dense": DenseSystem,
    "hybrid": lambda collection: SearcherSystem(collection, "fused"),
    "tuned": lambda collection: SearcherSystem(collection, "rescored"),
    "adapted": lambda collection: SearcherSystem(collection, "rescored", adapted=True),
    "predicted": lambda collection: SearcherSystem(collection, "rescored", adapted=True, predicted=True),
    "rerank": RerankSystem,
    "adapted-rerank": lambda collection: RerankSystem(collection, adapted=True),
    "predicted-rerank": lambda collection: RerankSystem(collection, adapted=True, predicted=True),
    "rank-bm25": RankBm25System,
}

#: Systems with the query adapter, and those with the reranker.
ADAPTED = frozenset({"adapted", "adapted-rerank", "predicted", "predicted-rerank"})
RERANKED = frozenset({"rerank", "adapted-rerank", "predicted-rerank"})
_WITH_VECTORS = frozenset({"dense", "hybrid", "tuned"}) | ADAPTED | RERANKED


def checked_systems(names: list[str]) -> tuple[str, ...]:
    """The names, each once, in the order given.

    Raises:
        UnknownSystemError: one does not exist, or none was named.
        ExtraMissingError: one needs a package that is not installed.
    """
    wanted = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    for name in wanted:
        if name not in SYSTEMS:
            raise UnknownSystemError(f"There is no system {name[:40]!r}: use {', '.join(SYSTEMS)}.")
    if not wanted:
        raise UnknownSystemError(f"Name a system: {', '.join(SYSTEMS)}.")
    if "rank-bm25" in wanted and importlib.util.find_spec("rank_bm25") is None:
        raise ExtraMissingError("rank-bm25 is not installed: pip install 'clinsearch[eval]'.")
    return wanted


def need_vectors(names: tuple[str, ...]) -> bool:
    """Whether any of the systems compares vectors, so that passages must be encoded."""
    return not _WITH_VECTORS.isdisjoint(names)


def _adapted(collection: IndexedSet) -> AdaptedQueries:
    """Over every source: the figures say of a benchmark what the adapter does to it."""
    if collection.adapter is None:
        raise UnknownSystemError("This run was given no query adapter.")
    return AdaptedQueries(collection.adapter, sources=())


def _encoder(collection: IndexedSet) -> Encoder:
    if collection.encoder is None:
        raise UnknownSystemError("This set was indexed without vectors; index it with an encoder.")
    return collection.encoder
