"""What a directory of rollouts already holds: (task key, repetition) pairs, in a small SQLite file.

The journal is the truth and the ledger only an index over it: it is filled by reading finished lines
and never ahead of them, so a kill at any moment leaves nothing claimed that is not there. Reading goes
on from where the last reading of a segment ended. It holds no question and no answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.batch.errors import BatchError
from agent.rollout import SEGMENT_PATTERN

LEDGER_FILE = "ledger.sqlite"
_VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS done (key BLOB NOT NULL, rep INTEGER NOT NULL, PRIMARY KEY (key, rep)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments (name TEXT PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {_VERSION};
"""


class _Head(BaseModel):
    """The fields of a record that say which asking it is."""

    model_config = ConfigDict(extra="ignore")

    task_key: str
    rep: int


class Ledger:
    """The askings one directory holds. Use it as a context manager."""

    def __init__(self, directory: Path) -> None:
        """Open the ledger and read what the journal gained since.

        Raises:
            BatchError: the directory cannot be used, or a whole line of the journal is not a record.
        """
        self._directory = directory
        with _boundary(directory):
            directory.mkdir(parents=True, exist_ok=True)
            self._connection = self._open()
            self._connection.execute("PRAGMA temp_store = FILE")
            self._connection.execute("CREATE TEMP TABLE claimed (key BLOB PRIMARY KEY) WITHOUT ROWID")
            self._catch_up()

    def claim_line(self, task_key: str) -> bool:
        """True the first time a task is named in this process, False for a line that repeats it."""
        row = (bytes.fromhex(task_key),)
        return self._connection.execute("INSERT OR IGNORE INTO claimed VALUES (?)", row).rowcount == 1

    def is_done(self, task_key: str, rep: int) -> bool:
        """Whether the journal held it when the ledger was opened."""
        pair = (bytes.fromhex(task_key), rep)
        return self._connection.execute("SELECT 1 FROM done WHERE key = ? AND rep = ?", pair).fetchone() is not None

    def done(self) -> int:
        """How many askings the journal held when the ledger was opened."""
        return int(self._connection.execute("SELECT count(*) FROM done").fetchone()[0])

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        path = self._directory / LEDGER_FILE
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        if self._usable(connection):
            return connection
        # Another version wrote it, or the journal lost lines it knew (a power cut): it is made anew.
        connection.close()
        path.unlink(missing_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        connection.executescript(_SCHEMA)
        return connection

    def _usable(self, connection: sqlite3.Connection) -> bool:
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                # Just made, perhaps by another shard at this moment: removing it would take it from under that one.
                connection.executescript(_SCHEMA)
            elif version != _VERSION:
                return False
            read = connection.execute("SELECT name, offset FROM segments").fetchall()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise  # another shard writes it; it is not broken
            return False
        sizes = {path.name: path.stat().st_size for path in self._directory.glob(SEGMENT_PATTERN)}
        return all(sizes.get(name, -1) >= offset for name, offset in read)

    def _catch_up(self) -> None:
        for path in sorted(self._directory.glob(SEGMENT_PATTERN)):
            row = self._connection.execute("SELECT offset FROM segments WHERE name = ?", (path.name,)).fetchone()
            with path.open("rb") as file:
                offset = file.seek(row[0] if row else 0)
                self._connection.execute("BEGIN")
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # torn: the process died while writing it, so it is owed again
                    head = self._head(path, line)
                    pair = (bytes.fromhex(head.task_key), head.rep)
                    self._connection.execute("INSERT OR IGNORE INTO done VALUES (?, ?)", pair)
                    offset += len(line)
                self._connection.execute("INSERT OR REPLACE INTO segments VALUES (?, ?)", (path.name, offset))
                self._connection.execute("COMMIT")

    def _head(self, path: Path, line: bytes) -> _Head:
        try:
            return _Head.model_validate_json(line)
        except ValidationError as error:
            raise BatchError(
                f"{path.name} holds a line that is not a rollout. `clinsearch rollouts validate` names it."
            ) from error


@contextmanager
def _boundary(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise BatchError(f"The directory {directory.name} cannot be used for rollouts: {error}.") from error
