"""If these fail, a crash or a swap takes the serving index away."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.errors import CorpusError, IndexMismatchError
from retrieval.files import try_lock, write_atomically
from retrieval.generations import IndexDirectory


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "CURRENT"
    path.write_text("1", encoding="ascii")

    def crash() -> None:
        with write_atomically(path) as file:
            file.write(b"2")
            raise RuntimeError("crash")

    with pytest.raises(RuntimeError):
        crash()
    assert path.read_text("ascii") == "1"


def test_readers_share_and_a_remover_waits_for_all(tmp_path: Path) -> None:
    path = tmp_path / "in-use"
    first, second = try_lock(path, shared=True), try_lock(path, shared=True)
    assert first is not None
    assert second is not None
    first.close()
    assert try_lock(path, shared=False) is None
    second.close()
    alone = try_lock(path, shared=False)
    assert alone is not None
    alone.close()


def test_leftovers_of_a_crash_are_cleared_before_the_next_build(tmp_path: Path) -> None:
    place = IndexDirectory(tmp_path)
    with place.building():
        (place.path(place.begin()) / "half").write_text("x", encoding="ascii")
        again = place.begin()
        assert again == 1
        assert list(place.path(again).iterdir()) == []


def test_a_pointer_to_nothing_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("7", encoding="ascii")
    with pytest.raises(IndexMismatchError, match="not complete"):
        IndexDirectory(tmp_path).hold_current()


def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(CorpusError, match="cannot write"), IndexDirectory(tmp_path / "file").building():
        pass
