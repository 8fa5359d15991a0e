"""The SQLite file: who can read it, what is left after a deletion, and how it comes to its tables."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from agent import new_rollout_id
from retrieval import HashingEncoder, build_index
from service.container import build_service
from service.records import Feedback, Records, RecordsUnavailableError, open_records
from service.records.engine import make_engine
from service.records.migrating import migrate
from service.records.tables import Base
from service.settings import Settings

from ..conftest import corpus
from .conftest import ME, summary

SECRET = "Mrs Exampleton of ward nine"


def fill(records: Records, number: int = 1) -> None:
    for _ in range(number):
        rollout, conversation = new_rollout_id(), records.create(ME).id
        records.begin_turn(ME, conversation, rollout, f"{SECRET}?")
        records.finish_turn(rollout, summary(rollout, SECRET))
        records.rate(ME, rollout, Feedback(thumbs="down", comment=SECRET))


def everything(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.glob("records.sqlite*"))


def test_the_tables_are_those_of_the_migrations(tmp_path: Path) -> None:
    """A column without a migration works on a new database and breaks every old one."""
    engine = make_engine(None, tmp_path / "records.sqlite")
    migrate(engine)
    migrate(engine)  # there is nothing to do, and it does nothing
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_a_commit_is_on_disk_before_it_is_confirmed(tmp_path: Path) -> None:
    engine = make_engine(None, tmp_path / "records.sqlite")
    with engine.connect() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    engine.dispose()
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_only_the_owner_of_the_process_can_read_it(tmp_path: Path) -> None:
    """It holds what clinicians typed."""
    records = open_records(None, tmp_path / "data" / "records.sqlite")
    fill(records)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    records.close()
    assert modes == {"records.sqlite": 0o600, "records.sqlite-wal": 0o600, "records.sqlite-shm": 0o600}


def test_what_is_deleted_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    """Otherwise whoever copies the file reads what a clinician thought was gone."""
    records = open_records(None, tmp_path / "records.sqlite")
    fill(records, 5)
    assert SECRET.encode() in everything(tmp_path)
    for info in records.page(ME).conversations:
        records.delete(ME, info.id)
    assert SECRET.encode() not in everything(tmp_path)
    assert SECRET.casefold().encode() not in everything(tmp_path)
    records.close()


def test_a_deletion_beside_a_reader_is_complete_at_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite"
    records = open_records(None, file)
    fill(records)
    (info,) = records.page(ME).conversations
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()
        records.delete(ME, info.id)
        assert SECRET.encode() in everything(tmp_path)
    open_records(None, file).close()
    assert SECRET.encode() not in everything(tmp_path)
    records.close()


def test_many_threads_write_at_once(tmp_path: Path) -> None:
    records = open_records(None, tmp_path / "records.sqlite")
    failures: list[Exception] = []

    def work() -> None:
        try:
            fill(records, 10)
        except Exception as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(records.page(ME, limit=100).conversations) == 80
    records.close()


def test_two_processes_may_start_at_once(tmp_path: Path) -> None:
    """Each migrates; the second finds nothing to do."""
    opened: list[object] = []
    threads = [
        threading.Thread(target=lambda: opened.append(open_records(None, tmp_path / "records.sqlite")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4


def test_a_migration_that_breaks_off_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE consents (id INTEGER)")  # in the way of the migration's fifth table
        connection.commit()
    with pytest.raises(RecordsUnavailableError):
        open_records(None, file)
    with closing(sqlite3.connect(file)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"consents"}


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """Writing into tables nobody here knows would damage them."""
    file = tmp_path / "records.sqlite"
    open_records(None, file).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(RecordsUnavailableError, match="newer version"):
        open_records(None, file)


@pytest.mark.parametrize("damage", [b"no database " * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "records.sqlite"
    file.write_bytes(damage)
    with pytest.raises(RecordsUnavailableError):
        open_records(None, file)
    assert file.read_bytes() == damage


@pytest.mark.parametrize("url", ["nonsense", "postgresql+nodriver://localhost/x"])
def test_an_address_that_is_none_is_refused_in_a_sentence(tmp_path: Path, url: str) -> None:
    with pytest.raises(RecordsUnavailableError, match="CLINSEARCH_RECORDS_URL"):
        open_records(url, tmp_path / "records.sqlite")


def test_an_error_of_the_database_says_nothing_of_what_was_typed(tmp_path: Path) -> None:
    """An error's text may reach a log."""
    file = tmp_path / "records.sqlite"
    records = open_records(None, file)
    conversation = records.create(ME).id
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE messages")
        connection.commit()
    with pytest.raises(RecordsUnavailableError) as caught:
        records.begin_turn(ME, conversation, new_rollout_id(), SECRET)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__
    records.close()


def test_only_what_keeps_conversations_opens_the_database(tmp_path: Path) -> None:
    """A question on the command line must not fail because the database does."""
    build_index(corpus(), tmp_path / "index", HashingEncoder())
    for chosen, keeps in (("on", False), ("off", True), ("on", True)):
        settings = Settings.model_validate({"data_dir": tmp_path, "encoder": "hashing", "conversations": chosen})
        service = build_service(settings, keeps=keeps)
        assert settings.records_file.exists() == (chosen == "on" and keeps)
        asyncio.run(service.close())
