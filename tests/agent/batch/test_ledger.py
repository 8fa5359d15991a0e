"""The ledger knows what the journal holds and is never ahead of it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from agent.batch import BatchError, Ledger
from agent.batch.ledger import LEDGER_FILE

KEY = "ab" * 32
OTHER = "cd" * 32


def line(key: str, rep: int) -> str:
    return f'{{"schema": "rollout.v1", "task_key": "{key}", "rep": {rep}, "messages": []}}\n'


def segment(directory: Path, name: str = "rollouts-1.jsonl") -> Path:
    directory.mkdir(exist_ok=True)
    return directory / name


def test_it_goes_on_reading_where_it_stopped(tmp_path: Path) -> None:
    path = segment(tmp_path)
    path.write_text(line(KEY, 0))
    with Ledger(tmp_path) as ledger:
        assert ledger.is_done(KEY, 0)
        assert not ledger.is_done(KEY, 1)
    with path.open("a") as file:
        file.write(line(KEY, 1) + line(OTHER, 0))
    with Ledger(tmp_path) as ledger:
        assert ledger.done() == 3


def test_a_torn_line_is_owed_until_it_is_whole(tmp_path: Path) -> None:
    path = segment(tmp_path)
    whole = line(KEY, 1)
    path.write_text(line(KEY, 0) + whole[:-5])
    with Ledger(tmp_path) as ledger:
        assert not ledger.is_done(KEY, 1)
    path.write_text(line(KEY, 0) + whole)
    with Ledger(tmp_path) as ledger:
        assert ledger.is_done(KEY, 1)


def test_lines_the_disk_lost_are_owed_again(tmp_path: Path) -> None:
    path = segment(tmp_path)
    path.write_text(line(KEY, 0) + line(OTHER, 0))
    with Ledger(tmp_path) as ledger:
        assert ledger.done() == 2
    path.write_text(line(KEY, 0))
    with Ledger(tmp_path) as ledger:
        assert ledger.done() == 1


def test_a_ledger_of_another_version_or_a_broken_one_is_made_anew(tmp_path: Path) -> None:
    segment(tmp_path).write_text(line(KEY, 0))
    for spoil in (b"not a database at all" * 100, None):
        if spoil is not None:
            (tmp_path / LEDGER_FILE).write_bytes(spoil)
        else:
            connection = sqlite3.connect(tmp_path / LEDGER_FILE)
            connection.execute("PRAGMA user_version = 99")
            connection.close()
        with Ledger(tmp_path) as ledger:
            assert ledger.is_done(KEY, 0)


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    segment(tmp_path).write_text("{}\n")
    with pytest.raises(BatchError, match=r"rollouts-1\.jsonl"):
        Ledger(tmp_path)


def test_a_task_named_twice_is_taken_once(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        assert ledger.claim_line(KEY)
        assert not ledger.claim_line(KEY)
        assert ledger.claim_line(OTHER)


def test_a_file_that_another_shard_is_just_making_is_not_taken_from_it(tmp_path: Path) -> None:
    path = tmp_path / LEDGER_FILE
    with path.open("w+b") as made, Ledger(tmp_path):
        assert path.stat().st_ino == os.fstat(made.fileno()).st_ino
