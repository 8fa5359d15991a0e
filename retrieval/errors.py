"""Errors of the retrieval package.

RetrievalError
├── StarterFileError      a starter guideline file breaks its schema
├── CorpusError           the record store cannot be read or written
├── IndexMissingError     no index has been built yet
├── IndexMismatchError    the index was built with another encoder or corpus
├── IndexLockedError      another process is building the index
├── StoreError            the search engine failed
├── EncoderError          the encoder could not be loaded or failed
├── RerankerError         the reranker could not be loaded or failed; the search answers without it
├── ReaderError           a file of a corpus cannot be read; the others go in
├── ArchiveRefusedError   an archive would unpack outside its folder or to an absurd size
├── UnknownReaderError    `--reader` named a reader that does not exist
└── UnknownSourceError    a search named a source that does not exist
"""

from __future__ import annotations


class RetrievalError(Exception):
    """Base of everything this package raises on purpose."""

    code = "retrieval_error"
    retryable = False


class StarterFileError(RetrievalError):
    """A starter guideline file breaks its schema; the message names the file and the rule."""

    code = "starter_file_invalid"


class CorpusError(RetrievalError):
    """The record store cannot be read or written."""

    code = "corpus_error"


class IndexMissingError(RetrievalError):
    """No index has been built; run `clinsearch index build`."""

    code = "index_missing"


class IndexMismatchError(RetrievalError):
    """The index was built with another encoder or format; run `clinsearch index build`."""

    code = "index_mismatch"


class IndexLockedError(RetrievalError):
    """Another process is building this index; the one that serves is not touched."""

    code = "index_locked"
    retryable = True


class StoreError(RetrievalError):
    """The search engine failed."""

    code = "store_error"
    retryable = True


class EncoderError(RetrievalError):
    """The encoder could not be loaded or failed."""

    code = "encoder_error"


class RerankerError(RetrievalError):
    """The reranker could not be loaded or failed; a search answers without it."""

    code = "reranker_error"


class UnknownSourceError(RetrievalError):
    """A search named a source that does not exist."""

    code = "unknown_source"


class ReaderError(RetrievalError):
    """A file of a corpus cannot be read; the message is one clause that says why."""

    code = "file_unreadable"


class ArchiveRefusedError(ReaderError):
    """An archive would unpack outside its folder or to an absurd size; nothing in it is read."""

    code = "archive_refused"


class UnknownReaderError(RetrievalError):
    """A reader was asked for that does not exist."""

    code = "unknown_reader"
