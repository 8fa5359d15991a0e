"""The library: every document that was added, with its passages and its extracted text, in one SQLite file.

It is what an index is built from, besides the starter guidelines. A file is remembered by the hash of
its bytes together with the versions of what read it, so adding it again does nothing. One process writes at a
time (SQLite's own lock); readers see the last complete state. It does no searching.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from retrieval.chunking import CutDocument
from retrieval.documents import CorpusEntry, DocumentId, PassageKind
from retrieval.errors import CorpusError

LIBRARY_SCHEMA_VERSION = 1
#: Its name in a data directory.
LIBRARY_FILE = "library.sqlite"

_SCHEMA = """
CREATE TABLE files (
    path TEXT PRIMARY KEY, corpus TEXT NOT NULL, hash TEXT NOT NULL, recipe TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE documents (
    id TEXT PRIMARY KEY, corpus TEXT NOT NULL, source TEXT NOT NULL, publisher TEXT NOT NULL, published TEXT,
    passages INTEGER NOT NULL, recommendations INTEGER NOT NULL, graded INTEGER NOT NULL,
    hash TEXT NOT NULL, entry BLOB NOT NULL, text BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX documents_of_corpus ON documents (corpus);
"""
# Beside the schema, so that a library that was made without it goes on; a document can lie in several places.
_ORIGINS = """
CREATE TABLE IF NOT EXISTS origins (
    id TEXT NOT NULL, given TEXT NOT NULL, file TEXT NOT NULL, PRIMARY KEY (id, given, file)
) WITHOUT ROWID;
"""
_FORGET_ORIGINS = "DELETE FROM origins WHERE id NOT IN (SELECT id FROM documents)"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document was read."""

    #: The file, folder or archive that was given, as an absolute path.
    given: str
    #: The file itself: its absolute path, or a name inside an archive after the archive's path.
    file: str


class HeldElsewhereError(Exception):
    """Another file holds a document of this id and says something else; carries where."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    """What `corpus list` shows of one corpus."""

    corpus: str
    sources: tuple[str, ...]
    documents: int
    passages: int
    recommendations: int
    #: Recommendations whose text gives a strength.
    graded: int
    #: First and last date of publication; None where no document states one.
    first_published: str | None
    last_published: str | None
    publishers: tuple[str, ...]


class Library:
    """Added documents on disk. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            CorpusError: it cannot be opened, or a newer version of this program wrote it.
        """
        with _boundary("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {LIBRARY_SCHEMA_VERSION}; COMMIT;"
                )
            elif version != LIBRARY_SCHEMA_VERSION:
                self._connection.close()
                raise CorpusError(
                    f"{path.name} has library schema {version}; this version reads {LIBRARY_SCHEMA_VERSION}"
                )
            self._connection.execute(_ORIGINS)

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def holds(self, path: str, digest: str, recipe: str) -> bool:
        """Whether a file with these bytes was added from here by the same readers and cutting rules."""
        rows = self._rows("SELECT 1 FROM files WHERE path = ? AND hash = ? AND recipe = ?", path, digest, recipe)
        return bool(rows)

    def recipe(self, path: str) -> str | None:
        """What a file that was added from here was read with, or None."""
        rows = self._rows("SELECT recipe FROM files WHERE path = ?", path)
        return str(rows[0][0]) if rows else None

    @contextmanager
    def adding(self, corpus: str) -> Iterator[Addition]:
        """Add documents to a corpus, all or none: nothing changes where the block ends in an error."""
        with _boundary("write"):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield Addition(self._connection, corpus)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        with _boundary("write"):
            self._connection.execute("COMMIT")

    def remove(self, name: str) -> int:
        """Remove one document, or every document of a corpus; returns how many were removed."""
        with _boundary("write"):
            self._connection.execute("BEGIN IMMEDIATE")
            rows = self._connection.execute(
                "SELECT corpus FROM documents WHERE id = ? OR corpus = ?", (name, name)
            ).fetchall()
            for (corpus,) in set(rows):
                # So that adding the files again brings back what is removed here, under what was stated of them.
                self._connection.execute("UPDATE files SET hash = '' WHERE corpus = ?", (corpus,))
            self._connection.execute("DELETE FROM files WHERE corpus = ?", (name,))
            self._connection.execute("DELETE FROM documents WHERE id = ? OR corpus = ?", (name, name))
            self._connection.execute(_FORGET_ORIGINS)
            self._connection.execute("COMMIT")
        return len(rows)

    def entries(self) -> Iterator[CorpusEntry]:
        """Every document with its passages, ordered by id."""
        for (blob,) in self._rows("SELECT entry FROM documents ORDER BY id"):
            with _boundary("read"):
                yield CorpusEntry.model_validate_json(zlib.decompress(blob))

    def text(self, document_id: DocumentId) -> str | None:
        """The extracted text that the offsets of a document's passages point into, or None."""
        rows = self._rows("SELECT text FROM documents WHERE id = ?", document_id)
        with _boundary("read"):
            return zlib.decompress(rows[0][0]).decode() if rows else None

    def summaries(self) -> tuple[CorpusSummary, ...]:
        """Each corpus, ordered by name."""
        rows = self._rows(
            "SELECT corpus, group_concat(DISTINCT source), count(*), sum(passages), sum(recommendations), sum(graded),"
            " min(published), max(published) FROM documents GROUP BY corpus ORDER BY corpus"
        )
        return tuple(
            CorpusSummary(
                corpus=row[0],
                sources=tuple(sorted(row[1].split(","))),
                documents=row[2],
                passages=row[3],
                recommendations=row[4],
                graded=row[5],
                first_published=row[6],
                last_published=row[7],
                publishers=tuple(
                    name
                    for (name,) in self._rows(
                        "SELECT publisher FROM documents WHERE corpus = ?"
                        " GROUP BY publisher ORDER BY count(*) DESC, publisher",
                        row[0],
                    )
                ),
            )
            for row in rows
        )

    def _rows(self, statement: str, *parameters: str) -> list[tuple[Any, ...]]:
        with _boundary("read"):
            return self._connection.execute(statement, parameters).fetchall()


class Addition:
    """One transaction that adds documents to a corpus."""

    def __init__(self, connection: sqlite3.Connection, corpus: str) -> None:
        self._connection = connection
        self._corpus = corpus

    def put(self, cut: CutDocument, origin: Origin, *, replace: bool = False) -> bool:
        """Add a document or replace the one of its id; False where the same is there already.

        Args:
            replace: also replace a document that was read elsewhere.

        Raises:
            HeldElsewhereError: another file holds another document of this id. Nothing was changed.
        """
        document, passages = cut.entry.document, cut.entry.passages
        body = cut.entry.model_dump_json().encode()
        digest = f"{zlib.crc32(body):08x}-{cut.entry.document.content_hash}-{len(body)}"
        with _boundary("write"):
            row = self._connection.execute("SELECT hash, corpus FROM documents WHERE id = ?", (document.id,)).fetchone()
            if row is not None and row[0] != digest:
                if not replace:
                    self._check_origin(cut.entry.document.id, row[1], origin)
                # The others are read again when they are next added, and then it is said that this one is held.
                self._connection.execute(
                    "UPDATE files SET hash = '' WHERE path IN (SELECT given FROM origins WHERE id = ?)", (document.id,)
                )
                self._connection.execute("DELETE FROM origins WHERE id = ?", (document.id,))
            self._connection.execute(
                "INSERT OR IGNORE INTO origins VALUES (?, ?, ?)", (document.id, origin.given, origin.file)
            )
            if row == (digest, self._corpus):
                return False
            recommendations = [p for p in passages if p.kind is PassageKind.RECOMMENDATION]
            self._connection.execute(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    document.id,
                    self._corpus,
                    document.source,
                    document.publisher,
                    document.published,
                    len(passages),
                    len(recommendations),
                    sum(p.strength is not None for p in recommendations),
                    digest,
                    zlib.compress(body, 3),
                    zlib.compress(cut.text.encode(), 3),
                ),
            )
        return True

    def _check_origin(self, document: DocumentId, corpus: str, origin: Origin) -> None:
        held = self._connection.execute(
            "SELECT given, file FROM origins WHERE id = ? ORDER BY given, file", (document,)
        ).fetchall()
        if any(given == origin.given or file == origin.file for given, file in held):
            return
        if held:
            raise HeldElsewhereError(str(held[0][1]))
        # Added before origins were noted: it came from what its corpus was read from.
        rows = self._connection.execute("SELECT path FROM files WHERE corpus = ? ORDER BY path", (corpus,)).fetchall()
        if rows and not any(f"{origin.file}/".startswith(f"{path}/") or path == origin.given for (path,) in rows):
            raise HeldElsewhereError(str(rows[0][0]))

    def remember(self, path: str, digest: str, recipe: str) -> None:
        """Note what a path was read with; its hash is empty where it was not read as a whole."""
        with _boundary("write"):
            self._connection.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (path, self._corpus, digest, recipe)
            )


@contextmanager
def _boundary(action: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, zlib.error) as error:
        raise CorpusError(f"could not {action} the library of documents: {error}") from error
    except ValidationError as error:
        raise CorpusError(
            f"could not {action} the library of documents: {error.error_count()} invalid fields"
        ) from error
