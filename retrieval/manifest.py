"""What an index was built from, and with what.

`index_version` is a hash of everything that decides a ranking: corpus, tokeniser, searched text,
what is filtered by, encoder and BM25's parameters. Two indexes of one version rank alike, wherever they were built; it
stands in every rollout. This module only describes; `retrieval.index` builds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retrieval.bm25 import K1, B
from retrieval.documents import CorpusEntry, DocumentId, sha256_of
from retrieval.encoders import Encoder
from retrieval.errors import IndexMismatchError
from retrieval.generations import IndexDirectory
from retrieval.rescoring import RESCORING_VERSION
from retrieval.searched_text import SEARCHED_TEXT_VERSION
from retrieval.stores import StoreKind
from retrieval.stores.conditions import PAYLOAD_VERSION
from retrieval.tokens import TOKENISER_VERSION

INDEX_SCHEMA_VERSION = 3
#: Version of `retrieval.starter`, the reader of the starter guidelines.
READER_VERSION = "starter-1"


class IndexManifest(BaseModel):
    """The description of one generation of an index."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = INDEX_SCHEMA_VERSION
    #: 16 hex digits; see the module's docstring.
    index_version: str
    #: SHA-256 over every document and passage; the order of entries does not matter.
    corpus_hash: str
    reader_version: str
    tokeniser_version: str
    searched_text_version: str
    payload_version: str
    encoder_name: str
    encoder_fingerprint: str
    dimension: Annotated[int, Field(gt=0)]
    store: StoreKind
    documents: Annotated[int, Field(ge=0)]
    passages: Annotated[int, Field(ge=0)]
    #: How many of them are also found by predicted queries.
    predicted: Annotated[int, Field(ge=0)] = 0
    #: How many texts this build had to encode; the others had a vector of record.
    encoded: Annotated[int, Field(ge=0)]
    built_at: datetime


def corpus_hash(entries: Sequence[CorpusEntry]) -> str:
    """SHA-256 (hex) of the content of a corpus, whatever the order of its entries."""
    return sha256_of(
        sorted(
            [entry.document.content_hash, *sorted(passage.content_hash for passage in entry.passages)]
            for entry in entries
        )
    )


def index_version(
    corpus: str, encoder: Encoder, superseded: Mapping[DocumentId, DocumentId], predicted: str | None = None
) -> str:
    """Version of the index that this program would build from a corpus (its hash) with an encoder.

    `superseded` names the documents of the corpus that a newer version replaces (`retrieval.versions`), `predicted` is
    the hash of the predicted queries of its passages, None where there are none.
    """
    replaced = sorted(superseded.items())
    parts = [
        INDEX_SCHEMA_VERSION,
        corpus,
        replaced,
        TOKENISER_VERSION,
        SEARCHED_TEXT_VERSION,
        RESCORING_VERSION,
        PAYLOAD_VERSION,
        encoder.fingerprint,
        K1,
        B,
        *([] if predicted is None else [predicted]),
    ]
    return sha256_of(parts)[:16]


def load_manifest(path: Path) -> IndexManifest:
    """Read one manifest file.

    Raises:
        IndexMismatchError: it is missing, damaged or of another schema version.
    """
    try:
        manifest = IndexManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise IndexMismatchError("The index cannot be read by this version. Run `clinsearch index build`.") from error
    if manifest.schema_version != INDEX_SCHEMA_VERSION:
        raise IndexMismatchError("The index has another format. Run `clinsearch index build`.")
    return manifest


def read_manifest(directory: Path) -> IndexManifest:
    """Manifest of the index that serves from `directory`.

    Raises:
        IndexMissingError: nothing has been built there.
        IndexMismatchError: it is damaged or of another format.
    """
    place = IndexDirectory(directory)
    generation, held = place.hold_current()
    with held:
        return load_manifest(place.manifest(generation))
