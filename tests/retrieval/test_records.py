"""If these fail, a citation opens the wrong passage, or none."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval import CorpusEntry, CorpusError, DocumentId, PassageId
from retrieval.records import RecordStore


@pytest.fixture
def records(tmp_path: Path) -> Iterator[RecordStore]:
    store = RecordStore(tmp_path / "records.sqlite")
    yield store
    store.close()


def test_what_was_written_comes_back_whole(records: RecordStore, entries: tuple[CorpusEntry, ...]) -> None:
    records.write_generation(1, entries)
    assert tuple(records.entries(1)) == entries
    assert records.passage(1, PassageId("uti#2")) == (entries[1].passages[1], entries[1].document)
    assert records.document(1, DocumentId("gout")) == entries[2].document
    assert records.passage(1, PassageId("nothing")) is None
    assert records.document(1, DocumentId("nothing")) is None


def test_several_are_read_at_once_by_id(records: RecordStore, entries: tuple[CorpusEntry, ...]) -> None:
    records.write_generation(1, entries)
    records.write_generation(2, entries[:1])
    known = {passage.id: (passage, entry.document) for entry in entries for passage in entry.passages}
    asked = [*reversed(known), PassageId("nothing"), *known]
    assert records.passages(1, asked) == known
    assert records.passages(2, asked) == {passage.id: (passage, entries[0].document) for passage in entries[0].passages}
    assert records.passages(1, []) == {}


def test_it_is_on_disk(records: RecordStore, entries: tuple[CorpusEntry, ...], tmp_path: Path) -> None:
    records.write_generation(1, entries)
    again = RecordStore(tmp_path / "records.sqlite")
    assert tuple(again.entries(1)) == entries
    again.close()


def test_a_new_generation_leaves_the_old_one_as_it_was(records: RecordStore, entries: tuple[CorpusEntry, ...]) -> None:
    records.write_generation(1, entries)
    records.write_generation(2, entries[:1])
    assert tuple(records.entries(1)) == entries
    assert records.passage(2, PassageId("gout#1")) is None
    records.forget_generation(1)
    assert tuple(records.entries(2)) == entries[:1]
    assert records.generations() == (2,)


def test_an_inconsistent_corpus_changes_nothing(records: RecordStore, entries: tuple[CorpusEntry, ...]) -> None:
    records.write_generation(1, entries)
    with pytest.raises(CorpusError, match="twice"):
        records.write_generation(1, [*entries, entries[0]])
    stray = entries[0].model_copy(update={"document": entries[1].document})
    with pytest.raises(CorpusError, match="names document"):
        records.write_generation(1, [stray])
    assert tuple(records.entries(1)) == entries


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "records.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(CorpusError, match="schema 99"):
        RecordStore(tmp_path / "records.sqlite")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(CorpusError):
        RecordStore(tmp_path / "records.sqlite")


def test_a_closed_store_says_so(records: RecordStore) -> None:
    records.close()
    records.close()
    with pytest.raises(CorpusError):
        records.passage(1, PassageId("a"))


def test_threads_read_while_a_build_writes(records: RecordStore, entries: tuple[CorpusEntry, ...]) -> None:
    records.write_generation(1, entries)
    failures: list[object] = []

    def read() -> None:
        for _ in range(100):
            found = records.passage(1, PassageId("asthma#1"))
            if found is None or found[0] != entries[0].passages[0]:
                failures.append(found)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for generation in range(2, 8):
        records.write_generation(generation, entries)
    for thread in threads:
        thread.join()
    assert failures == []
