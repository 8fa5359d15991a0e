"""The predicted queries of an index: which passages a query is nearest to by what they are likely to be asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.documents import PassageId
from retrieval.encoders import Vectors, unit_rows
from retrieval.errors import IndexMismatchError
from retrieval.expansion import expanded
from retrieval.filters import SearchFilters
from retrieval.predicted_queries.reading import PredictedQueries
from retrieval.stores.base import Leg, StorePoint, ordered_leg
from retrieval.stores.conditions import Value, conditions, holds, payload

_INCOMPLETE = "The index is not complete. Run `clinsearch index build`."


class PredictedMatch:
    """How near one query is to the predicted queries of every passage that has some."""

    def __init__(
        self,
        passages: Sequence[PassageId],
        places: Mapping[PassageId, int],
        payloads: Sequence[Mapping[str, Value]],
        cosines: NDArray[np.float32],
    ) -> None:
        self._passages = passages
        self._places = places
        self._payloads = payloads
        #: The best of each passage's; shape [passages].
        self._cosines = cosines

    def leg(self, scopes: Sequence[SearchFilters], limit: int, hidden: Collection[PassageId] = ()) -> Leg:
        """The nearest `limit` passages that one of `scopes` lets through and are not `hidden`, with their cosines."""
        wanted = [conditions(filters) for filters in scopes]
        found: list[tuple[PassageId, float]] = []
        # Most filters let most of the best through: a few more than needed are put in order first, all if need be.
        for reach in (4 * limit, len(self._passages)):
            rows = np.arange(len(self._cosines))
            if reach < len(rows):
                rows = np.argpartition(-self._cosines, reach)[:reach]
            found = [
                (self._passages[row], float(self._cosines[row]))
                for row in rows.tolist()
                if self._passages[row] not in hidden
                and any(all(holds(one, self._payloads[row]) for one in every) for every in wanted)
            ]
            if len(found) >= limit:
                break
        return ordered_leg(found, limit)

    def cosine(self, passage: PassageId) -> float | None:
        """Of the nearest predicted query of a passage, -1 .. 1; None where it has none."""
        place = self._places.get(passage)
        return None if place is None else float(self._cosines[place])


class PredictedQueryTable:
    """The vectors of the predicted queries of a collection's passages, with what the passages are filtered by."""

    def __init__(
        self,
        passages: Sequence[PassageId],
        starts: NDArray[np.int64],
        payloads: Sequence[Mapping[str, Value]],
        vectors: NDArray[np.float32],
    ) -> None:
        """`starts`: the row in `vectors` (shape [queries, dimension], unit length) of each passage's first query."""
        self._passages = passages
        self._places = {passage: place for place, passage in enumerate(passages)}
        self._starts = starts
        self._payloads = payloads
        self._vectors = vectors

    @classmethod
    def of(
        cls, points: Iterable[StorePoint], predicted: PredictedQueries, encode: Callable[[list[str]], Vectors]
    ) -> PredictedQueryTable | None:
        """The table of the passages that have predicted queries; None where none has.

        `encode` makes vectors of queries. They are encoded as a clinician's query is: short forms with their other
        words.

        Raises:
            EncoderError, CorpusError: `encode` failed.
        """
        asked = [point for point in points if point.passage_id in predicted]
        if not asked:
            return None
        queries = [predicted[point.passage_id] for point in asked]
        return cls(
            [point.passage_id for point in asked],
            np.cumsum([0, *map(len, queries[:-1])], dtype=np.int64),
            [payload(point) for point in asked],
            unit_rows(encode([expanded(query) for own in queries for query in own])),
        )

    def __len__(self) -> int:
        """Passages that have predicted queries."""
        return len(self._passages)

    def match(self, vector: NDArray[np.float32]) -> PredictedMatch:
        """What a query's vector (shape [dimension]) is near to."""
        cosines = self._vectors @ (vector / np.linalg.norm(vector))
        best: NDArray[np.float32] = np.maximum.reduceat(cosines, self._starts)
        return PredictedMatch(self._passages, self._places, self._payloads, best)

    def save(self, directory: Path) -> None:
        """Write the table into `directory`, which is made.

        Raises:
            OSError: the disk failed.
        """
        directory.mkdir(parents=True, exist_ok=True)
        np.save(directory / "vectors.npy", self._vectors, allow_pickle=False)
        np.save(directory / "starts.npy", self._starts, allow_pickle=False)
        held = [list(self._passages), list(map(dict, self._payloads))]
        (directory / "passages.json").write_text(json.dumps(held, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> PredictedQueryTable:
        """Map what `save` wrote.

        Raises:
            IndexMismatchError: it is missing or damaged.
        """
        try:
            passages, payloads = json.loads((directory / "passages.json").read_text("utf-8"))
            return cls(
                passages,
                np.load(directory / "starts.npy", allow_pickle=False),
                payloads,
                np.load(directory / "vectors.npy", mmap_mode="r", allow_pickle=False),
            )
        except (OSError, ValueError) as error:
            raise IndexMismatchError(_INCOMPLETE) from error
