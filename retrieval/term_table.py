"""BM25 weights of passages, row by row, so that a few chosen passages can be scored exactly.

A search engine goes from terms to passages; this goes from passages to terms, and so can score any hundred of them
whatever leg found them. Same formula as `retrieval.bm25`. Scores
are divided by their bound, the sum of qtf(t) * idf(t), which no passage reaches: they lie in 0 .. 1, and those of
two queries compare (the theoretical bounds of Bruch, Gai, Ingber: "An Analysis of Fusion Functions for Hybrid
Retrieval", ACM TOIS 42(1), 2023). The arrays are mapped from disk: only rows that are scored are read.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.bm25 import K1, B, term_id

Weights = NDArray[np.float32]
Scores = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TermTable:
    """Terms and weights of n passages over a vocabulary of v terms."""

    #: Where each passage's entries begin, and the end of the last; shape [n + 1].
    offsets: NDArray[np.int64]
    #: Place of each entry's term in the vocabulary; shape [entries].
    terms: NDArray[np.int32]
    #: tf / (tf + norm), in (0, 1); shape [entries].
    weights: NDArray[np.float16]
    #: Ids of the terms (`retrieval.bm25.term_id`), ascending; shape [v].
    vocabulary: NDArray[np.uint32]
    #: Inverse document frequency, > 0; shape [v].
    idf: NDArray[np.float32]

    @classmethod
    def of(cls, bags: Iterable[Iterable[str]], *, k1: float = K1, b: float = B) -> TermTable:
        """The table of passages given each one's bag of terms, repeats kept."""
        numbers: dict[int, int] = {}
        lengths, sizes = array("q"), array("q")
        entries, counts = array("i"), array("f")
        for bag in bags:
            ids = np.fromiter((numbers.setdefault(term_id(term), len(numbers)) for term in bag), dtype=np.int32)
            distinct, repeats = np.unique(ids, return_counts=True)
            lengths.append(len(ids))
            sizes.append(len(distinct))
            entries.frombytes(distinct.astype(np.int32).tobytes())
            counts.frombytes(repeats.astype(np.float32).tobytes())
        vocabulary = np.fromiter(numbers, dtype=np.uint32, count=len(numbers))
        order = np.argsort(vocabulary)
        place = np.empty(len(order), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        terms = place[np.frombuffer(entries, dtype=np.int32)]
        tf = np.frombuffer(counts, dtype=np.float32)
        rows = np.frombuffer(sizes, dtype=np.int64)
        length = np.frombuffer(lengths, dtype=np.int64).astype(np.float64)
        average = float(length.mean()) if length.any() else 1.0
        norm = np.repeat(k1 * (1 - b + b * length / average), rows).astype(np.float32)
        frequency = np.bincount(terms, minlength=len(order)).astype(np.float64)
        return cls(
            offsets=np.concatenate([[0], np.cumsum(rows)]).astype(np.int64),
            terms=terms,
            weights=(tf / (tf + norm)).astype(np.float16),
            vocabulary=vocabulary[order],
            idf=np.log(1 + (len(rows) - frequency + 0.5) / (frequency + 0.5)).astype(np.float32),
        )

    def query(self, terms: Iterable[str]) -> Weights:
        """Weights of a query over the vocabulary, shape [v], of sum 1; all 0 where no passage has any of its terms."""
        counts = Counter(term_id(term) for term in terms)
        weights = np.zeros(len(self.vocabulary), dtype=np.float32)
        if not counts or not len(weights):
            return weights
        wanted = np.fromiter(counts, dtype=np.uint32, count=len(counts))
        places = np.minimum(np.searchsorted(self.vocabulary, wanted), len(weights) - 1)
        known = self.vocabulary[places] == wanted
        repeats = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
        weights[places[known]] = repeats[known] * self.idf[places[known]]
        total = float(weights.sum())
        return weights / total if total else weights

    def scores(self, weights: Weights, rows: Rows) -> Scores:
        """Score of each of `rows` for a query's `weights`, 0 .. 1; shape [rows]."""
        owners, entries = self._entries(rows)
        products = weights[self.terms[entries]] * self.weights[entries]
        return np.bincount(owners, weights=products, minlength=len(rows)).astype(np.float64)

    def save(self, directory: Path) -> None:
        """Write the arrays into `directory`, which is made."""
        directory.mkdir(parents=True)
        for field in fields(self):
            np.save(directory / f"{field.name}.npy", getattr(self, field.name), allow_pickle=False)

    @classmethod
    def load(cls, directory: Path) -> TermTable:
        """Map what `save` wrote.

        Raises:
            OSError, ValueError: a file is missing or not one of these.
        """
        return cls(**{field.name: _mapped(directory / f"{field.name}.npy") for field in fields(cls)})

    def _entries(self, rows: Rows) -> tuple[Rows, Rows]:
        """For every entry of `rows`: which of them it belongs to, and where it stands."""
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        sizes = ends - starts
        owners = np.repeat(np.arange(len(rows)), sizes)
        before = np.cumsum(sizes) - sizes
        return owners, np.arange(len(owners)) + np.repeat(starts - before, sizes)


def _mapped(path: Path) -> Any:
    # A plain view of what is mapped: `memmap` itself costs as much at every slice as what is done with the slice.
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
