"""A question set made searchable: its passages in the product's own store, its texts encoded once.

Vectors are kept by the hash of the encoded text under `<folder>/vectors`, as for an index: no passage and no query
is encoded twice, and an interrupted run goes on where it was. The store itself is built anew for every run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from eval.retrieval.question_set import QuestionSet
from retrieval import Corpus, Encoder, MemoryCorpus, QueryEncoder, Reranker, RerankSettings, SearchStore, StoreBackend
from retrieval.documents import Document, Passage
from retrieval.encoders import EncodeProgress, Vectors
from retrieval.index import Progress, encode_missing, store_points, vectors_of
from retrieval.predicted_queries import PredictedQueryTable, read_predicted_queries
from retrieval.rescoring import RescoringTable
from retrieval.searched_text import text_hash
from retrieval.vectors import VectorStore

# Queries encoded between two durable writes.
_QUERY_CHUNK = 512

#: Says what happens now: the stage, texts done, texts in all.
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class MeasuredReranking:
    """A reranker with the settings it is measured with."""

    reranker: Reranker
    settings: RerankSettings
    #: Names of sets that are answered by documents it was trained on.
    trained_sets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class IndexedSet:
    """A set's passages in a store, with what is needed to search them."""

    question_set: QuestionSet
    pairs: Sequence[tuple[Passage, Document]]
    store: SearchStore
    corpus: Corpus
    #: None where no system needs vectors; the store then has placeholders.
    encoder: Encoder | None
    #: Passages and queries that had no vector yet.
    encoded: int
    encode_s: float
    build_s: float
    #: One vector for each pair; shape [pairs, dimension].
    vectors: Vectors

    #: What the system `rerank` adds to `tuned`; None where it is not measured.
    reranking: MeasuredReranking | None = None
    #: What the system `adapted` encodes queries with; None where it is not measured.
    adapter: QueryEncoder | None = None

    @cached_property
    def predicted(self) -> PredictedQueryTable | None:
        """Of the predicted queries that come with the package, None where no passage has any; made when asked for.

        Raises:
            RetrievalError: the encoder failed, or the queries cannot be read.
        """
        if self.encoder is None:
            return None
        points = store_points(self.pairs, self.vectors)
        return PredictedQueryTable.of(points, read_predicted_queries(), self.encoder.encode_queries)

    @cached_property
    def table(self) -> RescoringTable:
        """What rescoring knows of the passages; made when first asked for."""
        return RescoringTable.of(self.pairs, self.vectors)


class RememberedQueries:
    """An encoder that has encoded a set's queries before they are asked, in batches, and keeps their vectors.

    So a measurement can be repeated without encoding anything. What one query takes to encode is measured apart.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        # A place of its own: an asymmetric encoder gives a text another vector as a query than as a passage.
        self._held = VectorStore(folder, fingerprint=f"{encoder.fingerprint}-queries", dimension=encoder.dimension)
        self.name = encoder.name
        self.fingerprint = encoder.fingerprint
        self.dimension = encoder.dimension
        self.max_tokens = encoder.max_tokens

    def remember(self, texts: Sequence[str], report: Report) -> int:
        """Encode those of `texts` that have no vector yet; returns how many."""
        missing = [text for text in dict.fromkeys(texts) if text_hash(text) not in self._held]
        for start in range(0, len(missing), _QUERY_CHUNK):
            chunk = missing[start : start + _QUERY_CHUNK]
            self._held.add([text_hash(text) for text in chunk], self._encoder.encode_queries(chunk))
            report("encoding queries", start + len(chunk), len(missing))
        return len(missing)

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """See `Encoder.encode_passages`."""
        return self._encoder.encode_passages(texts, progress)

    def encode_queries(self, texts: list[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        if all(text_hash(text) in self._held for text in texts):
            return self._held.get([text_hash(text) for text in texts])
        return self._encoder.encode_queries(texts)


@contextmanager
def indexed(
    question_set: QuestionSet, folder: Path, *, encoder: Encoder | None, store: StoreBackend, report: Report
) -> Iterator[IndexedSet]:
    """Encode what has no vector yet and build the store; it is gone when the context ends.

    Args:
        folder: where vectors are kept between runs.
        encoder: None leaves the dense leg out.

    Raises:
        RetrievalError: the encoder, the disk or the search engine failed.
    """
    pairs = [(passage, entry.document) for entry in question_set.entries for passage in entry.passages]
    start = time.perf_counter()
    vectors, encoded = _vectors(pairs, folder / "vectors", encoder, report)
    if encoder is not None:
        encoder = RememberedQueries(encoder, folder / "vectors")
        encoded += encoder.remember([query.text for query in question_set.queries], report)
    built = time.perf_counter()
    points = store_points(pairs, vectors)
    with tempfile.TemporaryDirectory(prefix="clinsearch-eval-") as scratch:
        place = Path(scratch) / "store"
        try:
            store.build(points, place, lambda done, total: report("building", done, total))
            opened = store.open(place, lambda: points)
        except BaseException:
            store.discard(place)
            raise
        try:
            yield IndexedSet(
                question_set,
                pairs,
                opened,
                MemoryCorpus(question_set.entries),
                encoder,
                encoded,
                built - start,
                time.perf_counter() - built,
                vectors,
            )
        finally:
            opened.close()
            store.discard(place)


def _vectors(
    pairs: Sequence[tuple[Passage, Document]], folder: Path, encoder: Encoder | None, report: Report
) -> tuple[Vectors, int]:
    if encoder is None:
        placeholder = np.zeros((len(pairs), 2), dtype=np.float32)
        placeholder[:, 0] = 1  # a store takes only vectors of length 1
        return placeholder, 0
    held = VectorStore(folder, fingerprint=encoder.fingerprint, dimension=encoder.dimension)
    progress: Progress = lambda at: report("encoding", at.done, at.total)  # noqa: E731
    encoded = encode_missing([passage for passage, _ in pairs], held, encoder, progress)
    return vectors_of(pairs, held), encoded
