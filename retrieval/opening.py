"""Opening a searcher: over an index on disk, or over entries in memory.

The parts of a searcher must belong to one index and one encoder; this is where that is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from retrieval.corpus import Corpus, MemoryCorpus, RecordCorpus
from retrieval.documents import CorpusEntry, DocumentId
from retrieval.encoders import Encoder, HashingEncoder
from retrieval.errors import IndexMismatchError
from retrieval.generations import IndexDirectory
from retrieval.index import store_points, vectors_of
from retrieval.manifest import IndexManifest, corpus_hash, index_version, load_manifest
from retrieval.predicted_queries import NO_PREDICTED_QUERIES, PredictedQueries, PredictedQueryTable, predicted_hash
from retrieval.query_adapter import AdaptedQueries
from retrieval.records import RecordStore
from retrieval.relevance import relevance_for
from retrieval.reranking import RerankStage
from retrieval.rescoring import RescoringTable
from retrieval.search import DEFAULT_SETTINGS, HybridSearcher, SearchSettings
from retrieval.searched_text import SEARCHED_TEXT_VERSION, dense_text
from retrieval.sources import DEFAULT_SOURCES, Source, offered
from retrieval.stores import EMBEDDED, ExactStore, StoreBackend, StoreKind, StorePoint
from retrieval.stores.conditions import PAYLOAD_VERSION
from retrieval.tokens import TOKENISER_VERSION
from retrieval.vectors import VectorStore
from retrieval.versions import superseded_by
from retrieval.withdrawals import Withdrawals


class _HeldCorpus(RecordCorpus):
    """A generation that no clean-up removes while it is open."""

    def __init__(self, records: RecordStore, generation: int, held: IO[bytes]) -> None:
        super().__init__(records, generation)
        self._held = held

    def close(self) -> None:
        super().close()
        self._held.close()


def open_searcher(
    directory: Path,
    *,
    encoder: Encoder,
    store: StoreBackend = EMBEDDED,
    sources: tuple[Source, ...] = DEFAULT_SOURCES,
    settings: SearchSettings = DEFAULT_SETTINGS,
    withdrawals: Withdrawals | None = None,
    reranking: RerankStage | None = None,
    adapted: AdaptedQueries | None = None,
) -> HybridSearcher:
    """Open the index that serves from `directory`; several processes may do so at once.

    It keeps answering from what it opened when a new index is swapped in: open again to see that one.
    Of `sources`, those are offered that the index holds documents of. The exact store opens an index of any
    kind: it is made of the passages and vectors of record. What `withdrawals` names is never found, from the
    moment it is named. The searcher closes `reranking` with itself. `adapted` must be of the encoder's weights.

    Raises:
        IndexMissingError: nothing has been built there.
        IndexMismatchError: another encoder or another version built it, or it is not complete.
        StoreError, CorpusError: it cannot be read, or the record of withdrawals cannot or lacks acts.
    """
    if withdrawals is not None:
        withdrawals.now()
    place = IndexDirectory(directory)
    with ExitStack() as undo:
        generation, held = place.hold_current()
        undo.callback(held.close)
        manifest = load_manifest(place.manifest(generation))
        _check(manifest, encoder, store.kind)
        superseded = _superseded(place.superseded(generation))
        records = RecordStore(place.records)
        undo.callback(records.close)

        def points() -> list[StorePoint]:
            vectors = VectorStore(place.vectors, fingerprint=encoder.fingerprint, dimension=encoder.dimension)
            entries = records.entries(generation)
            pairs = [(passage, entry.document) for entry in entries for passage in entry.passages]
            return store_points(pairs, vectors_of(pairs, vectors), superseded)

        opened = store.open(place.store(generation), points)
        undo.callback(opened.close)
        table = RescoringTable.load(place.rescoring(generation))
        predicted = PredictedQueryTable.load(place.predicted(generation)) if manifest.predicted else None
        chosen = offered(sources, records.sources(generation))
        regions = records.regions(generation)
        undo.pop_all()
    corpus = _HeldCorpus(records, generation, held)
    return HybridSearcher(
        opened,
        encoder,
        corpus,
        chosen,
        settings,
        regions=regions,
        table=table,
        predicted=predicted,
        index_version=manifest.index_version,
        superseded=superseded,
        withdrawals=withdrawals,
        relevance=relevance_for(encoder.name),
        reranking=reranking,
        adapted=adapted,
    )


def open_corpus(directory: Path) -> Corpus:
    """Open the passages of the index that serves, without the search.

    Raises:
        IndexMissingError, IndexMismatchError, CorpusError: as `open_searcher`.
    """
    place = IndexDirectory(directory)
    generation, held = place.hold_current()
    try:
        return _HeldCorpus(RecordStore(place.records), generation, held)
    except BaseException:
        held.close()
        raise


def memory_searcher(
    entries: Iterable[CorpusEntry],
    *,
    encoder: Encoder | None = None,
    sources: tuple[Source, ...] = DEFAULT_SOURCES,
    settings: SearchSettings = DEFAULT_SETTINGS,
    withdrawals: Withdrawals | None = None,
    today: Callable[[], date] | None = None,
    reranking: RerankStage | None = None,
    adapted: AdaptedQueries | None = None,
    predicted: PredictedQueries = NO_PREDICTED_QUERIES,
) -> HybridSearcher:
    """A searcher over entries in memory: exact store, `HashingEncoder` unless another is given. For tests.

    Raises:
        CorpusError: a passage names another document than the one it came with.
        EncoderError: the encoder failed.
    """
    held = tuple(entries)
    used = encoder if encoder is not None else HashingEncoder()
    corpus: Corpus = MemoryCorpus(held)
    pairs = [(passage, entry.document) for entry in held for passage in entry.passages]
    vectors = used.encode_passages([dense_text(passage) for passage, _ in pairs])
    superseded = superseded_by(held)
    points = store_points(pairs, vectors, superseded)
    predicted_digest = predicted_hash(predicted, {passage.id for passage, _ in pairs})
    version = index_version(corpus_hash(held), used, superseded, predicted_digest)
    chosen = offered(sources, frozenset(entry.document.source for entry in held))
    return HybridSearcher(
        ExactStore(points),
        used,
        corpus,
        chosen,
        settings,
        regions=frozenset(entry.document.region for entry in held),
        table=RescoringTable.of(pairs, vectors),
        predicted=PredictedQueryTable.of(points, predicted, used.encode_queries),
        index_version=version,
        superseded=superseded,
        withdrawals=withdrawals,
        relevance=relevance_for(used.name),
        reranking=reranking,
        adapted=adapted,
        **({} if today is None else {"today": today}),
    )


def _superseded(path: Path) -> dict[DocumentId, DocumentId]:
    try:
        return TypeAdapter(dict[DocumentId, DocumentId]).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise IndexMismatchError("The index is not complete. Run `clinsearch index build`.") from error


def _check(manifest: IndexManifest, encoder: Encoder, kind: StoreKind) -> None:
    if manifest.encoder_fingerprint != encoder.fingerprint:
        raise IndexMismatchError(
            f"The index was built with the encoder {manifest.encoder_name}, not with this {encoder.name}. "
            "Run `clinsearch index build`."
        )
    versions = (manifest.tokeniser_version, manifest.searched_text_version, manifest.payload_version)
    if versions != (TOKENISER_VERSION, SEARCHED_TEXT_VERSION, PAYLOAD_VERSION):
        raise IndexMismatchError("Another version of clinsearch built the index. Run `clinsearch index build`.")
    if kind not in ("exact", manifest.store):
        raise IndexMismatchError(
            f"The index was built for the store {manifest.store}, not for {kind}. Run `clinsearch index build`."
        )
