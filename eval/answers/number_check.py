"""Whether the numbers of a sentence stand in what it cites: the judging half of the number checker.

A number is *held* where the statement that the sentence restates has it, *moved* where only another part of the cited
passages has it, and *altered* where none of them has. It shares no code with the answer gate, whose slips it counts.

Not looked into: whether a held number is said of the right drug or people; the gate's own rules do that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from eval.answers.numbers import Number, numbers, prepare

_WORD = re.compile(r"[^\W_]+")
_ENDS = re.compile(r"(?<=[.!?])\s+|\n+|\s*•\s*")


class Standing(StrEnum):
    """Where a number of a sentence was found."""

    HELD = "held"
    MOVED = "moved"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class CheckedNumber:
    """A number of a sentence as it was prepared for reading, and where it was found."""

    text: str
    standing: Standing


def check_numbers(sentence: str, passages: Sequence[str]) -> tuple[CheckedNumber, ...]:
    """Every number of a sentence against the whole of the passages it cites; without passages all are altered."""
    said = numbers(sentence)
    if not said:
        return ()
    prepared = prepare(sentence)
    held = [number for passage in passages for number in numbers(passage)]
    nearest = numbers(statement_of(sentence, passages))
    checked = []
    for number in said:
        standing = Standing.ALTERED
        if any(same_number(number, other) for other in held):
            near = any(same_number(number, other) for other in nearest)
            standing = Standing.HELD if near else Standing.MOVED
        checked.append(CheckedNumber(prepared[number.start : number.end], standing))
    return tuple(checked)


def same_number(said: Number, held: Number) -> bool:
    """Whether a passage's number bears out a sentence's: not another value, unit, period or side of a comparison."""
    if said.name or held.name:
        return said.name == held.name
    if said.comparator and held.comparator and said.comparator != held.comparator:
        return False
    if not said.dimensions:
        return said.written == held.written
    if said.period and held.period and said.period != held.period:
        return False
    return said.dimensions == held.dimensions and said.value == held.value


def statement_of(sentence: str, passages: Sequence[str]) -> str:
    """The sentence itself where a passage has it word for word, else the statement that shares most of its words."""
    wanted = _words(sentence)
    padded = f" {' '.join(wanted)} "
    if any(padded in f" {' '.join(_words(passage))} " for passage in passages):
        return sentence
    statements = [part for passage in passages for part in _ENDS.split(passage) if part]
    return max(statements, key=lambda part: len(set(wanted) & set(_words(part))), default="")


def _words(text: str) -> list[str]:
    return _WORD.findall(prepare(text))
