"""Metadata that an operator states of the files they add, for what publishers leave out of them.

What is stated goes before what the file says, for every document of the paths it is stated with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from retrieval.blocks import ParsedDocument
from retrieval.dates import PartialDate
from retrieval.documents import DocumentId, SourceId

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class StatedMetadata(BaseModel):
    """Fields of `Document`; None leaves what the file says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceId | None = None
    publisher: Words | None = None
    region: Annotated[str, Field(pattern=r"^([A-Z]{2}|INT)$")] | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$")] | None = None
    published: PartialDate | None = None
    review_by: PartialDate | None = None
    version: Words | None = None
    supersedes: DocumentId | None = None

    def put_on(self, parsed: ParsedDocument) -> ParsedDocument:
        """The document with what is stated of it."""
        update = self.model_dump(exclude_none=True)
        return replace(parsed, document=parsed.document.model_copy(update=update)) if update else parsed


NOTHING_STATED = StatedMetadata()
