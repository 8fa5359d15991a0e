"""Qualifiers: what narrows a disorder, a drug or a time, and may not be left out: "severe", "alone", "before B"."""

from __future__ import annotations

from collections.abc import Sequence

from agent.gate.clauses import ENDS, NAMED
from agent.gate.lexicon import Kind
from agent.gate.matching import Match
from agent.gate.tokens import Token

#: How a disorder has to be for what is advised: "symptomatic hypocalcaemia", "severe pain".
_DEGREES = frozenset(
    ["asymptomatic", "symptomatic", "severe", "uncomplicated", "refractory", "recurrent", "persistent"]
)
#: How far before a disorder its degree may stand.
_NEAR = 3
#: What "alone" is said with.
_ALONE = frozenset(["alone", "only", "just", "solely", "monotherapy", "single", "without", "unopposed"])
#: When, told by what else is done or happens.
_TIMES = frozenset(["before", "after", "during"])
_TIME_ENDS = frozenset(["and", "for", "with", "if", "unless", "until", "when", "to", "in", "is", "are"])


def dropped_qualifier(sentence: Sequence[Token], found: Match, used: set[int]) -> str | None:
    """The qualifier of what a sentence names, and that it has not; `used` are the places it says."""
    tokens = found.statement.tokens
    return (
        _dropped_degree(sentence, found, tokens, used)
        or _dropped_alone(sentence, tokens, used)
        or _dropped_time(sentence, tokens, used)
    )


def _dropped_degree(sentence: Sequence[Token], found: Match, tokens: Sequence[Token], used: set[int]) -> str | None:
    """How a disorder has to be, where the sentence names the disorder without and the statement never does.

    What the title says of it need not be said again, nor may "severe" be asked of who says "moderate to severe".
    """
    held = {token.word for token in sentence} | {token.word for token in found.statement.context.values()}
    forms = {token.form for token in sentence}
    held |= {token.word for token in tokens if token.form in forms and token.word in _DEGREES}
    bare: set[str] = set()
    limited: dict[str, str] = {}
    for at, token in enumerate(tokens):
        if token.kind is Kind.WORD and at in used:
            if (degree := _degree_before(tokens, at)) is not None:
                limited.setdefault(token.form, degree)
            elif not (at and tokens[at - 1].kind is Kind.WORD):
                bare.add(token.form)
    return next((word for form, word in limited.items() if form not in bare and word not in held), None)


def _degree_before(tokens: Sequence[Token], at: int) -> str | None:
    """The degree right before a word, where it is "recurrent" even in "recurrent lower urinary tract infection"."""
    for n in range(at - 1, max(-1, at - _NEAR), -1):
        if tokens[n].word in _DEGREES:
            return tokens[n].word
        if tokens[n].kind is not Kind.DIRECTION:
            break
    return None


def _dropped_alone(sentence: Sequence[Token], tokens: Sequence[Token], used: set[int]) -> str | None:
    """The "alone" of a drug or test that the sentence names without: "oestrogen alone" is not all oestrogen."""
    if any(token.word in _ALONE for token in sentence):
        return None
    for at, token in enumerate(tokens):
        if token.word == "alone" and at and at - 1 in used and tokens[at - 1].kind is not Kind.FRAME:
            return token.word
    return None


def _dropped_time(sentence: Sequence[Token], tokens: Sequence[Token], used: set[int]) -> str | None:
    """The "before B" or "after B" that stands right behind what the sentence says, and of which it says nothing."""
    said = {token.form for token in sentence}
    for at, token in enumerate(tokens):
        if token.word not in _TIMES or token.form in said:
            continue
        before = next((n for n in range(at - 1, -1, -1) if tokens[n].kind is not Kind.FRAME), None)
        named = _told_of_the_time(tokens, at)
        if before in used and named and not any(n in used or tokens[n].form in said for n in named):
            return token.word
    return None


def _told_of_the_time(tokens: Sequence[Token], at: int) -> list[int]:
    """The places of what is named behind a "before": "before vaginal or caesarean birth", "before treatment with B"."""
    named: list[int] = []
    for n in range(at + 1, len(tokens)):
        if tokens[n].form in ENDS or (named and tokens[n].word in _TIME_ENDS):
            break
        if tokens[n].kind in NAMED:
            named.append(n)
    return named
