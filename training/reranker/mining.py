"""Hard negatives: what the product's hybrid search, by plain fusion, puts high for a question and is not its answer.

The search runs over the training corpora alone, so nothing of the evaluated guidelines becomes a training text.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from retrieval import (
    CorpusEntry,
    Encoder,
    ExactStore,
    HybridSearcher,
    MemoryCorpus,
    Passage,
    Searcher,
    SearchRequest,
    SearchSettings,
)
from retrieval.index import Progress, encode_missing, store_points, vectors_of
from retrieval.vectors import VectorStore
from training.reranker.config import RerankerConfig
from training.reranker.questions import Asked


def pool_searcher(
    entries: Iterable[CorpusEntry], encoder: Encoder, vectors: Path, *, report: Progress, settings: SearchSettings
) -> HybridSearcher:
    """A searcher over the training corpora; `vectors` is where an index keeps its vectors of record.

    Raises:
        RetrievalError: the encoder or the disk failed.
    """
    held = tuple(entries)
    pairs = [(passage, entry.document) for entry in held for passage in entry.passages]
    store = VectorStore(vectors, fingerprint=encoder.fingerprint, dimension=encoder.dimension)
    encode_missing([passage for passage, _ in pairs], store, encoder, report)
    points = store_points(pairs, vectors_of(pairs, store))
    return HybridSearcher(ExactStore(points), encoder, MemoryCorpus(held), settings=settings)


def mined_negatives(
    searcher: Searcher, asked: Asked, config: RerankerConfig, drawn: random.Random
) -> Sequence[Passage]:
    """Up to `config.mined` passages of other conditions from the ranks the config names, without repeats of text.

    A passage of another page on the same condition may well answer the question, so none is taken.
    """
    result = searcher.search(SearchRequest(queries=(asked.question,), limit=config.mined_to))
    title = asked.title.casefold()
    usable = [
        hit.passage
        for hit in result.hits[config.mined_from - 1 :]
        if hit.document.id != asked.document_id
        and (hit.passage.section[0] if hit.passage.section else "").casefold() != title
        and hit.passage.text != asked.answer.text
    ]
    chosen = drawn.sample(usable, min(config.mined, len(usable)))
    return list({passage.text: passage for passage in chosen}.values())
