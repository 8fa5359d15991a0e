"""If these fail, an index is rebuilt from wrong vectors, or everything is encoded again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import CorpusError
from retrieval.searched_text import text_hash
from retrieval.vectors import VectorStore

KEYS = [text_hash(str(number)) for number in range(4)]
VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


def store(directory: Path, fingerprint: str = "encoder-1") -> VectorStore:
    return VectorStore(directory, fingerprint=fingerprint, dimension=3)


def test_vectors_come_back_by_key_in_any_order(tmp_path: Path) -> None:
    written = store(tmp_path)
    written.add(KEYS[:3], VECTORS[:3])
    written.add(KEYS[3:], VECTORS[3:])
    for held in (written, store(tmp_path)):
        np.testing.assert_array_equal(held.get([KEYS[3], KEYS[0]]), VECTORS[[3, 0]])
        assert len(held) == 4
        assert KEYS[1] in held


def test_another_encoder_never_sees_them(tmp_path: Path) -> None:
    store(tmp_path).add(KEYS, VECTORS)
    assert len(store(tmp_path, "encoder-2")) == 0


def test_a_write_cut_off_by_a_crash_is_not_seen_and_written_over(tmp_path: Path) -> None:
    held = store(tmp_path)
    held.add(KEYS[:2], VECTORS[:2])
    folder = next(tmp_path.iterdir())
    (folder / "000002.npy").write_bytes(b"half a file")
    again = store(tmp_path)
    assert len(again) == 2
    again.add(KEYS[2:], VECTORS[2:])
    np.testing.assert_array_equal(store(tmp_path).get(KEYS), VECTORS)


def test_damaged_vectors_are_refused(tmp_path: Path) -> None:
    store(tmp_path).add(KEYS, VECTORS)
    np.save(next(tmp_path.iterdir()) / "000001.npy", VECTORS[:2])
    with pytest.raises(CorpusError, match="do not fit"):
        store(tmp_path)
    (next(tmp_path.iterdir()) / "000001.npy").write_bytes(b"noise")
    with pytest.raises(CorpusError, match="cannot read"):
        store(tmp_path)


@pytest.mark.parametrize(
    ("keys", "vectors"),
    [(KEYS, VECTORS[:2]), (KEYS, VECTORS.astype(np.float64)), (["short"], VECTORS[:1])],
)
def test_what_does_not_fit_is_not_written(tmp_path: Path, keys: list[str], vectors: np.ndarray) -> None:
    with pytest.raises(CorpusError):
        store(tmp_path).add(keys, vectors)
    assert len(store(tmp_path)) == 0


def test_a_missing_vector_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="build the index again"):
        store(tmp_path).get(KEYS[:1])
