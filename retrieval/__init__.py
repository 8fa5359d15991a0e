"""Retrieval: documents and passages, the index over them, and hybrid search.

Imports nothing from the agent, the service or the evaluation. The names below are the public ones.
"""

from retrieval.adding import AddProgress, PathReport, add_paths
from retrieval.chunking import CutLimits, cut_document
from retrieval.corpus import Corpus, MemoryCorpus, RecordCorpus
from retrieval.dates import PartialDate
from retrieval.documents import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind, SourceId
from retrieval.encoders import (
    UNPROVEN,
    Encoder,
    EncoderKind,
    EncoderOptions,
    HashingEncoder,
    LocalEncoder,
    MiniLmEncoder,
    Precision,
    RemoteEncoder,
    make_encoder,
)
from retrieval.encoders.config import Pooling
from retrieval.errors import (
    ArchiveRefusedError,
    CorpusError,
    EncoderError,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    ReaderError,
    RerankerError,
    RetrievalError,
    StarterFileError,
    StoreError,
    UnknownReaderError,
    UnknownSourceError,
)
from retrieval.filters import SearchFilters, dates_in_order
from retrieval.fusion import reciprocal_rank_fusion
from retrieval.generations import left_behind
from retrieval.hidden import without_hidden
from retrieval.index import BuildProgress, build_index
from retrieval.library import LIBRARY_FILE, CorpusSummary, Library
from retrieval.manifest import IndexManifest, read_manifest
from retrieval.opening import memory_searcher, open_corpus, open_searcher
from retrieval.predicted_queries import PredictedQueries, PredictedSettings, read_predicted_queries
from retrieval.query_adapter import AdaptedQueries, MiniLmQueryEncoder, QueryEncoder
from retrieval.readers import READERS, reader_named
from retrieval.regions import HomeRegion, region_code
from retrieval.relevance import RelevanceModel, relevance_for
from retrieval.reranking import CrossEncoderReranker, Reranker, RerankSettings, RerankStage, ScriptedReranker
from retrieval.rescoring import RescoringSettings, RescoringTable
from retrieval.routing import DescriptionRouter, FirstSource, PassageRouter, SourceRouter, router_for
from retrieval.scope import EVERYTHING, Scope, ScopedSearcher, scoped
from retrieval.search import Hit, HybridSearcher, Searcher, SearchRequest, SearchResult, SearchSettings
from retrieval.sources import DEFAULT_SOURCES, Source, source_named, with_added
from retrieval.starter import starter_entries
from retrieval.stated import NOTHING_STATED, StatedMetadata
from retrieval.status import GuidanceStatus, guidance_status
from retrieval.stores import (
    EMBEDDED,
    EdgeBackend,
    EdgeStore,
    ExactBackend,
    ExactStore,
    SearchStore,
    ServerSettings,
    StoreBackend,
    StoreKind,
    store_backend,
)
from retrieval.strength import StrengthClass, strength_classes
from retrieval.token_counts import EstimatedCounter, TokenCounter, packaged_counter
from retrieval.versions import superseded_by
from retrieval.withdrawals import NOTHING_WITHDRAWN, WITHDRAWALS_FILE, Withdrawal, Withdrawals, Withdrawn

__all__ = [
    "DEFAULT_SOURCES",
    "EMBEDDED",
    "EVERYTHING",
    "LIBRARY_FILE",
    "NOTHING_STATED",
    "NOTHING_WITHDRAWN",
    "READERS",
    "UNPROVEN",
    "WITHDRAWALS_FILE",
    "AdaptedQueries",
    "AddProgress",
    "ArchiveRefusedError",
    "BuildProgress",
    "Corpus",
    "CorpusEntry",
    "CorpusError",
    "CorpusSummary",
    "CrossEncoderReranker",
    "CutLimits",
    "DescriptionRouter",
    "Document",
    "DocumentId",
    "EdgeBackend",
    "EdgeStore",
    "Encoder",
    "EncoderError",
    "EncoderKind",
    "EncoderOptions",
    "EstimatedCounter",
    "ExactBackend",
    "ExactStore",
    "FirstSource",
    "GuidanceStatus",
    "HashingEncoder",
    "Hit",
    "HomeRegion",
    "HybridSearcher",
    "IndexLockedError",
    "IndexManifest",
    "IndexMismatchError",
    "IndexMissingError",
    "Library",
    "LocalEncoder",
    "MemoryCorpus",
    "MiniLmEncoder",
    "MiniLmQueryEncoder",
    "PartialDate",
    "Passage",
    "PassageId",
    "PassageKind",
    "PassageRouter",
    "PathReport",
    "Pooling",
    "Precision",
    "PredictedQueries",
    "PredictedSettings",
    "QueryEncoder",
    "ReaderError",
    "RecordCorpus",
    "RelevanceModel",
    "RemoteEncoder",
    "RerankSettings",
    "RerankStage",
    "Reranker",
    "RerankerError",
    "RescoringSettings",
    "RescoringTable",
    "RetrievalError",
    "Scope",
    "ScopedSearcher",
    "ScriptedReranker",
    "SearchFilters",
    "SearchRequest",
    "SearchResult",
    "SearchSettings",
    "SearchStore",
    "Searcher",
    "ServerSettings",
    "Source",
    "SourceId",
    "SourceRouter",
    "StarterFileError",
    "StatedMetadata",
    "StoreBackend",
    "StoreError",
    "StoreKind",
    "StrengthClass",
    "TokenCounter",
    "UnknownReaderError",
    "UnknownSourceError",
    "Withdrawal",
    "Withdrawals",
    "Withdrawn",
    "add_paths",
    "build_index",
    "cut_document",
    "dates_in_order",
    "guidance_status",
    "left_behind",
    "make_encoder",
    "memory_searcher",
    "open_corpus",
    "open_searcher",
    "packaged_counter",
    "read_manifest",
    "read_predicted_queries",
    "reader_named",
    "reciprocal_rank_fusion",
    "region_code",
    "relevance_for",
    "router_for",
    "scoped",
    "source_named",
    "starter_entries",
    "store_backend",
    "strength_classes",
    "superseded_by",
    "with_added",
    "without_hidden",
]
