"""Which reader reads a file, by its contents; and which files are no documents at all."""

from __future__ import annotations

import re

from retrieval.errors import UnknownReaderError
from retrieval.readers.base import Reader, SourceFile
from retrieval.readers.html import HtmlReader
from retrieval.readers.icd10 import Icd10Reader
from retrieval.readers.jsonl import BeirReader, JsonlReader
from retrieval.readers.markdown import MarkdownReader
from retrieval.readers.medquad import MedQuadReader
from retrieval.readers.mmwr import MmwrReader
from retrieval.readers.ngc import NgcReader
from retrieval.readers.nigeria import NigeriaReader
from retrieval.readers.pdf import PdfReader
from retrieval.readers.uspstf import UspstfReader

#: Publishers' own formats before general ones: the first that matches reads.
READERS: tuple[Reader, ...] = (
    NgcReader(),
    MedQuadReader(),
    UspstfReader(),
    MmwrReader(),
    NigeriaReader(),
    Icd10Reader(),
    PdfReader(),
    BeirReader(),
    JsonlReader(),
    HtmlReader(),
    MarkdownReader(),
)

_ABOUT = re.compile(
    r"^(?:readme|licen[cs]e|copying|notice|authors|changelog|contributing|manifest|pkg-info|sources)(?:\.\w+)?$",
    re.IGNORECASE,
)
_NOT_TEXT = re.compile(r"\.(?:py|pyc|cfg|toml|ini|sh|js|css|png|jpe?g|gif|svg|ico|woff2?|docx?|xlsx?|pptx?|sqlite|db)$")


def reader_named(name: str) -> Reader:
    """The reader of this name.

    Raises:
        UnknownReaderError: there is none.
    """
    for reader in READERS:
        if reader.name == name:
            return reader
    known = ", ".join(sorted(reader.name for reader in READERS))
    raise UnknownReaderError(f"There is no reader {name[:60]!r}. Readers: {known}.")


def detect(file: SourceFile) -> Reader | None:
    """The reader that knows this file's format, or None."""
    return next((reader for reader in READERS if reader.matches(file)), None)


def why_no_document(file: SourceFile) -> str | None:
    """Why a file is left out before any reader is asked, or None where it may be a document."""
    if not file.data.strip():
        return "is empty"
    if _ABOUT.match(file.path.name):
        return "is about the collection, not part of it"
    if "qrels" in file.path.parts or file.path.name == "queries.jsonl":
        return "holds questions or judgements for measuring, not documents"
    if any(part.endswith((".egg-info", ".dist-info")) for part in file.path.parts):
        return "is about the package, not part of the collection"
    if "<ICD10CM.tabular>" in file.head:
        return "lists the codes that the order file of the same release gives"
    if _NOT_TEXT.search(file.name.lower()):
        return "is a program, a setting or a picture"
    return None
