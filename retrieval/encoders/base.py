"""What every encoder does: texts to unit vectors.

Every vector belongs to the fingerprint of its encoder; vectors of two fingerprints must never meet in
one index.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
#: Called with texts encoded so far and texts in all.
EncodeProgress = Callable[[int, int], None]


class Encoder(Protocol):
    """Texts to unit vectors; safe to call from several threads."""

    @property
    def name(self) -> str:
        """Name for people."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same text could get a materially different vector."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens after which a text is cut."""
        ...

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """Unit vectors of passages, shape [texts, dimension].

        Raises:
            EncoderError: the model could not be loaded or failed.
        """
        ...

    def encode_queries(self, texts: list[str]) -> Vectors:
        """Unit vectors of queries, shape [texts, dimension].

        Raises:
            EncoderError: the model could not be loaded or failed.
        """
        ...


def unit_rows(vectors: NDArray[np.floating]) -> Vectors:
    """Rows scaled to length 1 in float64, returned as float32; a zero row stays zero."""
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return (wide / np.where(lengths == 0, 1, lengths)).astype(np.float32)
