"""The vectors of record: what each encoder made of each text, so that nothing is encoded twice.

One folder per encoder fingerprint; in it numbered pairs `000001.npy` (float32, [n, dimension]) and
`000001.keys` (n hashes of the encoded texts, one a line). A pair is written as a whole and the keys
last, so a crash loses at most the pair being written, and an interrupted build goes on where it was.
Vectors are never removed: an earlier state of the corpus comes back without encoding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import CorpusError
from retrieval.files import write_atomically

_KEY_LENGTH = 64  # SHA-256 in hex


class VectorStore:
    """Vectors of one encoder, by text hash."""

    def __init__(self, directory: Path, *, fingerprint: str, dimension: int) -> None:
        """Open `directory` (made on the first write) for one encoder.

        Raises:
            CorpusError: a file in it is damaged.
        """
        self._directory = directory / hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
        #: Length of a vector.
        self.dimension = dimension
        self._parts: list[NDArray[np.float32]] = []
        self._places: dict[str, tuple[int, int]] = {}
        self._last = 0
        try:
            for keys_path in sorted(self._directory.glob("*.keys")):
                keys = keys_path.read_text(encoding="ascii").split()
                vectors = np.load(keys_path.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
                if vectors.shape != (len(keys), dimension) or vectors.dtype != np.float32:
                    raise CorpusError(
                        f"the vectors of record in {keys_path.stem} do not fit their keys; remove the pair"
                    )
                self._hold(keys, vectors)
                self._last = int(keys_path.stem)
        except (OSError, ValueError) as error:
            raise CorpusError(f"cannot read the vectors of record: {error}") from error

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def add(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Write vectors (shape [keys, dimension]) durably.

        Raises:
            CorpusError: the shapes do not fit, a key is no SHA-256, or the disk failed.
        """
        if vectors.shape != (len(keys), self.dimension) or vectors.dtype != np.float32:
            raise CorpusError(f"{len(keys)} keys do not fit vectors of shape {vectors.shape} and type {vectors.dtype}")
        if any(len(key) != _KEY_LENGTH for key in keys):
            raise CorpusError("a key of a vector must be a SHA-256 in hex")
        if not keys:
            return
        stem = self._directory / f"{self._last + 1:06d}"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with write_atomically(stem.with_suffix(".npy")) as file:
                np.save(file, vectors, allow_pickle=False)
            with write_atomically(stem.with_suffix(".keys")) as file:
                file.write("\n".join(keys).encode("ascii"))
        except OSError as error:
            raise CorpusError(f"cannot write the vectors of record: {error}") from error
        self._last += 1
        self._hold(keys, vectors)

    def get(self, keys: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of `keys` in their order, shape [keys, dimension].

        Raises:
            CorpusError: a key has no vector.
        """
        result = np.empty((len(keys), self.dimension), dtype=np.float32)
        for row, key in enumerate(keys):
            if key not in self._places:
                raise CorpusError("a passage has no vector of record; build the index again")
            part, place = self._places[key]
            result[row] = self._parts[part][place]
        return result

    def _hold(self, keys: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self._parts.append(vectors)
        self._places.update((key, (len(self._parts) - 1, place)) for place, key in enumerate(keys))
