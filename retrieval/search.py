"""Hybrid search: every query as a BM25 leg and a dense leg, fused by reciprocal rank.

Queries are encoded in one batch; the legs come from a store, the ranking from `retrieval.fusion`, the
texts from a corpus. It must not log queries, and it writes nothing. Untuned: both legs weigh the same.
"""

from __future__ import annotations

import time
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from retrieval.bm25 import term_ids
from retrieval.corpus import Corpus
from retrieval.documents import Document, Passage, PassageId
from retrieval.encoders import Encoder
from retrieval.errors import IndexMismatchError, UnknownSourceError
from retrieval.filters import SearchFilters
from retrieval.fusion import RRF_K, reciprocal_rank_fusion
from retrieval.sources import DEFAULT_SOURCES, Source
from retrieval.stores.base import Leg, SearchStore
from retrieval.tokens import tokenise

__all__ = [
    "DEFAULT_SETTINGS",
    "Hit",
    "HybridSearcher",
    "SearchFilters",
    "SearchRequest",
    "SearchResult",
    "SearchSettings",
    "Searcher",
]

Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SearchSettings(_Model):
    """How deep each leg goes and RRF's constant."""

    #: Passages taken from each leg; never fewer than the request's limit.
    leg_limit: Annotated[int, Field(ge=1, le=1000)] = 50
    rrf_k: Annotated[int, Field(ge=0)] = RRF_K


DEFAULT_SETTINGS = SearchSettings()


class SearchRequest(_Model):
    """Up to four wordings of one need, searched together."""

    queries: Annotated[tuple[Query, ...], Field(min_length=1, max_length=4)]
    #: Weight in the fusion of every query after the first; the first weighs 1.
    later_weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    filters: SearchFilters = SearchFilters()
    limit: Annotated[int, Field(ge=1, le=50)] = 8


class Hit(_Model):
    """One passage found, and why it stands where it does.

    With several queries the leg ranks and scores are the best over the queries; None where no query's
    leg held the passage.
    """

    #: From 1.
    rank: int
    #: Reciprocal rank fusion score; comparable within one result only.
    score: float
    passage: Passage
    document: Document
    bm25_rank: int | None = None
    dense_rank: int | None = None
    bm25_score: float | None = None
    #: Cosine, -1 .. 1.
    cosine: float | None = None


class SearchResult(_Model):
    """Hits, best first, with the time each part took in milliseconds."""

    hits: tuple[Hit, ...]
    index_version: str
    encode_ms: float
    bm25_ms: float
    dense_ms: float
    #: Fusion and reading the passages.
    fuse_ms: float
    total_ms: float


class Searcher(Protocol):
    """What the agent and the service search with; synchronous, safe to call from several threads."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """What a search can be pointed at."""
        ...

    @property
    def index_version(self) -> str:
        """Version of the index behind it."""
        ...

    def search(self, request: SearchRequest) -> SearchResult:
        """Search.

        Raises:
            UnknownSourceError: the request names a source that does not exist.
            RetrievalError: the encoder, the store or the corpus failed.
        """
        ...

    def passage(self, id: PassageId) -> tuple[Passage, Document] | None:
        """A passage with its document, or None where there is none of this id.

        Raises:
            RetrievalError: the corpus failed.
        """
        ...


class HybridSearcher:
    """Search over a store, an encoder and a corpus that belong to one index."""

    def __init__(
        self,
        store: SearchStore,
        encoder: Encoder,
        corpus: Corpus,
        sources: tuple[Source, ...] = DEFAULT_SOURCES,
        settings: SearchSettings = DEFAULT_SETTINGS,
        *,
        index_version: str = "unversioned",
    ) -> None:
        self._store = store
        self._encoder = encoder
        self._corpus = corpus
        self._settings = settings
        self.sources = sources
        self.index_version = index_version

    def search(self, request: SearchRequest) -> SearchResult:
        """See `Searcher.search`."""
        filters = self._effective(request.filters)
        # A query given twice would count twice in the fusion.
        queries = list(dict.fromkeys(request.queries))
        depth = max(self._settings.leg_limit, request.limit)
        start = time.perf_counter()
        vectors = self._encoder.encode_queries(queries)
        encoded = time.perf_counter()
        bm25 = [self._store.bm25_leg(term_ids(tokenise(query)), filters, depth) for query in queries]
        matched = time.perf_counter()
        dense = [self._store.dense_leg(vector, filters, depth) for vector in vectors]
        compared = time.perf_counter()
        hits = self._hits(bm25, dense, request)
        end = time.perf_counter()
        return SearchResult(
            hits=hits,
            index_version=self.index_version,
            encode_ms=(encoded - start) * 1e3,
            bm25_ms=(matched - encoded) * 1e3,
            dense_ms=(compared - matched) * 1e3,
            fuse_ms=(end - compared) * 1e3,
            total_ms=(end - start) * 1e3,
        )

    def passage(self, id: PassageId) -> tuple[Passage, Document] | None:
        """See `Searcher.passage`."""
        return self._corpus.passage(id)

    def count(self) -> int:
        """Passages in the index."""
        return self._store.count()

    def close(self) -> None:
        """Release the store and the corpus; closing twice does nothing."""
        self._store.close()
        self._corpus.close()

    def _effective(self, filters: SearchFilters) -> SearchFilters:
        if filters.source is None:
            return filters
        for source in self.sources:
            if source.id == filters.source:
                return source.narrowed(filters)
        known = ", ".join(source.id for source in self.sources)
        raise UnknownSourceError(f"There is no source {filters.source[:80]!r}. Sources: {known}.")

    def _hits(self, bm25: list[Leg], dense: list[Leg], request: SearchRequest) -> tuple[Hit, ...]:
        weights = [1.0, *[request.later_weight] * (len(bm25) - 1)] * 2
        legs = [[passage_id for passage_id, _ in leg] for leg in (*bm25, *dense)]
        bm25_best, dense_best = _best(bm25), _best(dense)
        hits = []
        for rank, (passage_id, score) in enumerate(
            reciprocal_rank_fusion(legs, k=self._settings.rrf_k, weights=weights)[: request.limit], start=1
        ):
            found = self._corpus.passage(passage_id)
            if found is None:
                raise IndexMismatchError("The index names a passage that is not there. Run `clinsearch index build`.")
            bm25_rank, bm25_score = bm25_best.get(passage_id, (None, None))
            dense_rank, cosine = dense_best.get(passage_id, (None, None))
            hits.append(
                Hit(
                    rank=rank,
                    score=score,
                    passage=found[0],
                    document=found[1],
                    bm25_rank=bm25_rank,
                    dense_rank=dense_rank,
                    bm25_score=bm25_score,
                    cosine=cosine,
                )
            )
        return tuple(hits)


def _best(legs: list[Leg]) -> dict[PassageId, tuple[int, float]]:
    """Each passage's best rank and best score over the legs of one kind."""
    best: dict[PassageId, tuple[int, float]] = {}
    for leg in legs:
        for rank, (passage_id, score) in enumerate(leg, start=1):
            old_rank, old_score = best.get(passage_id, (rank, score))
            best[passage_id] = (min(rank, old_rank), max(score, old_score))
    return best
