"""Looking a passage up by id, with the document it belongs to.

Search stores rank ids; this is where the texts come from. `RecordCorpus` reads the store of record and
is what an opened index uses; `MemoryCorpus` holds entries given to it, for tests and small collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from retrieval.documents import CorpusEntry, Document, DocumentId, Passage, PassageId
from retrieval.errors import CorpusError
from retrieval.records import RecordStore


class Corpus(Protocol):
    """Passages and documents by id; safe to call from several threads."""

    def passages(self, ids: Sequence[PassageId]) -> Mapping[PassageId, tuple[Passage, Document]]:
        """Those of the passages that are there, each with its document.

        Raises:
            CorpusError: the record store cannot be read.
        """
        ...

    def passage(self, passage_id: PassageId) -> tuple[Passage, Document] | None:
        """The passage with its document, or None.

        Raises:
            CorpusError: the record store cannot be read.
        """
        ...

    def document(self, document_id: DocumentId) -> Document | None:
        """The document, or None.

        Raises:
            CorpusError: the record store cannot be read.
        """
        ...

    def passage_ids(self, document_id: DocumentId) -> tuple[PassageId, ...]:
        """Ids of a document's passages, in order; empty where there is no such document.

        Raises:
            CorpusError: the record store cannot be read.
        """
        ...

    def close(self) -> None:
        """Release everything; closing twice does nothing."""
        ...


class MemoryCorpus:
    """A corpus held in memory."""

    def __init__(self, entries: Iterable[CorpusEntry]) -> None:
        self._documents: dict[DocumentId, Document] = {}
        self._passages: dict[PassageId, Passage] = {}
        for entry in entries:
            self._documents[entry.document.id] = entry.document
            for passage in entry.passages:
                if passage.document_id != entry.document.id:
                    raise CorpusError(f"passage {passage.id} names another document")
                self._passages[passage.id] = passage

    def passages(self, ids: Sequence[PassageId]) -> dict[PassageId, tuple[Passage, Document]]:
        """See `Corpus.passages`."""
        return {name: found for name in ids if (found := self.passage(name)) is not None}

    def passage(self, passage_id: PassageId) -> tuple[Passage, Document] | None:
        """See `Corpus.passage`."""
        passage = self._passages.get(passage_id)
        return (passage, self._documents[passage.document_id]) if passage is not None else None

    def document(self, document_id: DocumentId) -> Document | None:
        """See `Corpus.document`."""
        return self._documents.get(document_id)

    def passage_ids(self, document_id: DocumentId) -> tuple[PassageId, ...]:
        """See `Corpus.passage_ids`."""
        return tuple(name for name, passage in self._passages.items() if passage.document_id == document_id)

    def close(self) -> None:
        """Nothing to release."""


class RecordCorpus:
    """One generation of the store of record."""

    def __init__(self, records: RecordStore, generation: int) -> None:
        self._records = records
        self._generation = generation

    def passages(self, ids: Sequence[PassageId]) -> dict[PassageId, tuple[Passage, Document]]:
        """See `Corpus.passages`."""
        return self._records.passages(self._generation, ids)

    def passage(self, passage_id: PassageId) -> tuple[Passage, Document] | None:
        """See `Corpus.passage`."""
        return self._records.passage(self._generation, passage_id)

    def document(self, document_id: DocumentId) -> Document | None:
        """See `Corpus.document`."""
        return self._records.document(self._generation, document_id)

    def passage_ids(self, document_id: DocumentId) -> tuple[PassageId, ...]:
        """See `Corpus.passage_ids`."""
        return self._records.passage_ids(self._generation, document_id)

    def close(self) -> None:
        """Close the record store."""
        self._records.close()
