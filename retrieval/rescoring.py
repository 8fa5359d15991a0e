"""Rescoring: the exact order of the passages that the legs found.

The legs choose candidates; every candidate is then scored by everything that is known of it, whichever leg found it:

    score(q, p) = a * cos(q, p) + (1 - a) * ((1 - g) * words(q, p) + g * grams(q, p))

- `cos` compares vectors after half of the collection's mean vector is taken off: what all its passages have in
  common tells none of them apart (Mu, Viswanath: "All-but-the-Top", ICLR 2018).
- `words` and `grams` are BM25 over stems and over character 4-grams, each divided by its bound (see
  `retrieval.term_table`), so that a weighted sum with a cosine means something: Bruch, Gai, Ingber: "An Analysis of
  Fusion Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023.
- Then feedback, once: the best few passages are taken as what the query meant, and its vector moves towards theirs
  (Rocchio: "Relevance Feedback in Information Retrieval", 1971; on dense vectors Li et al., ACM TOIS 41(3), 2023). A
  passage counts by a power of its score, so a clear winner decides alone. Where even the best one scores little, as
  for a long case history, it is not taken for what was meant: the list would close in on a wrong subject. Feedback
  only orders candidates: it can never bring in a passage that the query itself did not find.

Nothing of this depends on the store: two stores that give the same candidates give the same order. Tuned on
development halves, see docs/adr; a change of what is kept here needs a new `RESCORING_VERSION`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from retrieval.documents import Document, Passage, PassageId
from retrieval.encoders import Vectors, unit_rows
from retrieval.errors import IndexMismatchError
from retrieval.grams import grams
from retrieval.searched_text import bm25_text
from retrieval.term_table import Rows, Scores, TermTable
from retrieval.tokens import tokenise

RESCORING_VERSION = "1"

#: Share of the mean vector that is taken off every vector.
_CENTRED = 0.5
# BM25's parameters for rescoring; the leg keeps Lucene's.
_K1 = 0.9
_B = 0.6
# As in `retrieval.stores`: scores that agree to this many decimals count as equal.
_DECIMALS = 5

_Share = Annotated[float, Field(ge=0, le=1)]


class RescoringSettings(BaseModel):
    """What each part of the score counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: `a`: the dense part against the lexical.
    dense_weight: _Share = 0.5
    #: `g`: grams against words.
    gram_weight: _Share = 0.4
    #: How many of the best passages feed back; 0 turns feedback off.
    feedback_passages: Annotated[int, Field(ge=0, le=20)] = 3
    #: Power of its score by which a passage feeds back.
    feedback_sharpness: Annotated[float, Field(ge=0)] = 8.0
    #: No feedback where the best passage scores less.
    feedback_from: _Share = 0.3
    #: How far the query's vector moves to theirs.
    feedback_weight: _Share = 0.35


DEFAULT_RESCORING = RescoringSettings()


@dataclass(frozen=True, slots=True)
class Rescored:
    """One wording of what is searched for."""

    text: str
    #: Its vector; shape [dimension].
    vector: NDArray[np.float32]
    #: What it counts beside other wordings, > 0.
    weight: float = 1.0


class RescoringTable:
    """What rescoring knows of every passage of a collection."""

    def __init__(
        self,
        passages: Sequence[PassageId],
        vectors: NDArray[np.float16],
        centre: NDArray[np.float32],
        words: TermTable,
        grams: TermTable,
    ) -> None:
        self._rows = {passage: row for row, passage in enumerate(passages)}
        self._vectors = vectors
        self._centre = centre
        self._words = words
        self._grams = grams

    @classmethod
    def of(cls, pairs: Sequence[tuple[Passage, Document]], vectors: Vectors) -> RescoringTable:
        """The table of passages and their vectors (shape [pairs, dimension])."""
        centre = (_CENTRED * vectors.mean(axis=0, dtype=np.float64)).astype(np.float32)
        texts = [bm25_text(passage, document) for passage, document in pairs]
        return cls(
            [passage.id for passage, _ in pairs],
            unit_rows(vectors - centre).astype(np.float16),
            centre,
            TermTable.of(map(tokenise, texts), k1=_K1, b=_B),
            TermTable.of(map(grams, texts), k1=_K1, b=_B),
        )

    def lacks(self, text: str) -> bool:
        """Whether no passage has any word of `text`."""
        return not self._words.query(tokenise(text)).any()

    def cosines(self, vector: NDArray[np.float32], passages: Sequence[PassageId]) -> list[float]:
        """Cosines of a query's vector with the passages' own vectors, as exact as half precision keeps them.

        What lies here is (v - c) / n. A vector v has length 1, so n follows: |n u + c| = 1.

        Raises:
            IndexMismatchError: a passage is not in the table.
        """
        kept = self._vectors[self._rows_of(passages)].astype(np.float32)
        along = kept @ self._centre
        lengths = -along + np.sqrt(along**2 + 1 - float(self._centre @ self._centre))
        found: list[float] = (lengths * (kept @ vector) + float(self._centre @ vector)).tolist()
        return found

    def order(
        self,
        wordings: Sequence[Rescored],
        candidates: Sequence[PassageId],
        settings: RescoringSettings = DEFAULT_RESCORING,
    ) -> list[tuple[PassageId, float]]:
        """The candidates (without repeats) with their scores, best first, equal scores by passage id.

        A score lies between -1 and 1: the mean over the wordings by weight.

        Raises:
            IndexMismatchError: a candidate is not in the table.
        """
        if not candidates or not wordings:
            return []
        ordered = sorted(candidates)
        rows = self._rows_of(ordered)
        total = sum(wording.weight for wording in wordings)
        scores = sum(
            (wording.weight / total * self._scores(wording, rows, settings) for wording in wordings),
            start=np.zeros(len(rows)),
        ).round(_DECIMALS)
        return [(ordered[place], float(scores[place])) for place in np.argsort(-scores, kind="stable").tolist()]

    def _rows_of(self, passages: Sequence[PassageId]) -> Rows:
        try:
            return np.array([self._rows[passage] for passage in passages], dtype=np.int64)
        except KeyError as error:
            raise IndexMismatchError("The index is not complete. Run `clinsearch index build`.") from error

    def _scores(self, wording: Rescored, rows: Rows, settings: RescoringSettings) -> Scores:
        query = unit_rows((wording.vector - self._centre)[None])[0]
        vectors = self._vectors[rows].astype(np.float32)
        lexical = (1 - settings.gram_weight) * self._words.scores(self._words.query(tokenise(wording.text)), rows)
        if settings.gram_weight:
            lexical += settings.gram_weight * self._grams.scores(self._grams.query(grams(wording.text)), rows)
        scores = _mixed(vectors @ query, lexical, settings)
        if not settings.feedback_passages or scores.max() < settings.feedback_from:
            return scores
        best = np.argsort(-scores.round(_DECIMALS), kind="stable")[: settings.feedback_passages]
        shares = np.maximum(scores[best], 1e-6) ** settings.feedback_sharpness
        shares /= shares.sum()
        moved = (1 - settings.feedback_weight) * query + settings.feedback_weight * (shares @ vectors[best])
        return _mixed(vectors @ moved / np.linalg.norm(moved), lexical, settings)

    def save(self, directory: Path) -> None:
        """Write the table into `directory`, which is made.

        Raises:
            OSError: the disk failed.
        """
        self._words.save(directory / "words")
        self._grams.save(directory / "grams")
        np.save(directory / "vectors.npy", self._vectors, allow_pickle=False)
        np.save(directory / "centre.npy", self._centre, allow_pickle=False)
        (directory / "passages.json").write_text(json.dumps(list(self._rows), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> RescoringTable:
        """Map what `save` wrote; vectors and terms are read from disk as they are needed.

        Raises:
            IndexMismatchError: it is missing or damaged.
        """
        try:
            return cls(
                json.loads((directory / "passages.json").read_text("utf-8")),
                np.load(directory / "vectors.npy", mmap_mode="r", allow_pickle=False),
                np.load(directory / "centre.npy", allow_pickle=False),
                TermTable.load(directory / "words"),
                TermTable.load(directory / "grams"),
            )
        except (OSError, ValueError) as error:
            raise IndexMismatchError("The index is not complete. Run `clinsearch index build`.") from error


def _mixed(cosines: NDArray[np.floating], lexical: Scores, settings: RescoringSettings) -> Scores:
    return settings.dense_weight * cosines.astype(np.float64) + (1 - settings.dense_weight) * lexical
