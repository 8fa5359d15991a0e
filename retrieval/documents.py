"""Documents and passages: what the corpus is made of, and what a citation opens.

A `Passage` is the unit of citation. A recommendation is always one whole passage, together with
its strength, certainty, population and contraindications, so nothing shown to a clinician can be
cut from its grade or its qualifier. This module holds plain records; it reads and stores nothing.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import NewType

from pydantic import BaseModel, ConfigDict

from retrieval.dates import PartialDate

DocumentId = NewType("DocumentId", str)
PassageId = NewType("PassageId", str)
SourceId = NewType("SourceId", str)


class PassageKind(StrEnum):
    """What sort of text a passage is; decides how it may be cited."""

    RECOMMENDATION = "recommendation"
    TABLE_ROW = "table_row"
    NARRATIVE = "narrative"


class Document(BaseModel):
    """One guideline (or other publication) as its publisher issued it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: DocumentId
    source: SourceId
    title: str
    publisher: str
    #: ISO 3166-1 alpha-2 country code, "EU", or "INT" for international bodies.
    region: str
    #: BCP 47 tag.
    language: str = "en"
    published: PartialDate | None = None
    review_by: PartialDate | None = None
    version: str | None = None
    supersedes: DocumentId | None = None
    url: str | None = None
    licence: str | None = None
    #: A sentence shown beside every passage of this document, e.g. "not for patient care".
    notice: str | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON of every field, in hex."""
        return sha256_of(self.model_dump(mode="json"))


class Passage(BaseModel):
    """One citable piece of a document.

    `start` and `end` are character offsets into the document's extracted text (end exclusive) and
    `page` counts from 1; all three are None where the source has no running text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: PassageId
    document_id: DocumentId
    kind: PassageKind
    #: Headings from the outermost in; the first is the condition or the document's own title.
    section: tuple[str, ...] = ()
    #: Other names of the condition; searched, never shown as evidence.
    synonyms: tuple[str, ...] = ()
    text: str
    #: The publisher's own wording of strength ("Strong", "Grade A"); None where it gives none.
    strength: str | None = None
    certainty: str | None = None
    population: str | None = None
    contraindications: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    page: int | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON of every field, in hex."""
        return sha256_of(self.model_dump(mode="json"))

    @property
    def citable_text(self) -> str:
        """The recommendation with its grade, population and contraindications, as one text.

        This is what a sentence is checked against and what the model is shown.
        """
        parts = [self.text]
        if self.population:
            parts.append(f"Population: {self.population}.")
        if self.contraindications:
            parts.append(f"Contraindications: {'; '.join(self.contraindications)}.")
        if self.strength:
            grade = f"Strength: {self.strength}"
            parts.append(f"{grade}; certainty: {self.certainty}." if self.certainty else f"{grade}.")
        elif self.certainty:
            parts.append(f"Certainty: {self.certainty}.")
        return " ".join(parts)


class CorpusEntry(BaseModel):
    """A document with all its passages, as a reader hands it over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document: Document
    passages: tuple[Passage, ...]


def sha256_of(value: object) -> str:
    """SHA-256 (hex) of a JSON-serialisable value in canonical form."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
