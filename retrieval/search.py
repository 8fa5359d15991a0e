"""Hybrid search: every query as a BM25 leg and a dense leg; what they find is ordered as one.

Queries are encoded in one batch; the legs come from a store, the order from `retrieval.rescoring` or, as the plain
baseline, from `retrieval.fusion`, the texts from a corpus. It must not log queries, and it writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from retrieval.bm25 import term_ids
from retrieval.corpus import Corpus
from retrieval.documents import Document, DocumentId, Passage, PassageId, PassageKind, SourceId
from retrieval.encoders import Encoder, Vectors
from retrieval.errors import IndexMismatchError
from retrieval.expansion import expanded
from retrieval.filters import SearchFilters
from retrieval.fusion import RRF_K, reciprocal_rank_fusion
from retrieval.predicted_queries import (
    DEFAULT_PREDICTED,
    PredictedMatch,
    PredictedQueryTable,
    PredictedSettings,
    weighed,
)
from retrieval.query_adapter import AdaptedQueries
from retrieval.regions import HomeRegion, from_elsewhere, home_first, region_code
from retrieval.relevance import Asked, RelevanceModel
from retrieval.reranking import NotReranked, Reranked, RerankStage, reranked_text
from retrieval.rescoring import DEFAULT_RESCORING, Rescored, RescoringSettings, RescoringTable
from retrieval.scope import EVERYTHING, Scope
from retrieval.sources import DEFAULT_SOURCES, Source, source_named
from retrieval.status import GuidanceStatus, guidance_status
from retrieval.stores.base import Leg, SearchStore, ordered_leg
from retrieval.stores.withholding import WithholdingStore
from retrieval.tokens import tokenise
from retrieval.withdrawals import NOTHING_WITHDRAWN, Withdrawal, Withdrawals, Withdrawn

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

_KEPT_COUNTS = 256  # filters whose undated passages are remembered

Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Ranking = Literal["rescored", "fused"]


class SearchSettings(_Model):
    """How deep each leg goes, and how what they find is ordered."""

    #: Passages taken from each leg; never fewer than the request's limit.
    leg_limit: Annotated[int, Field(ge=1, le=1000)] = 50
    #: "fused" is reciprocal rank fusion with both legs weighing the same: untuned, kept as the baseline.
    ranking: Ranking = "rescored"
    rescoring: RescoringSettings = DEFAULT_RESCORING
    #: Whether abbreviations, brands and second names of drugs are also searched for in other words, see
    #: `retrieval.expansion`; with the plain fusion they never are.
    expansion: bool = True
    #: What queries predicted for the passages count; with the plain fusion they never do.
    predicted: PredictedSettings = DEFAULT_PREDICTED
    rrf_k: Annotated[int, Field(ge=0)] = RRF_K
    #: Region of the deployment, for requests that name none; see `retrieval.regions`.
    home_region: HomeRegion | None = None


DEFAULT_SETTINGS = SearchSettings()


class SearchRequest(_Model):
    """Up to four wordings of one need, searched together."""

    queries: Annotated[tuple[Query, ...], Field(min_length=1, max_length=4)]
    #: Weight in the fusion of every query after the first; the first weighs 1.
    later_weight: Annotated[float, Field(gt=0, le=1)] = 1.0
    filters: SearchFilters = SearchFilters()
    #: Where the clinician works, ISO 3166-1 alpha-2; None takes the deployment's.
    home_region: HomeRegion | None = None
    #: What may be searched for whoever asks; `retrieval.scope` says who sets it.
    scope: Scope = EVERYTHING
    #: What a screen or a prompt holds is far less; the most is what recall is measured at.
    limit: Annotated[int, Field(ge=1, le=100)] = 8


class Hit(_Model):
    """One passage found, and why it stands where it does.

    With several queries, or other words for one, the leg ranks and scores are the best over all of them; None where
    no leg held the passage.
    """

    #: From 1.
    rank: int
    #: See `retrieval.rescoring` and `retrieval.fusion`; comparable within one result only. Where the result is
    #: reranked, the order follows from this and `rerank_score` together.
    score: float
    passage: Passage
    document: Document
    bm25_rank: int | None = None
    dense_rank: int | None = None
    bm25_score: float | None = None
    #: Cosine of the passage with the query as the encoder itself has it, -1 .. 1, also where another vector searched
    #: (`retrieval.query_adapter`): what is read from cosines was fitted on these.
    cosine: float | None = None
    #: Cosine of the first query with the nearest query that is predicted for the passage; None where it has none.
    predicted_cosine: float | None = None
    #: The reranker's own score, comparable within one result only; None where it did not score this hit.
    rerank_score: float | None = None
    #: How far that is above the reranker's score of "none of these": above 0 it answers likelier than not, as far as
    #: the questions go that the reranker learnt from. None where it did not score this hit or learnt no such score.
    rerank_margin: float | None = None
    #: Probability of being on the subject of the first query; None where no model fits the encoder.
    relevance: float | None = None
    #: The result holds nothing on the subject: found, and not worth showing. The same for all hits of a result.
    below_floor: bool = False
    status: GuidanceStatus = GuidanceStatus.CURRENT
    #: The newest version of a superseded document; None where that one is withdrawn.
    superseded_by: DocumentId | None = None
    #: The newest version of a superseded document is withdrawn, so there is no current one.
    newer_withdrawn: bool = False
    #: From another region than the home region and the bodies that it belongs to.
    from_elsewhere: bool = False


class SearchResult(_Model):
    """Hits, best first, with the time each part took in milliseconds."""

    hits: tuple[Hit, ...]
    index_version: str
    #: Passages that a date filter left out because their documents give no date; None without a date filter.
    undated_left_out: int | None = None
    encode_ms: float
    bm25_ms: float
    dense_ms: float
    #: Fusion and reading the passages.
    fuse_ms: float
    #: What the search waited for the reranker, whether or not it was in time.
    rerank_ms: float = 0.0
    #: Whether the reranker had a say in the order; if not, why.
    reranked: bool = False
    not_reranked: NotReranked | None = "off"
    total_ms: float


class Searcher(Protocol):
    """What the agent and the service search with; synchronous, safe to call from several threads."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """What a search can be pointed at."""
        ...

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions that it holds guidance of, by their codes where they have one, sorted."""
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
        """A passage with its document, or None where there is none of this id or it is withdrawn.

        Raises:
            RetrievalError: the corpus failed.
        """
        ...

    def hit(self, id: PassageId, home_region: HomeRegion | None = None) -> Hit | None:
        """`passage` with its status, as a hit of rank 1; `home_region` as in a request.

        Raises:
            RetrievalError: the corpus failed.
        """
        ...

    def beside(self, id: PassageId) -> tuple[PassageId, ...]:
        """The other passages of a passage's document, nearest first; none where there is no such passage.

        Raises:
            RetrievalError: the corpus failed.
        """
        ...

    def withdrawal(self, id: PassageId) -> Withdrawal | None:
        """Why a passage is withdrawn at this moment; None where it is not.

        Raises:
            RetrievalError: the record of withdrawals cannot be read.
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
        regions: Iterable[str] = (),
        table: RescoringTable | None = None,
        predicted: PredictedQueryTable | None = None,
        index_version: str = "unversioned",
        superseded: Mapping[DocumentId, DocumentId] | None = None,
        withdrawals: Withdrawals | None = None,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
        reranking: RerankStage | None = None,
        relevance: RelevanceModel | None = None,
        adapted: AdaptedQueries | None = None,
    ) -> None:
        self._adapted = adapted
        self._relevance = relevance
        self._reranking = reranking
        self._table = table if settings.ranking == "rescored" else None
        self._predicted = predicted if self._table is not None else None
        self._superseded = superseded or {}
        self._withdrawals = withdrawals
        self._hidden: tuple[Withdrawn, frozenset[PassageId]] = (NOTHING_WITHDRAWN, frozenset())
        self._undated: dict[SearchFilters, int] = {}
        self._today = today
        self._store = store if withdrawals is None else WithholdingStore(store, self._withdrawn_passages)
        self._encoder = encoder
        self._corpus = corpus
        self._settings = settings
        self.sources = sources
        self.regions = tuple(sorted({region_code(region) for region in regions}))
        self.index_version = index_version

    def search(self, request: SearchRequest) -> SearchResult:
        """See `Searcher.search`."""
        scopes = self._scopes(request.filters, request.scope)
        # A query given twice would count twice in the fusion.
        queries = list(dict.fromkeys(request.queries))
        depth = max(self._settings.leg_limit, request.limit)
        start = time.perf_counter()
        meant = [self.meant(query) for query in queries]
        # What the encoder itself makes of the first query is needed in any case, for `Hit.cosine`.
        adapted = self._adapted
        if adapted is not None and not adapted.takes(request.filters.source):
            adapted = None
        plain = self._encoder.encode_queries(meant if adapted is None else meant[:1])
        vectors = plain if adapted is None else adapted.encoder.encode_queries(meant)
        encoded = time.perf_counter()
        worded = dict.fromkeys([*queries, *meant])
        bm25 = [self._bm25(wording, scopes, depth) for wording in worded]
        matched = time.perf_counter()
        dense = [self._dense(vector, scopes, depth) for vector in vectors]
        near = dense[0] if adapted is None else self._dense(plain[0], scopes, depth)
        match = None if self._predicted is None else self._predicted.match(plain[0])
        hidden = self._withdrawn_passages()
        asked = [] if match is None else [match.leg(scopes, self._settings.predicted.limit, hidden)]
        compared = time.perf_counter()
        ordered = self._ordered(queries, vectors, bm25, [*dense, *asked], request)
        if match is not None and self._table is not None:
            cosines = self._table.cosines(plain[0], [passage_id for passage_id, _ in ordered])
            ordered = weighed(ordered, cosines, match, self._settings.predicted)
        hits, reranked = self._hits(ordered, bm25, dense, match, request)
        if adapted is not None:
            near, hits = self._with_plain_cosines(plain[0], near, hits)
        hits = self._judged(request.queries[0], near, hits)
        end = time.perf_counter()
        return SearchResult(
            hits=hits,
            index_version=self.index_version,
            undated_left_out=self._undated_left_out(scopes),
            encode_ms=(encoded - start) * 1e3,
            bm25_ms=(matched - encoded) * 1e3,
            dense_ms=(compared - matched) * 1e3,
            fuse_ms=(end - compared) * 1e3 - reranked.ms,
            rerank_ms=reranked.ms,
            reranked=reranked.scores is not None,
            not_reranked=reranked.why,
            total_ms=(end - start) * 1e3,
        )

    @property
    def encoder(self) -> Encoder:
        """The encoder in use."""
        return self._encoder

    def passage(self, id: PassageId) -> tuple[Passage, Document] | None:
        """See `Searcher.passage`."""
        found = self._corpus.passage(id)
        return found if found is None or self._now().of(id, found[1].id) is None else None

    def hit(self, id: PassageId, home_region: HomeRegion | None = None) -> Hit | None:
        """See `Searcher.hit`."""
        found = self.passage(id)
        if found is None:
            return None
        return Hit(rank=1, score=0.0, passage=found[0], document=found[1], **self._standing(found[1], home_region))

    def beside(self, id: PassageId) -> tuple[PassageId, ...]:
        """See `Searcher.beside`."""
        found = self.passage(id)
        if found is None:
            return ()
        ids = self._corpus.passage_ids(found[1].id)
        place = ids.index(id)
        others = [at for at in range(len(ids)) if at != place]
        return tuple(ids[at] for at in sorted(others, key=lambda at: (abs(at - place), at)))

    def withdrawal(self, id: PassageId) -> Withdrawal | None:
        """See `Searcher.withdrawal`."""
        now = self._now()
        if not now:
            return None
        found = self._corpus.passage(id)
        return now.of(id, found[1].id if found is not None else None)

    def nearest(self, query: str, sources: Sequence[SourceId]) -> dict[SourceId, float]:
        """The largest cosine of a passage of each source with a query, as the encoder itself has both.

        A source that holds no passage is left out.

        Raises:
            UnknownSourceError: there is no such source.
            RetrievalError: the encoder or the store failed.
        """
        (vector,) = self._encoder.encode_queries([self.meant(query)])
        legs = {name: self._dense(vector, self._scopes(SearchFilters(source=name), EVERYTHING), 1) for name in sources}
        return {name: leg[0][1] for name, leg in legs.items() if leg}

    def meant(self, query: str) -> str:
        """The query as it is encoded."""
        return expanded(query) if self._table is not None and self._settings.expansion else query

    def wait_for_reranker(self) -> None:
        """Return once the reranker's model is loaded, or has failed to; for a command that searches once."""
        if self._reranking is not None:
            self._reranking.warm().exception()

    def count(self) -> int:
        """Passages in the index."""
        return self._store.count()

    def close(self) -> None:
        """Release the store, the corpus and the reranker's worker; closing twice does nothing."""
        if self._reranking is not None:
            self._reranking.close()
        self._store.close()
        self._corpus.close()

    def _scopes(self, filters: SearchFilters, scope: Scope) -> tuple[SearchFilters, ...]:
        """What is searched: together, but each source under its own defaults, also where none is named.

        Every search goes through here, so this is where what may not be searched is left out; nothing is left where
        a request and its scope have nothing in common.
        """
        if filters.source is not None:
            wanted: tuple[SearchFilters, ...] = (source_named(filters.source, self.sources).narrowed(filters),)
        elif not scope.sources and not any(source.publishers or source.regions for source in self.sources):
            wanted = (filters,)
        else:
            wanted = tuple(source.narrowed(filters) for source in self.sources)
        return tuple(limited for filters in wanted if (limited := scope.limited(filters)) is not None)

    def _bm25(self, wording: str, scopes: tuple[SearchFilters, ...], depth: int) -> Leg:
        terms = term_ids(tokenise(wording))
        # Scores of one collection: those of its parts compare.
        legs = [self._store.bm25_leg(terms, filters, depth) for filters in scopes]
        return legs[0] if len(legs) == 1 else ordered_leg(chain.from_iterable(legs), depth)

    def _dense(self, vector: NDArray[np.float32], scopes: tuple[SearchFilters, ...], depth: int) -> Leg:
        legs = [self._store.dense_leg(vector, filters, depth) for filters in scopes]
        return legs[0] if len(legs) == 1 else ordered_leg(chain.from_iterable(legs), depth)

    def _ordered(
        self, queries: list[str], vectors: Vectors, bm25: list[Leg], dense: list[Leg], request: SearchRequest
    ) -> list[tuple[PassageId, float]]:
        """What any leg found, best first."""
        weights = [1.0, *[request.later_weight] * (len(queries) - 1)]
        legs = [[passage_id for passage_id, _ in leg] for leg in (*bm25, *dense)]
        if self._table is None:
            return reciprocal_rank_fusion(legs, k=self._settings.rrf_k, weights=weights * 2)
        # A long form would outvote the query's other words, so only what no passage has is scored by its expansion.
        texts = [expanded(query, self._table.lacks) for query in queries] if self._settings.expansion else queries
        wordings = [Rescored(*parts) for parts in zip(texts, vectors, weights, strict=True)]
        return self._table.order(wordings, list({item for leg in legs for item in leg}), self._settings.rescoring)

    def _hits(
        self,
        ordered: list[tuple[PassageId, float]],
        bm25: list[Leg],
        dense: list[Leg],
        match: PredictedMatch | None,
        request: SearchRequest,
    ) -> tuple[tuple[Hit, ...], Reranked]:
        bm25_best, dense_best = _best(bm25), _best(dense)
        # Once more: one may have been withdrawn since its leg was made.
        hidden = self._withdrawn_passages()
        looked_at = max(request.limit, 0 if self._reranking is None else self._reranking.settings.depth)
        best = [item for item in ordered if item[0] not in hidden][:looked_at]
        found = self._corpus.passages([passage_id for passage_id, _ in best])
        if len(found) < len(best):
            raise IndexMismatchError("The index names a passage that is not there. Run `clinsearch index build`.")
        chosen = [(passage_id, score, found[passage_id]) for passage_id, score in best]
        reranked = self._reranked(request.queries[0], chosen)
        rerank_scores = dict(zip([item[0] for item in chosen], reranked.scores or (), strict=False))
        none_score = None if self._reranking is None else self._reranking.settings.none_score
        chosen = [chosen[at] for at in reranked.order[: request.limit]]
        home = request.home_region or self._settings.home_region
        hits = []
        for rank, (passage_id, score, (passage, document)) in enumerate(
            home_first(chosen, [document.region for _, _, (_, document) in chosen], home), start=1
        ):
            bm25_rank, bm25_score = bm25_best.get(passage_id, (None, None))
            dense_rank, cosine = dense_best.get(passage_id, (None, None))
            rerank_score = rerank_scores.get(passage_id)
            hits.append(
                Hit(
                    rank=rank,
                    score=score,
                    passage=passage,
                    document=document,
                    bm25_rank=bm25_rank,
                    dense_rank=dense_rank,
                    bm25_score=bm25_score,
                    cosine=cosine,
                    predicted_cosine=None if match is None else match.cosine(passage_id),
                    rerank_score=rerank_score,
                    rerank_margin=None if rerank_score is None or none_score is None else rerank_score - none_score,
                    **self._standing(document, home),
                )
            )
        return tuple(hits), reranked

    def _reranked(self, query: str, chosen: list[tuple[PassageId, float, tuple[Passage, Document]]]) -> Reranked:
        """The order of the candidates. Only the first query counts: later ones are other words for the same need."""
        if self._reranking is None:
            return Reranked(tuple(range(len(chosen))), None, 0.0, "off")
        texts = [reranked_text(passage) for _, _, (passage, _) in chosen]
        sources = [document.source for _, _, (_, document) in chosen]
        recommends = [passage.kind is PassageKind.RECOMMENDATION for _, _, (passage, _) in chosen]
        first = [score for _, score, _ in chosen]
        return self._reranking.order(query, texts, first, sources, recommends)

    def _with_plain_cosines(
        self, vector: NDArray[np.float32], leg: Leg, hits: tuple[Hit, ...]
    ) -> tuple[Leg, tuple[Hit, ...]]:
        """The leg of the encoder's own vector with what it lacks of the hits, and the hits with its cosines."""
        cosines = dict(leg)
        lacking = [hit.passage.id for hit in hits if hit.passage.id not in cosines]
        if self._table is not None and lacking:
            cosines.update(zip(lacking, self._table.cosines(vector, lacking), strict=True))
        own = tuple(hit.model_copy(update={"cosine": cosines.get(hit.passage.id)}) for hit in hits)
        return tuple(cosines.items()), own

    def _judged(self, query: str, dense: Leg, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
        if self._relevance is None:
            return hits
        asked = Asked(query, dense)
        likely = [
            self._relevance.probability(asked.features(hit.passage, hit.document, hit.predicted_cosine)) for hit in hits
        ]
        below = self._relevance.below_floor(likely)
        return tuple(
            hit.model_copy(update={"relevance": relevance, "below_floor": below})
            for hit, relevance in zip(hits, likely, strict=True)
        )

    def _standing(self, document: Document, home: str | None) -> dict[str, Any]:
        newer = self._superseded.get(document.id)
        withdrawn = newer is not None and newer in self._now().documents
        return {
            "status": guidance_status(document, superseded=newer is not None, today=self._today()),
            "superseded_by": None if withdrawn else newer,
            "newer_withdrawn": withdrawn,
            "from_elsewhere": from_elsewhere(document.region, home or self._settings.home_region),
        }

    def _now(self) -> Withdrawn:
        return NOTHING_WITHDRAWN if self._withdrawals is None else self._withdrawals.now()

    def _withdrawn_passages(self) -> frozenset[PassageId]:
        now = self._now()
        seen, hidden = self._hidden
        if seen is not now:
            # A document that was withdrawn may have been updated since: all it holds now goes with it.
            held = (name for document in now.documents for name in self._corpus.passage_ids(document))
            hidden = frozenset(now.passages).union(held)
            self._hidden = (now, hidden)
        return hidden

    def _undated_left_out(self, scopes: tuple[SearchFilters, ...]) -> int | None:
        counts = [self._undated_in(filters) for filters in scopes if filters.dated]
        return sum(counts) if counts else None

    def _undated_in(self, filters: SearchFilters) -> int:
        others = filters.model_copy(update={"published_from": None, "published_to": None})
        if others not in self._undated:
            if len(self._undated) >= _KEPT_COUNTS:
                self._undated.clear()
            dated = others.model_copy(update={"published_from": "0001"})
            # The collection does not change while it is open, so each count is made once.
            self._undated[others] = self._store.count(others) - self._store.count(dated)
        return self._undated[others]


def _best(legs: list[Leg]) -> dict[PassageId, tuple[int, float]]:
    """Each passage's best rank and best score over the legs of one kind."""
    best: dict[PassageId, tuple[int, float]] = {}
    for leg in legs:
        for rank, (passage_id, score) in enumerate(leg, start=1):
            old_rank, old_score = best.get(passage_id, (rank, score))
            best[passage_id] = (min(rank, old_rank), max(score, old_score))
    return best
