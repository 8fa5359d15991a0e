"""The scripted encoder: deterministic, no torch, near for texts that share words or parts of words."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from retrieval.encoders.base import EncodeProgress, Vectors, unit_rows
from retrieval.tokens import TOKENISER_VERSION, tokenise


class HashingEncoder:
    """Signed feature hashing of stemmed words and their character trigrams.

    Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009. For tests, and
    for running without torch; it knows no synonyms.
    """

    name = "hashing"
    max_tokens = 10_000

    def __init__(self, dimension: int = 256) -> None:
        if dimension < 2:
            raise ValueError("dimension must be at least 2")
        self.dimension = dimension
        self.fingerprint = f"hashing-1-{dimension}-tokens-{TOKENISER_VERSION}"

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """See `Encoder.encode_passages`."""
        vectors = self.encode_queries(texts)
        if progress is not None and texts:
            progress(len(texts), len(texts))
        return vectors

    def encode_queries(self, texts: list[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float64)
        # The last dimension is a small constant, so that an empty text has a direction too.
        vectors[:, -1] = 0.1
        for row, text in enumerate(texts):
            for term in tokenise(text)[: self.max_tokens]:
                for feature, weight in _features(term):
                    slot, sign = _slot(feature)
                    vectors[row, slot % (self.dimension - 1)] += sign * weight
        return unit_rows(vectors)


def _features(term: str) -> list[tuple[str, float]]:
    padded = f"^{term}$"
    trigrams = [padded[i : i + 3] for i in range(len(padded) - 2)]
    # Trigrams of one word weigh half as much as the word, so that whole words decide.
    return [(term, 1.0), *((f"#{gram}", 0.5 / len(trigrams) ** 0.5) for gram in trigrams)]


@lru_cache(maxsize=200_000)
def _slot(feature: str) -> tuple[int, int]:
    digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
    return digest >> 1, 1 if digest & 1 else -1
