"""The database behind the records: SQLite in one file unless an address names another.

What a transaction committed is on disk when it returns: write-ahead log with `synchronous=FULL`, so neither a killed
process nor a power cut loses it, and a half-written transaction is no part of the database. Deleted rows are
overwritten (`secure_delete`), and the log that still has them is emptied by `purge`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from service.records.errors import RecordsUnavailableError

#: How long a writer waits for another, milliseconds; a write takes a few.
BUSY_MS = 10_000
_PRAGMAS = (
    f"busy_timeout={BUSY_MS}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    # The log is cut back after each checkpoint, in bytes.
    "journal_size_limit=4194304",
)
#: Execution option of a connection that will write: SQLite's lock is taken at once, since one that reads first and
#: writes later can fail against another.
WRITES = "clinsearch_writes"


def make_engine(url: str | None, file: Path) -> Engine:
    """An engine on the database at `url`, or on the SQLite file where none is given.

    Raises:
        RecordsUnavailableError: the address is none, or its driver is not installed.
    """
    if url is None:
        _make_private(file)
        url = f"sqlite:///{file.resolve()}"
    try:
        # Parameters hold what clinicians typed: never part of an error or a log line.
        engine = create_engine(make_url(url), hide_parameters=True, pool_pre_ping=not url.startswith("sqlite"))
    except (ArgumentError, ImportError, SQLAlchemyError) as error:
        raise RecordsUnavailableError(
            "The setting CLINSEARCH_RECORDS_URL is wrong: it is no database address, or its driver is not installed."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def purge(engine: Engine) -> bool:
    """Empty SQLite's log of what was deleted; False where a reader holds it back, and it is to be tried again."""
    if engine.dialect.name != "sqlite":
        return True
    with boundary(), closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=1000")
        try:
            busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        return not busy


@contextmanager
def boundary() -> Iterator[None]:
    """Whatever a database or its driver raises, as one error that says nothing of what was stored."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise RecordsUnavailableError(
            "Conversations could not be read or written just now. Try again in a moment; if it goes on, look at "
            "the disk and at the database."
        ) from error


def _make_private(file: Path) -> None:
    """The file, readable by its owner only; SQLite gives its companions the same permissions."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise RecordsUnavailableError(f"{file.name} cannot be opened for writing ({error.strerror}).") from error


def _on_connect(connection: sqlite3.Connection, _: object) -> None:
    # Transactions are begun by `_on_begin`; the driver would begin none before a SELECT and none for DDL.
    connection.isolation_level = None
    with closing(connection.cursor()) as cursor:
        for pragma in _PRAGMAS:
            # Of several that open a new file at once one writes the mode of its log; the others are told "locked" at
            # once, whatever `busy_timeout` says.
            for attempt in Retrying(
                retry=retry_if_exception(_is_busy),
                stop=stop_after_delay(BUSY_MS / 1000),
                wait=wait_random(0.01, 0.05),
                reraise=True,
            ):
                with attempt:
                    cursor.execute(f"PRAGMA {pragma}")


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
