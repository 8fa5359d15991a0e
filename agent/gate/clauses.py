"""Clauses of a statement that tell when, or of whom, the rest of it holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from agent.gate.lexicon import Kind
from agent.gate.tokens import Token

#: Marks at which a clause ends.
ENDS = frozenset(",;:.()")
#: Kinds of tokens that name something.
NAMED = frozenset([Kind.WORD, Kind.MEASURE, Kind.DRUG, Kind.POPULATION, Kind.ROUTE, Kind.DIRECTION])


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: its word, the places of what stands under it, and the part of the statement it holds for."""

    word: str
    start: int
    end: int
    governs: range


def breaks(tokens: Sequence[Token]) -> list[int]:
    """The places at which one part of a statement ends."""
    return [n for n, token in enumerate(tokens) if token.form in (";", ".")]


def part_around(tokens: Sequence[Token], ends: Sequence[int], at: int) -> range:
    """The part around a place; `ends` as `breaks` gives them."""
    place = bisect_left(ends, at)
    return range(ends[place - 1] + 1 if place else 0, ends[place] if place < len(ends) else len(tokens))
