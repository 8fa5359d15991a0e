"""The store of record: documents and passages in one SQLite file (WAL), by generation.

Texts are kept once by content hash; a generation is a list of them, so an index in use keeps reading
its own texts while the next one is written. Writing a generation is one transaction. Together with the
vectors of record (`retrieval.vectors`) this is everything an index is rebuilt from.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from retrieval.documents import CorpusEntry, Document, DocumentId, Passage, PassageId, SourceId
from retrieval.errors import CorpusError

RECORDS_SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS texts (hash TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    generation INTEGER NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, hash TEXT NOT NULL,
    PRIMARY KEY (generation, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passages (
    generation INTEGER NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, document_id TEXT NOT NULL,
    hash TEXT NOT NULL, PRIMARY KEY (generation, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS passages_of_document ON passages (generation, document_id, position);
"""


class RecordStore:
    """Documents and passages on disk; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            CorpusError: it cannot be opened, or a newer version of this program wrote it.
        """
        self._lock = threading.Lock()
        with self._boundary("open"):
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, RECORDS_SCHEMA_VERSION):
                self._connection.close()
                raise CorpusError(
                    f"{path.name} has record schema {version}; this version reads {RECORDS_SCHEMA_VERSION}"
                )
            if version == 0:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.executescript(_SCHEMA)
                self._connection.execute(f"PRAGMA user_version = {RECORDS_SCHEMA_VERSION}")
            # A generation is only pointed to after it is complete, so it must be on disk by then.
            self._connection.execute("PRAGMA synchronous = FULL")

    def write_generation(self, generation: int, entries: Iterable[CorpusEntry]) -> None:
        """Write a generation as a whole, replacing one of the same number that was left over.

        Raises:
            CorpusError: an id stands twice, a passage names another document, or the disk failed.
        """
        with self._transaction("write") as connection:
            self._forget(connection, generation)
            position = 0
            for number, entry in enumerate(entries):
                document = entry.document
                _put_text(connection, document.content_hash, document.model_dump_json())
                row = (generation, number, document.id, document.content_hash)
                connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?)", row)
                for passage in entry.passages:
                    if passage.document_id != document.id:
                        raise CorpusError(
                            f"passage {passage.id} names document {passage.document_id}, not {document.id}"
                        )
                    digest = passage.content_hash
                    _put_text(connection, digest, passage.model_dump_json())
                    connection.execute(
                        "INSERT INTO passages VALUES (?, ?, ?, ?, ?)",
                        (generation, position, passage.id, document.id, digest),
                    )
                    position += 1

    def forget_generation(self, generation: int) -> None:
        """Remove a generation and every text that no other one uses."""
        with self._transaction("remove") as connection:
            self._forget(connection, generation)
            connection.execute(
                "DELETE FROM texts WHERE hash NOT IN (SELECT hash FROM passages UNION SELECT hash FROM documents)"
            )

    def generations(self) -> tuple[int, ...]:
        """Numbers of the generations held, ascending."""
        rows = self._rows("SELECT DISTINCT generation FROM documents ORDER BY generation")
        return tuple(row[0] for row in rows)

    def entries(self, generation: int) -> Iterator[CorpusEntry]:
        """Every document of a generation with its passages, in the order they were written."""
        for document_id, body in self._rows(
            "SELECT d.id, t.body FROM documents d JOIN texts t USING (hash) WHERE d.generation = ? ORDER BY d.position",
            generation,
        ):
            passages = self._rows(
                "SELECT t.body FROM passages p JOIN texts t USING (hash)"
                " WHERE p.generation = ? AND p.document_id = ? ORDER BY p.position",
                generation,
                document_id,
            )
            with self._boundary("read"):
                yield CorpusEntry(
                    document=Document.model_validate_json(body),
                    passages=tuple(Passage.model_validate_json(row[0]) for row in passages),
                )

    def sources(self, generation: int) -> frozenset[SourceId]:
        """The sources that a generation holds documents of."""
        rows = self._rows(
            "SELECT DISTINCT json_extract(t.body, '$.source') FROM documents d JOIN texts t USING (hash)"
            " WHERE d.generation = ?",
            generation,
        )
        return frozenset(SourceId(row[0]) for row in rows)

    def regions(self, generation: int) -> frozenset[str]:
        """The regions that a generation holds documents of, as the documents give them."""
        rows = self._rows(
            "SELECT DISTINCT json_extract(t.body, '$.region') FROM documents d JOIN texts t USING (hash)"
            " WHERE d.generation = ?",
            generation,
        )
        return frozenset(str(row[0]) for row in rows)

    def passages(self, generation: int, ids: Iterable[PassageId]) -> dict[PassageId, tuple[Passage, Document]]:
        """Those of the passages that the generation has, each with its document."""
        # Joined in the order written: left to choose, SQLite reads every passage for each of the ids.
        rows = self._rows(
            "SELECT p.id, t.body, d.id, u.body FROM json_each(?) wanted"
            " CROSS JOIN passages p ON p.generation = ? AND p.id = wanted.value CROSS JOIN texts t ON t.hash = p.hash"
            " CROSS JOIN documents d ON d.generation = p.generation AND d.id = p.document_id"
            " CROSS JOIN texts u ON u.hash = d.hash",
            json.dumps(list(ids)),
            generation,
        )
        with self._boundary("read"):
            documents = {name: Document.model_validate_json(body) for name, body in {row[2:] for row in rows}}
            return {
                PassageId(name): (Passage.model_validate_json(body), documents[document])
                for name, body, document, _ in rows
            }

    def passage(self, generation: int, passage_id: PassageId) -> tuple[Passage, Document] | None:
        """A passage with its document, or None where the generation has none of this id."""
        return self.passages(generation, [passage_id]).get(passage_id)

    def passage_ids(self, generation: int, document_id: DocumentId) -> tuple[PassageId, ...]:
        """Ids of a document's passages in a generation, in order."""
        rows = self._rows(
            "SELECT id FROM passages WHERE generation = ? AND document_id = ? ORDER BY position",
            generation,
            document_id,
        )
        return tuple(PassageId(row[0]) for row in rows)

    def document(self, generation: int, document_id: DocumentId) -> Document | None:
        """A document, or None where the generation has none of this id."""
        rows = self._rows(
            "SELECT t.body FROM documents d JOIN texts t USING (hash) WHERE d.generation = ? AND d.id = ?",
            generation,
            document_id,
        )
        with self._boundary("read"):
            return Document.model_validate_json(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        with self._lock:
            self._connection.close()

    @staticmethod
    def _forget(connection: sqlite3.Connection, generation: int) -> None:
        for table in ("documents", "passages"):
            connection.execute(f"DELETE FROM {table} WHERE generation = ?", (generation,))  # noqa: S608 - fixed names

    def _rows(self, statement: str, *parameters: str | int) -> list[tuple[Any, ...]]:
        with self._lock, self._boundary("read"):
            return self._connection.execute(statement, parameters).fetchall()

    @contextmanager
    def _transaction(self, action: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._boundary(action):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @staticmethod
    @contextmanager
    def _boundary(action: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise CorpusError("a document or passage id stands twice in the corpus") from error
        except (sqlite3.Error, OSError) as error:
            raise CorpusError(f"could not {action} the passages of record: {error}") from error
        except ValidationError as error:
            raise CorpusError(
                f"could not {action} the passages of record: {error.error_count()} invalid fields"
            ) from error


def _put_text(connection: sqlite3.Connection, digest: str, body: str) -> None:
    connection.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (digest, body))
