"""Reading: a text as the gate compares it, word by word, with what is denied and what is only suggested marked.

Both the sentence and the passage go through the same reading, so a word the gate does not know is at worst a new word.
Linear in the text's length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agent.gate.denials import deny, weaken
from agent.gate.lexicon import Kind, lexicon
from agent.gate.measures import measures
from agent.gate.roots import root
from agent.gate.tokens import Token
from agent.gate.wordings import in_one_wording

_PIECE = re.compile(r"[^\W\d_]+(?:[-'’][^\W_]+)*|[^\W_]+|[,;:.()\[\]!?|—]|(?<=\s)[-–](?=\s)|[<>≤≥=%]")
_MARKS = frozenset(",;:.()[]!?|—-–")


@dataclass(frozen=True, slots=True)
class Reading:
    """The tokens of a text."""

    text: str
    tokens: list[Token] = field(default_factory=list)


def read(text: str) -> Reading:
    """The reading of a text."""
    known = lexicon()
    plain, placed = measures(known.expand_capitals(in_one_wording(text)))
    tokens: list[Token] = []
    at = 0
    for item in placed:
        tokens += _words(plain[at : item.start], at)
        tokens.append(Token(Kind.MEASURE, "", plain[item.start : item.end], item.start, item.measure))
        at = max(at, item.end)
    tokens += _words(plain[at:], at)
    _tell_ages(tokens)
    deny(tokens)
    weaken(tokens)
    return Reading(plain, tokens)


def _words(text: str, offset: int) -> list[Token]:
    known = lexicon()
    pieces: list[tuple[str, int]] = []
    for match in _PIECE.finditer(text):
        word = match[0].replace("’", "'")
        pieces += _split(word, match.start() + offset)
    words = [word for word, _ in pieces]
    tokens: list[Token] = []
    at = 0
    while at < len(words):
        length, forms = known.rewrite(words, at)
        tokens += [_token(form, pieces[at][1]) for form in forms]
        at += length
    return tokens


def _split(word: str, place: int) -> list[tuple[str, int]]:
    """A word with hyphens as one where the lexicon has it so, else as its parts; "non-" stays with its word."""
    known = lexicon()
    if word.endswith("'s") and word not in known.openings:
        word = word[:-2]
    if (
        "-" not in word
        or word == "-"
        or (word,) in known.phrases
        or word in known.directions
        or word in known.stops
        or known.kind(word) is not Kind.WORD
    ):
        return [(word, place)]
    first, *rest = word.split("-")
    if first in ("non", "anti", "co", "pre", "x"):
        return [(f"{first}-{rest[0]}" if rest else first, place), *((part, place) for part in rest[1:])]
    if rest[-1] in ("free", "negative"):
        return [
            ("without" if rest[-1] == "free" else "negative", place),
            *((part, place) for part in (first, *rest[:-1])),
        ]
    return [(part, place) for part in (first, *rest) if part]


def _token(form: str, place: int) -> Token:
    known = lexicon()
    if form in _MARKS:
        return Token(Kind.MARK, form, form, place)
    kind = known.kind(form)
    if kind is Kind.DIRECTION:
        family, member = known.directions[form]
        return Token(kind, f"{family}:{member}", form, place)
    if kind in (Kind.WORD, Kind.EVERYDAY):
        return Token(kind, root(form), form, place)
    return Token(kind, root(form) if kind is Kind.DRUG else form, form, place)


_PEOPLE = frozenset(
    ["those", "people", "patients", "persons", "individuals", "anyone", "everyone", "person", "patient"]
)
_AGED = frozenset(["aged", "age", "ages", "older", "younger"])


def _tell_ages(tokens: list[Token]) -> None:
    for at, token in enumerate(tokens):
        token.before_measure = at + 1 < len(tokens) and tokens[at + 1].measure is not None
        if token.measure is None or token.measure.dimension not in ("months", "minutes", "number"):
            continue
        before = tokens[at - 1] if at else None
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        token.age = (
            (before is not None and (before.word in _AGED or before.kind is Kind.POPULATION or before.word in _PEOPLE))
            or (after is not None and after.word == "old")
            # "3 - 7 years: 100 mg" in a list of doses; "for 2 years:" is how long.
            or (
                after is not None
                and after.form == ":"
                and "year" in token.word
                and (before is None or before.kind is Kind.DRUG or before.kind is Kind.MARK)
            )
            or bool(_AGED & set(token.word.split()))
        )
