"""Joining: "A or B" is a choice, "A and B" is both; one is not told as the other."""

from __future__ import annotations

from collections.abc import Sequence

from agent.gate.lexicon import Kind
from agent.gate.tokens import Token

_BOTH = frozenset(["and", "plus"])
_NAMES = frozenset([Kind.DRUG, Kind.WORD, Kind.ROUTE, Kind.POPULATION])
_PASSED_OVER = frozenset(["a", "an", "the", "either", "both"])


def misjoined(sentence: Sequence[Token], statement: Sequence[Token]) -> str | None:
    """The word by which the sentence joins two names that the statement joins the other way only, or None.

    What is denied is left alone: "neither A nor B", "not A or B" and "A and B should not" say the same.
    """
    there = _joined(statement)
    for pair, word in _joined(sentence).items():
        other = there.get(pair)
        if other is not None and word not in other and other not in word:
            return word
    return None


def _joined(tokens: Sequence[Token]) -> dict[frozenset[str], str]:
    found: dict[frozenset[str], str] = {}
    named = [token for token in tokens if token.word not in _PASSED_OVER]
    for at in range(1, len(named) - 1):
        word = "and" if named[at].word in _BOTH else named[at].word
        left, right = named[at - 1], named[at + 1]
        if word in ("and", "or") and {left.kind, right.kind} <= _NAMES and not left.denied and not right.denied:
            pair = frozenset([left.form, right.form])
            found[pair] = (
                f"{found[pair]} {word}" if pair in found and word not in found[pair] else found.get(pair, word)
            )
    return found
