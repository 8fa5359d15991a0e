"""BM25 as a dot product, so that every store ranks by exactly the same formula.

Lucene's form (Kamphuis, de Vries, Boytsov, Lin: "Which BM25 Do You Mean?", ECIR 2020, table 1, "Lucene
(accurate)"), for a query q and a passage d:

    score(q, d) = sum over t in q of  qtf(t) * idf(t) * tf(t, d) / (tf(t, d) + k1 * (1 - b + b * |d| / avgdl))
    idf(t)      = ln(1 + (N - df(t) + 0.5) / (df(t) + 0.5))

The passage's sparse vector holds the last factor, the query's vector qtf * idf. Terms are numbered by a
32-bit hash, because that is what sparse indexes take and because it needs no vocabulary file; two terms
with the same hash count as one term (expected pairs in 50 000 terms: 0.3). This module stores nothing
but its own statistics and knows nothing of texts.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Term-frequency saturation and length normalisation: Lucene's defaults, not tuned on any corpus here.
K1 = 1.2
B = 0.75

TermIds = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class SparseTerms:
    """Weights of distinct terms: `indices` are term ids (u32, ascending), `values` are >= 0."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@lru_cache(maxsize=200_000)
def term_id(term: str) -> int:
    """Stable number of a term, 0 .. 2**32 - 1 (BLAKE2b, 4 bytes); the same on every machine and run."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest(), "little")


def term_ids(terms: Iterable[str]) -> TermIds:
    """Ids of `terms`, order and repeats kept; shape [n]."""
    return np.fromiter((term_id(term) for term in terms), dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class Bm25Statistics:
    """What BM25 needs to know of a collection: N, avgdl and each term's document frequency."""

    documents: int
    average_length: float
    frequencies: Mapping[int, int]
    k1: float = K1
    b: float = B

    @classmethod
    def of(cls, bags: Sequence[TermIds], *, k1: float = K1, b: float = B) -> Bm25Statistics:
        """Statistics of a collection given each passage's bag of term ids."""
        frequencies: Counter[int] = Counter()
        for bag in bags:
            frequencies.update(np.unique(bag).tolist())
        length = sum(len(bag) for bag in bags)
        return cls(len(bags), length / len(bags) if length else 1.0, dict(frequencies), k1, b)

    def idf(self, term: int) -> float:
        """Inverse document frequency, > 0; 0 for a term in no passage."""
        frequency = self.frequencies.get(term, 0)
        if not frequency:
            return 0.0
        return math.log(1 + (self.documents - frequency + 0.5) / (frequency + 0.5))

    def passage_weights(self, bag: TermIds) -> SparseTerms:
        """The passage's half of the dot product, each value in (0, 1)."""
        indices, counts = np.unique(bag, return_counts=True)
        norm = self.k1 * (1 - self.b + self.b * len(bag) / self.average_length)
        return SparseTerms(tuple(indices.tolist()), tuple((counts / (counts + norm)).tolist()))

    def query_weights(self, bag: TermIds) -> SparseTerms:
        """The query's half of the dot product; terms that no passage has are left out."""
        counts = sorted(Counter(bag.tolist()).items())
        weights = [(term, count * self.idf(term)) for term, count in counts if term in self.frequencies]
        return SparseTerms(tuple(term for term, _ in weights), tuple(weight for _, weight in weights))

    def save(self, path: Path) -> None:
        """Write the statistics to an .npz file."""
        terms = sorted(self.frequencies)
        np.savez(
            path,
            terms=np.array(terms, dtype=np.uint32),
            frequencies=np.array([self.frequencies[term] for term in terms], dtype=np.uint32),
            documents=np.int64(self.documents),
            parameters=np.array([self.average_length, self.k1, self.b], dtype=np.float64),
        )

    @classmethod
    def load(cls, path: Path) -> Bm25Statistics:
        """Read what `save` wrote.

        Raises:
            OSError, ValueError, KeyError: the file is missing or not one of these.
        """
        with np.load(path, allow_pickle=False) as data:
            average_length, k1, b = data["parameters"].tolist()
            frequencies = dict(zip(data["terms"].tolist(), data["frequencies"].tolist(), strict=True))
            return cls(int(data["documents"]), average_length, frequencies, k1, b)
