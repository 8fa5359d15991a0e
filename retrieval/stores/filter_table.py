"""What every point of a collection is filtered by, in arrays: which points a filter leaves, without the engine.

An engine that applies a filter looks each point up in an index per condition; where most points match, that costs
more than the search itself. Here a filter is a union of rows and a comparison of days, made once and then kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.stores.base import StorePoint
from retrieval.stores.conditions import FIELDS, AnyOf, AtLeast, Condition, payload

# Filters whose points are remembered: one byte a point and filter.
_KEPT = 32
_NO_DAY = -1


@dataclass(frozen=True, slots=True)
class Matching:
    """The points that a filter leaves."""

    #: Whether each point is left; shape [points].
    rows: NDArray[np.bool_]
    #: How many are.
    count: int

    @property
    def share(self) -> float:
        """Of all points, 0 .. 1."""
        return self.count / len(self.rows)


class FilterTable:
    """The filtered fields of n points, in the order of the collection; safe to use from several threads."""

    def __init__(
        self, size: int, keywords: Mapping[str, Mapping[str, NDArray[np.uint32]]], days: Mapping[str, NDArray[np.int32]]
    ) -> None:
        """`keywords`: the rows that hold each keyword of a field; `days`: shape [n], -1 where a point has none."""
        self._size = size
        self._keywords = keywords
        self._days = days
        self._remembered = lru_cache(maxsize=_KEPT)(self._matching)

    @classmethod
    def of(cls, points: Sequence[StorePoint]) -> FilterTable:
        """The table of points."""
        rows: dict[str, defaultdict[str, list[int]]] = {
            field: defaultdict(list) for field, kind in FIELDS.items() if kind == "keyword"
        }
        days = {field: np.full(len(points), _NO_DAY, np.int32) for field, kind in FIELDS.items() if kind == "integer"}
        for row, point in enumerate(points):
            for field, value in payload(point).items():
                if isinstance(value, int):
                    days[field][row] = value
                else:
                    for item in value if isinstance(value, list) else [value]:
                        rows[field][item].append(row)
        keywords = {
            field: {value: np.array(own, dtype=np.uint32) for value, own in values.items()}
            for field, values in rows.items()
        }
        return cls(len(points), keywords, days)

    def matching(self, wanted: tuple[Condition, ...]) -> Matching:
        """The points that meet all conditions."""
        return self._remembered(wanted)

    def save(self, path: Path) -> None:
        """Write the table to an .npz file.

        Raises:
            OSError: the disk failed.
        """
        arrays: dict[str, NDArray[Any]] = {"size": np.array([self._size])}
        for field, values in self._keywords.items():
            rows = list(values.values())
            arrays[f"{field}.values"] = np.array(list(values), dtype=np.str_)
            arrays[f"{field}.ends"] = np.cumsum([len(own) for own in rows], dtype=np.int64)
            arrays[f"{field}.rows"] = np.concatenate([np.zeros(0, np.uint32), *rows])
        arrays.update({f"{field}.days": days for field, days in self._days.items()})
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path, size: int) -> FilterTable:
        """Read what `save` wrote of a collection of this size.

        Raises:
            OSError, ValueError, KeyError, EOFError, BadZipFile: the file is missing, torn or not one of these.
        """
        # `np.load` leaves a torn file that it opened itself open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            keywords: dict[str, Mapping[str, NDArray[np.uint32]]] = {}
            days: dict[str, NDArray[np.int32]] = {}
            for field, kind in FIELDS.items():
                if kind == "integer":
                    days[field] = data[f"{field}.days"]
                    continue
                parts = np.split(data[f"{field}.rows"], data[f"{field}.ends"])
                keywords[field] = dict(zip(data[f"{field}.values"].tolist(), parts, strict=False))
            if int(data["size"][0]) != size:
                raise ValueError("the filter table is of another collection")
            return cls(size, keywords, days)

    def _matching(self, wanted: tuple[Condition, ...]) -> Matching:
        rows = np.ones(self._size, dtype=np.bool_)
        for condition in wanted:
            rows &= self._meets(condition)
        return Matching(rows, int(np.count_nonzero(rows)))

    def _meets(self, condition: Condition) -> NDArray[np.bool_]:
        if isinstance(condition, AnyOf):
            rows = np.zeros(self._size, dtype=np.bool_)
            for value in condition.values:
                own = self._keywords[condition.field].get(value)
                if own is not None:
                    rows[own] = True
            return rows
        days = self._days[condition.field]
        within = days >= condition.value if isinstance(condition, AtLeast) else days <= condition.value
        met: NDArray[np.bool_] = within & (days != _NO_DAY)
        return met
