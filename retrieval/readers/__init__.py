"""Readers: what publishers ship, as blocks in reading order."""

from retrieval.readers.archives import DEFAULT_LIMITS, ArchiveLimits, files_in
from retrieval.readers.base import Reader, ReadItem, Skipped, SourceFile
from retrieval.readers.detect import READERS, detect, reader_named, why_no_document

__all__ = [
    "DEFAULT_LIMITS",
    "READERS",
    "ArchiveLimits",
    "ReadItem",
    "Reader",
    "Skipped",
    "SourceFile",
    "detect",
    "files_in",
    "reader_named",
    "why_no_document",
]
