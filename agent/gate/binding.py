"""Binding: a number belongs to the drug, people and test it stands by, and not to their neighbours in the statement.

"20 mg for children aged 2 to 5 years and 30 mg for older children" holds two doses. A statement is cut into groups,
one around each of the numbers that could be taken for each other; what stands in the group of another number may not be
said of this one.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.gate.lexicon import Kind, lexicon
from agent.gate.matching import Match
from agent.gate.measures import same
from agent.gate.tokens import Token

_CUTS = frozenset([",", ";", "-", "–", "."])
_JOINS = frozenset(["and", "or", "then", "but", "followed", "plus", "whereas", "while", "dropping", "continuing"])
_TIED = frozenset([Kind.MEASURE, Kind.DRUG, Kind.POPULATION, Kind.ROUTE, Kind.WORD, Kind.DIRECTION])
_ANCHORS = frozenset([Kind.DRUG, Kind.POPULATION, Kind.WORD, Kind.DIRECTION])
_LEADS = frozenset(["in", "for", "if", "when", "with"])
_PRONOUNS = frozenset(["those", "these", "them", "others", "other"])
#: How far is looked for the end of a piece; keeps the work linear.
_REACH = 40
#: Units in which amounts of a drug are told; they can all be taken for each other.
_DOSES = ("mg", "ml", "unit", "mmol", "g", "tablet", "puff", "drop")


def _dimension(token: Token) -> str:
    measure = token.measure
    if measure is None:
        return ""
    if token.age:
        return "age"
    head, _, per = measure.dimension.partition("/")
    concentration = per.startswith(("l", "dl", "mmol", "mol")) or (head in ("ml", "l") and per.startswith("min"))
    return (
        "dose"
        if head in _DOSES and not concentration
        else "time"
        if head in ("minutes", "months")
        else measure.dimension
    )


def misbound(sentence: Sequence[Token], found: Match) -> tuple[Token, Token] | None:
    """A number of the sentence and what it is said of, where the statement says another number of that."""
    tokens = found.statement.tokens
    numbers = [(token, token.measure) for token in sentence if token.measure is not None]
    respectively = any(token.word == "respectively" for token in tokens)
    for number, measure in numbers:
        dimension = _dimension(number)
        if dimension == "label":
            continue
        rivals = [t for t in tokens if t.measure and _dimension(t) == dimension]
        if respectively or all(same(measure, t.measure) for t in rivals if t.measure):
            continue
        groups, leading, trailing = _groups(tokens, dimension)
        own: set[int] = set()
        for n, t in enumerate(tokens):
            if t.measure and same(measure, t.measure):
                own |= groups.get(n, set())
        if not own:
            continue
        elided = any(tokens[n].word in _PRONOUNS for n, held in groups.items() if held & own)
        for token in _said_with(sentence, number, dimension):
            places = [n for n, t in enumerate(tokens) if _is_same(token, t)]
            if not places or any(n not in groups or groups[n] & own for n in places):
                continue
            if (
                elided
                and token.kind in (Kind.WORD, Kind.POPULATION, Kind.DIRECTION)
                and min(min(groups[n]) for n in places) < min(own)
            ):
                continue
            values = [n for n, t in enumerate(tokens) if _dimension(t) == dimension and groups.get(n, set()) & own]
            mine = [n for n, held in groups.items() if held & own and tokens[n].kind in _ANCHORS]
            free = leading | trailing
            if any(n < values[0] for n in mine):
                free -= {n for n in leading if _adjacent(tokens, n, dimension)}
            if any(n > values[-1] for n in mine):
                free -= {n for n in trailing if tokens[n].kind is Kind.WORD and not _under_condition(tokens, n)}
            if all(n in free and not _has_kind(tokens, groups, own, tokens[n]) for n in places):
                continue
            return number, token
    return None


def _is_same(token: Token, other: Token) -> bool:
    if token.measure is not None:
        return other.measure is not None and same(token.measure, other.measure)
    return token.form == other.form and token.kind is not Kind.MARK


def _said_with(sentence: Sequence[Token], number: Token, dimension: str) -> list[Token]:
    """What the sentence says the number of: its own part where it holds a rival, else all of it."""
    rivals = [t for t in sentence if t.measure and _dimension(t) == dimension and t is not number]
    tied = [t for t in sentence if t.kind in _TIED and t is not number]
    if not any(number.measure and t.measure and not same(number.measure, t.measure) for t in rivals):
        return tied
    groups, _, _ = _groups(sentence, dimension)
    at = next(n for n, t in enumerate(sentence) if t is number)
    own = groups.get(at, set())
    return [t for n, t in enumerate(sentence) if t.kind in _TIED and t is not number and groups.get(n, set()) == own]


def _groups(tokens: Sequence[Token], dimension: str) -> tuple[dict[int, set[int]], set[int], set[int]]:
    """Groups of each place, numbered in order, and what stands before the first number and behind the last one.

    What stands between two numbers and by neither is of both.
    """
    first = next((n for n, t in enumerate(tokens) if t.measure and _dimension(t) == dimension), None)
    groups: dict[int, set[int]] = {}
    if first is None:
        return groups, set(), set()
    opening = next((n for n in range(first, -1, -1) if _cuts(tokens[n])), 0)
    anchored = any(tokens[n].kind in _ANCHORS for n in range(opening, first))
    pieces = _pieces(tokens, dimension, anchored=anchored)
    valued = [i for i, piece in enumerate(pieces) if _values(tokens, piece, dimension)]
    for i, piece in enumerate(pieces):
        if i <= valued[-1]:
            for n in piece:
                # What is said before the first piece with a number holds for all, but for whom it is said of.
                if i < valued[0] and tokens[n].kind is not Kind.POPULATION and not tokens[n].age:
                    continue
                groups[n] = _near(tokens, pieces, valued, i)
    at = _values(tokens, pieces[valued[0]], dimension)[0]
    end = _values(tokens, pieces[valued[-1]], dimension)[-1]
    behind = {n for n in pieces[valued[-1]] if n > end}
    # "5 mg, then 2.5 mg every 12 hours": one after the other, and nothing said of both.
    in_turn = tokens[pieces[valued[-1]][0]].word in ("then", "followed", "but")
    return groups, {n for n in groups if n < at}, set() if in_turn else behind


def _near(tokens: Sequence[Token], pieces: Sequence[Sequence[int]], valued: Sequence[int], at: int) -> set[int]:
    """The groups a piece belongs to: its own, else the numbers' on its two sides."""
    if at in valued:
        return {at}
    after = min(v for v in valued if v > at)
    before = max((v for v in valued if v < at), default=after)
    words = [tokens[n].word for n in pieces[at][:2]]
    # "..., and in older adults, below 150": the comma before the number ties what it follows to it.
    if _LEADS & set(words) and tokens[pieces[after][0]].form == ",":
        return {after}
    return {before, after}


def _adjacent(tokens: Sequence[Token], at: int, dimension: str) -> bool:
    """Whether only names stand between a place and the number after it."""
    for token in tokens[at:]:
        if token.measure is not None and _dimension(token) == dimension:
            return True
        if token.kind not in _ANCHORS | {Kind.EVERYDAY, Kind.MEASURE}:
            return False
    return False


def _under_condition(tokens: Sequence[Token], at: int) -> bool:
    """Whether a place is said under a condition: "10 mg or 15 mg if it stays low" holds for both."""
    for n in range(at, -1, -1):
        if _cuts(tokens[n]):
            return False
        if tokens[n].word in lexicon().conditions:
            return True
    return False


def _cuts(token: Token) -> bool:
    return token.form in _CUTS or token.word in _JOINS


def _values(tokens: Sequence[Token], piece: Sequence[int], dimension: str) -> list[int]:
    return [n for n in piece if tokens[n].measure and _dimension(tokens[n]) == dimension]


def _pieces(tokens: Sequence[Token], dimension: str, *, anchored: bool) -> list[list[int]]:
    """The places cut at commas and joining words, and between two numbers that stand in one piece."""
    pieces: list[list[int]] = [[]]
    valued = False
    for n, token in enumerate(tokens):
        value = token.measure is not None and _dimension(token) == dimension
        if (
            _cuts(token)
            or (value and valued and not anchored)
            or (
                valued
                and anchored
                and token.kind is Kind.FRAME
                and _values(tokens, range(n, _next_cut(tokens, n)), dimension)
            )
        ):
            pieces.append([])
            valued = False
        valued = valued or value
        pieces[-1].append(n)
    return pieces


def _next_cut(tokens: Sequence[Token], at: int) -> int:
    end = min(len(tokens), at + _REACH)
    return next((n for n in range(at, end) if _cuts(tokens[n])), end)


def _has_kind(tokens: Sequence[Token], groups: dict[int, set[int]], own: set[int], token: Token) -> bool:
    """Whether the number's own group names something of the kind of what is shared, and so shares it not."""
    for n, other in enumerate(tokens):
        if not groups.get(n, set()) & own or other.kind is not token.kind:
            continue
        if token.kind is Kind.MEASURE and token.measure and other.measure:
            if _dimension(token) == _dimension(other):
                return True
        elif token.kind is Kind.POPULATION:
            if lexicon().populations[token.form] == lexicon().populations[other.form]:
                return True
        elif token.kind in (Kind.DRUG, Kind.ROUTE):
            return True
    return False
