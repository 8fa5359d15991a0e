"""Binding: a number belongs to the drug, people and test it stands by, and not to their neighbours in the statement.

"20 mg for children aged 2 to 5 years and 30 mg for older children" holds two doses. A statement is cut into groups,
one around each of the numbers that could be taken for each other; what stands in the group of another number may not be
said of this one.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.gate.lexicon import Kind, lexicon
from agent.gate.matching import Match
from agent.gate.measures import Measure, same
from agent.gate.reading import Token

_CUTS = frozenset([",", ";", ":", "(", ")", "-", "–", "."])
_JOINS = frozenset(["and", "or", "then", "but", "followed", "plus", "whereas", "while", "dropping", "continuing"])
_TIED = frozenset([Kind.MEASURE, Kind.DRUG, Kind.POPULATION, Kind.ROUTE, Kind.WORD, Kind.DIRECTION])
#: Units in which amounts of a drug are told; they can all be taken for each other.
_DOSES = ("mg", "ml", "unit", "mmol", "g", "tablet", "puff", "drop")


def _dimension(measure: Measure) -> str:
    head = measure.dimension.partition("/")[0]
    return "dose" if head in _DOSES else "time" if head in ("minutes", "months") else measure.dimension


def misbound(sentence: Sequence[Token], found: Match) -> tuple[Token, Token] | None:
    """A number of the sentence and what it is said of, where the statement says another number of that."""
    tokens = found.statement.tokens
    numbers = [token for token in sentence if token.measure is not None]
    respectively = any(token.word == "respectively" for token in tokens)
    for number in numbers:
        assert number.measure is not None  # noqa: S101 - told to the type checker
        dimension = _dimension(number.measure)
        rivals = [t for t in tokens if t.measure and _dimension(t.measure) == dimension]
        if respectively or all(same(number.measure, t.measure) for t in rivals if t.measure):
            continue
        groups, shared = _groups(tokens, dimension)
        own = {groups[n] for n, t in enumerate(tokens) if t.measure and same(number.measure, t.measure) and n in groups}
        if not own:
            continue
        said = _said_with(sentence, number, dimension)
        for token in said:
            places = [n for n, t in enumerate(tokens) if _is_same(token, t)]
            if not places or any(groups.get(n) in own or n not in groups for n in places):
                continue
            if all(n in shared and not _has_kind(tokens, groups, own, tokens[n]) for n in places):
                continue
            return number, token
    return None


def _is_same(token: Token, other: Token) -> bool:
    if token.measure is not None:
        return other.measure is not None and same(token.measure, other.measure)
    return token.form == other.form and token.kind is not Kind.MARK


def _said_with(sentence: Sequence[Token], number: Token, dimension: str) -> list[Token]:
    """What the sentence says the number of: its own part where it holds a rival, else all of it."""
    rivals = [t for t in sentence if t.measure and _dimension(t.measure) == dimension and t is not number]
    tied = [t for t in sentence if t.kind in _TIED and t is not number]
    if not any(number.measure and t.measure and not same(number.measure, t.measure) for t in rivals):
        return tied
    groups, _ = _groups(sentence, dimension)
    at = next(n for n, t in enumerate(sentence) if t is number)
    own = groups.get(at)
    return [t for n, t in enumerate(sentence) if t.kind in _TIED and t is not number and groups.get(n) == own]


def _groups(tokens: Sequence[Token], dimension: str) -> tuple[dict[int, int], set[int]]:
    """Group of each place, groups numbered in order, and the places that may be said of every number alike."""
    pieces: list[list[int]] = [[]]
    for n, token in enumerate(tokens):
        if token.form in _CUTS or token.word in _JOINS:
            pieces.append([])
        pieces[-1].append(n)

    def values(piece: list[int]) -> list[int]:
        found = []
        for n in piece:
            measure = tokens[n].measure
            if measure is not None and _dimension(measure) == dimension:
                found.append(n)
        return found

    valued = [i for i, piece in enumerate(pieces) if values(piece)]
    groups: dict[int, int] = {}
    shared: set[int] = set()
    if not valued:
        return groups, shared
    first = pieces[valued[0]]
    at = values(first)[0]
    anchored_before = any(tokens[n].kind in (Kind.DRUG, Kind.POPULATION, Kind.WORD, Kind.DIRECTION) for n in first if n < at)
    for i, piece in enumerate(pieces):
        if i < valued[0] or i > valued[-1]:
            continue
        if i in valued:
            group = i
        elif anchored_before:
            group = min((v for v in valued if v > i), default=valued[-1])
        else:
            group = max((v for v in valued if v < i), default=valued[0])
        for n in piece:
            groups[n] = group
    shared |= {n for n in first if n < at}
    last = pieces[valued[-1]]
    shared |= {n for n in last if n > values(last)[-1]}
    return groups, shared


def _has_kind(tokens: Sequence[Token], groups: dict[int, int], own: set[int], token: Token) -> bool:
    """Whether the number's own group names something of the kind of what is shared, and so shares it not."""
    for n, other in enumerate(tokens):
        if groups.get(n) not in own or other.kind is not token.kind:
            continue
        if token.kind is Kind.MEASURE and token.measure and other.measure:
            if _dimension(token.measure) == _dimension(other.measure):
                return True
        elif token.kind is Kind.POPULATION:
            if lexicon().populations[token.form] == lexicon().populations[other.form]:
                return True
        elif token.kind in (Kind.DRUG, Kind.ROUTE):
            return True
    return False
