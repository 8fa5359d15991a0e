"""Conditions: "if", "unless", "only" and their like stay with what they are said of."""

from __future__ import annotations

from collections.abc import Sequence

from agent.gate.clauses import ENDS, NAMED, Clause
from agent.gate.lexicon import Kind, lexicon
from agent.gate.limits import dropped_limit
from agent.gate.matching import Match
from agent.gate.qualifiers import dropped_qualifier
from agent.gate.tokens import Token

_LEAST_SHARE = 0.5
_ONLY = frozenset(
    "only unless except solely exclusively until provided restricted reserved last must alone".split()  # noqa: SIM905
)


def dropped_condition(sentence: Sequence[Token], found: Match) -> str | None:
    """The word of a condition the statement has for what the sentence says, and the sentence has not.

    A limit on people or a qualifier counts too.
    """
    tokens = found.statement.tokens
    places = {id(token): n for n, token in enumerate(tokens)}
    used = {places[id(place)] for _, each in found.pairs for place in each if id(place) in places}
    words = {token.word for token in sentence}
    for condition in _conditions(tokens):
        inside = range(condition.start, condition.end)
        governed = [n for n in condition.governs if n not in inside and tokens[n].kind in NAMED and n in used]
        # A word that the rest has too does not show that the condition was kept.
        elsewhere = {tokens[n].form for n in governed}
        named = [n for n in inside if tokens[n].kind in NAMED and tokens[n].form not in elsewhere]
        if not governed or _about_others(tokens, condition, used):
            continue
        if condition.word in ("unless", "except") and not _kept_as_exception(sentence, found, tokens, inside):
            return condition.word
        if condition.word == "only" and not words & _ONLY:
            return "only"
        if named and sum(n in used for n in named) / len(named) < _LEAST_SHARE:
            return condition.word
        if not named and condition.word not in words:
            return condition.word
    return dropped_limit(sentence, found, used) or dropped_qualifier(sentence, found, used)


def _conditions(tokens: Sequence[Token]) -> list[Clause]:
    """The conditions of a statement, in its order."""
    known = lexicon()
    found: list[Clause] = []
    part = 0
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.form == ";":
            part = at + 1
        if token.word in known.conditions:
            end = at + 1
            while end < len(tokens) and tokens[end].form not in ENDS and tokens[end].word not in known.conditions:
                end += 1
            last = next((n for n in range(at, len(tokens)) if tokens[n].form == ";"), len(tokens))
            leads = at == part or all(item.kind in (Kind.FRAME, Kind.MARK) for item in tokens[part:at])
            governs = range(at, last) if leads else range(_piece_start(tokens, part, at), at)
            found.append(Clause(token.word, at, end, governs))
            if not leads and end < len(tokens) and tokens[end].form == ",":
                part = end + 1
            at = end
        else:
            at += 1
    return found


def _piece_start(tokens: Sequence[Token], part: int, at: int) -> int:
    """Where the piece begins that a condition follows: behind the last comma, unless nothing else is said there."""
    for n in range(at - 1, part - 1, -1):
        if tokens[n].form == "," and any(tokens[m].kind in NAMED for m in range(n, at)):
            return n
    return part


def _about_others(tokens: Sequence[Token], condition: Clause, used: set[int]) -> bool:
    """Whether all numbers and drugs before a condition are others than the sentence's."""
    if condition.start in condition.governs:
        return False
    told = [n for n in condition.governs if tokens[n].kind in (Kind.MEASURE, Kind.DRUG)]
    return bool(told) and not any(n in used for n in told)


def _kept_as_exception(sentence: Sequence[Token], found: Match, tokens: Sequence[Token], inside: range) -> bool:
    """Whether the sentence too makes an exception of what the statement makes one of, if it names it at all."""
    there = {id(tokens[n]) for n in inside}
    named = any(id(place) in there for _, places in found.pairs for place in places)
    excepting = lexicon().exceptions
    return not named or any(token.kind in (Kind.NOT, Kind.STOP) or token.word in excepting for token in sentence)
