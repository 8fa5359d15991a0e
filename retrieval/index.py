"""Building an index: read, encode what is new, write the next generation, swap.

Incremental by content: a text that was ever encoded by the same encoder is not encoded again, and an
unchanged corpus builds nothing. The swap is atomic and a crash at any moment leaves the old index
serving (see `retrieval.generations`). One builder at a time. It never changes a generation that serves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from retrieval.bm25 import term_ids
from retrieval.documents import CorpusEntry, Document, DocumentId, Passage
from retrieval.encoders import EncodeProgress, Encoder, Vectors
from retrieval.errors import CorpusError, EncoderError, IndexMismatchError
from retrieval.files import write_atomically
from retrieval.generations import IndexDirectory
from retrieval.manifest import READER_VERSION, IndexManifest, corpus_hash, index_version, load_manifest
from retrieval.predicted_queries import NO_PREDICTED_QUERIES, PredictedQueries, PredictedQueryTable, predicted_hash
from retrieval.records import RecordStore
from retrieval.rescoring import RescoringTable
from retrieval.searched_text import SEARCHED_TEXT_VERSION, bm25_text, dense_text, text_hash
from retrieval.stores import EMBEDDED, StoreBackend, StorePoint
from retrieval.stores.conditions import PAYLOAD_VERSION
from retrieval.strength import strength_classes
from retrieval.tokens import TOKENISER_VERSION, tokenise
from retrieval.vectors import VectorStore
from retrieval.versions import superseded_by
from retrieval.withdrawals import NOTHING_WITHDRAWN, Withdrawn

# Texts encoded between two durable writes: what a killed build may have to encode again.
_ENCODE_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How far one stage of a build is; `done` of `total` passages."""

    stage: Literal["encode", "store", "swap"]
    done: int
    total: int


Progress = Callable[[BuildProgress], None]


def build_index(
    entries: Iterable[CorpusEntry],
    directory: Path,
    encoder: Encoder,
    *,
    store: StoreBackend = EMBEDDED,
    progress: Progress | None = None,
    withdrawn: Withdrawn = NOTHING_WITHDRAWN,
    predicted: PredictedQueries = NO_PREDICTED_QUERIES,
    reader_version: str = READER_VERSION,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> IndexManifest:
    """Make `directory` serve exactly `entries`, without what is withdrawn.

    A withdrawn document still supersedes the older version of it: that one does not become current again.
    `store` says in which kind of store; see `retrieval.stores.backends`. `predicted` may name passages that are not
    there: they are left out.

    Returns:
        The manifest of the index that now serves; the old one where nothing had changed.

    Raises:
        IndexLockedError: another process builds this index.
        CorpusError: the corpus is empty or inconsistent, or the disk failed.
        EncoderError: the encoder failed.
        StoreError: the search engine failed.
    """
    everything = tuple(entries)
    superseded = superseded_by(everything)
    corpus = tuple(_without(withdrawn, everything))
    pairs = [(passage, entry.document) for entry in corpus for passage in entry.passages]
    if not pairs:
        raise CorpusError("The corpus holds no passages, so there is nothing to index.")
    report: Progress = progress or (lambda _: None)
    digest = corpus_hash(corpus)
    predicted_digest = predicted_hash(predicted, {passage.id for passage, _ in pairs})
    version = index_version(digest, encoder, superseded, predicted_digest)
    place = IndexDirectory(directory, discard=store.discard)
    with place.building():
        previous = _serving(place)
        if previous is not None:
            number, serving = previous
            # The exact reference is made of the passages of record, which every index has.
            same = serving is not None and serving.index_version == version and store.kind in ("exact", serving.store)
            if serving is not None and same and store.complete(place.store(number)):
                return serving
        records = RecordStore(place.records)
        try:
            with _disk():
                generation = place.begin()
            records.write_generation(generation, corpus)
            vectors = VectorStore(place.vectors, fingerprint=encoder.fingerprint, dimension=encoder.dimension)
            encoded = encode_missing([passage for passage, _ in pairs], vectors, encoder, report)
            rows = vectors_of(pairs, vectors)
            points = store_points(pairs, rows, superseded)
            store.build(
                points,
                place.store(generation),
                lambda done, total: report(BuildProgress("store", done, total)),
            )
            with _disk():
                RescoringTable.of(pairs, rows).save(place.rescoring(generation))
            query_vectors = VectorStore(
                place.vectors, fingerprint=f"{encoder.fingerprint}-queries", dimension=encoder.dimension
            )
            table = PredictedQueryTable.of(
                points, predicted, lambda queries: encode_queries(queries, query_vectors, encoder, report)
            )
            if table is not None:
                with _disk():
                    table.save(place.predicted(generation))
            manifest = IndexManifest(
                index_version=version,
                corpus_hash=digest,
                reader_version=reader_version,
                tokeniser_version=TOKENISER_VERSION,
                searched_text_version=SEARCHED_TEXT_VERSION,
                payload_version=PAYLOAD_VERSION,
                encoder_name=encoder.name,
                encoder_fingerprint=encoder.fingerprint,
                dimension=encoder.dimension,
                store=store.kind,
                documents=len(corpus),
                passages=len(pairs),
                predicted=0 if table is None else len(table),
                encoded=encoded,
                built_at=clock(),
            )
            report(BuildProgress("swap", 0, len(pairs)))
            with _disk():
                with write_atomically(place.superseded(generation)) as file:
                    file.write(json.dumps(superseded, ensure_ascii=False).encode())
                with write_atomically(place.manifest(generation)) as file:
                    file.write(manifest.model_dump_json(indent=2).encode())
                place.publish(generation)
                report(BuildProgress("swap", len(pairs), len(pairs)))
                kept = {generation} if previous is None else {generation, previous[0]}
                place.clean(records, keep=frozenset(kept))
        finally:
            records.close()
    return manifest


def vectors_of(pairs: Sequence[tuple[Passage, Document]], vectors: VectorStore) -> Vectors:
    """Vectors of record of passages, shape [pairs, dimension].

    Raises:
        CorpusError: a passage has no vector of record.
    """
    return vectors.get([text_hash(dense_text(passage)) for passage, _ in pairs])


def store_points(
    pairs: Sequence[tuple[Passage, Document]], rows: Vectors, superseded: Collection[DocumentId] = ()
) -> list[StorePoint]:
    """What a search store is built from: each passage's filters, terms and vector (`rows`, one a passage)."""
    return [
        StorePoint(
            passage_id=passage.id,
            source=document.source,
            publisher=document.publisher,
            region=document.region,
            terms=term_ids(tokenise(bm25_text(passage, document))),
            vector=rows[number],
            language=document.language,
            published=document.published,
            strengths=strength_classes(passage.strength, document.publisher),
            superseded=document.id in superseded,
        )
        for number, (passage, document) in enumerate(pairs)
    ]


def encode_missing(passages: Sequence[Passage], vectors: VectorStore, encoder: Encoder, report: Progress) -> int:
    """Give every passage a vector of record, durably in parts, so an interrupted run goes on where it was.

    Returns:
        How many texts were encoded.

    Raises:
        EncoderError, CorpusError: the encoder or the disk failed.
    """
    texts = {text_hash(text): text for text in map(dense_text, passages)}
    return _encoded(texts, vectors, encoder.encode_passages, report)


def encode_queries(queries: Sequence[str], vectors: VectorStore, encoder: Encoder, report: Progress) -> Vectors:
    """Vectors of queries, shape [queries, dimension], each encoded once as passages are by `encode_missing`.

    Args:
        vectors: of the encoder's queries: it may make another vector of a passage of the same words.

    Raises:
        EncoderError, CorpusError: the encoder or the disk failed.
    """
    texts = {text_hash(query): query for query in queries}

    def encode(missing: list[str], advance: EncodeProgress) -> Vectors:
        found = encoder.encode_queries(missing)
        advance(len(missing), len(missing))
        return found

    _encoded(texts, vectors, encode, report)
    return vectors.get([text_hash(query) for query in queries])


def _encoded(
    texts: Mapping[str, str],
    vectors: VectorStore,
    encode: Callable[[list[str], EncodeProgress], Vectors],
    report: Progress,
) -> int:
    missing = [key for key in texts if key not in vectors]
    for start in range(0, len(missing), _ENCODE_CHUNK):
        keys = missing[start : start + _ENCODE_CHUNK]

        def advance(done: int, _: int, before: int = start) -> None:
            report(BuildProgress("encode", before + done, len(missing)))

        encoded = encode([texts[key] for key in keys], advance)
        if encoded.shape != (len(keys), vectors.dimension):
            raise EncoderError(f"The encoder returned shape {encoded.shape} for {len(keys)} texts.")
        vectors.add(keys, encoded)
    return len(missing)


def _without(withdrawn: Withdrawn, entries: Iterable[CorpusEntry]) -> Iterator[CorpusEntry]:
    for entry in entries:
        document = entry.document.id
        if document in withdrawn.documents:
            continue
        kept = tuple(passage for passage in entry.passages if withdrawn.of(passage.id) is None)
        yield entry if len(kept) == len(entry.passages) else entry.model_copy(update={"passages": kept})


def _serving(place: IndexDirectory) -> tuple[int, IndexManifest | None] | None:
    """The generation that serves; its manifest is None where this version cannot use it, so it is built anew."""
    try:
        current = place.current()
    except IndexMismatchError:
        return None
    if current is None:
        return None
    try:
        return current, load_manifest(place.manifest(current))
    except IndexMismatchError:
        return current, None


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CorpusError(f"could not write the index: {error.strerror}") from error
