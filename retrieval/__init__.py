"""Retrieval: documents and passages, the index over them, and hybrid search.

Imports nothing from the agent, the service or the evaluation. The names below are the public ones.
"""

from retrieval.corpus import Corpus, MemoryCorpus, RecordCorpus
from retrieval.documents import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind, SourceId
from retrieval.encoders import Encoder, HashingEncoder, MiniLmEncoder
from retrieval.errors import (
    CorpusError,
    EncoderError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    RetrievalError,
    StarterFileError,
    StoreError,
    UnknownSourceError,
)
from retrieval.filters import SearchFilters
from retrieval.fusion import reciprocal_rank_fusion
from retrieval.index import BuildProgress, build_index
from retrieval.manifest import IndexManifest, read_manifest
from retrieval.opening import memory_searcher, open_searcher
from retrieval.search import Hit, HybridSearcher, Searcher, SearchRequest, SearchResult, SearchSettings
from retrieval.sources import DEFAULT_SOURCES, Source
from retrieval.starter import starter_entries
from retrieval.stores import EdgeStore, ExactStore, SearchStore, StoreKind

__all__ = [
    "DEFAULT_SOURCES",
    "BuildProgress",
    "Corpus",
    "CorpusEntry",
    "CorpusError",
    "Document",
    "DocumentId",
    "EdgeStore",
    "Encoder",
    "EncoderError",
    "ExactStore",
    "HashingEncoder",
    "Hit",
    "HybridSearcher",
    "IndexLockedError",
    "IndexManifest",
    "IndexMismatchError",
    "IndexMissingError",
    "MemoryCorpus",
    "MiniLmEncoder",
    "Passage",
    "PassageId",
    "PassageKind",
    "RecordCorpus",
    "RetrievalError",
    "SearchFilters",
    "SearchRequest",
    "SearchResult",
    "SearchSettings",
    "SearchStore",
    "Searcher",
    "Source",
    "SourceId",
    "StarterFileError",
    "StoreError",
    "StoreKind",
    "UnknownSourceError",
    "build_index",
    "memory_searcher",
    "open_searcher",
    "read_manifest",
    "reciprocal_rank_fusion",
    "starter_entries",
]
