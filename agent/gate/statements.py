"""Statements: a passage in the parts that a sentence may restate, each with what it goes on from.

A statement is a sentence, a line of a list or a contraindication. "Start at 500 mg" leans on what was named before it:
its context is the title and the statements before it, nearest first. Nothing of what follows is its context.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from agent.gate.lexicon import Kind
from agent.gate.measures import Measure
from agent.gate.reading import read
from agent.gate.tokens import Token
from retrieval import Passage

_REMARK = re.compile(r"[(\[][^()\[\]]*[)\]][.;]?(?:\s+(?=[A-Z])|$)")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\[*\"“•-])(?<!e\.g\. )(?<!i\.e\. )(?<!vs\. )|\n+|\s+[•·]\s+")
_CARRIED = ("label",)
#: A passage longer than this is compared by its first statements only; keeps the work bounded.
MOST_STATEMENTS = 60
#: Nor is more of one statement compared.
MOST_CHARS = 2400
_WEAK = re.compile(r"\b(?:weak|conditional|optional|grade c|level c|class iib|class 2b|2[abc])\b", re.IGNORECASE)
_STRONG = re.compile(r"\b(?:strong|grade a|level a|class i|class 1|1[abc])\b(?!i)", re.IGNORECASE)
_INLINE = re.compile(
    r"[(\[](?:[^()\[\]]{0,40}\b)?(?:strong|weak|conditional|grade|level|class)\b[^()\[\]]{0,60}[)\]]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One part of a passage, read."""

    text: str
    #: The statement before it, "" for the first.
    before: str
    tokens: tuple[Token, ...]
    #: What is named in the title and in the statements before this one, by form; the nearest of each.
    context: dict[str, Token]
    #: The last drugs and people named before this statement.
    drugs: frozenset[str]
    people: frozenset[str]
    #: Measures of the heading, and ages and labels ("type 2") of the statements before.
    measures: tuple[Measure, ...]
    #: Whether its grade says so; neither where it has none, or one of several.
    graded_weak: bool = False
    graded_strong: bool = False
    warning: bool = False


@lru_cache(maxsize=256)
def statements(passage: Passage, title: str) -> tuple[Statement, ...]:
    """The statements of a passage, in its order, its contraindications last."""
    named = [title, *passage.section, *passage.synonyms, passage.population or ""]
    heading = read(" . ".join(part for part in named if part)).tokens
    context = {token.form: token for token in heading if token.kind is not Kind.MARK}
    for token in heading:
        token.weak, token.heading = True, True
    drugs = frozenset(token.form for token in heading if token.kind is Kind.DRUG)
    people = frozenset(token.form for token in heading if token.kind is Kind.POPULATION)
    amounts = [token.measure for token in heading if token.measure]
    found: list[Statement] = []

    def stated(text: str, tokens: tuple[Token, ...]) -> Statement:
        before = found[-1].text if found else ""
        return Statement(text, before, tokens, dict(context), drugs, people, tuple(amounts))

    strength = passage.strength or ""
    for text in _with_remarks(texts_of(passage)):
        tokens = tuple(read(text[:MOST_CHARS]).tokens)
        inline = " ".join(_INLINE.findall(text))
        grade = inline or strength
        several = len(re.findall(r"\band\b|,", strength)) > 0 and not inline
        found.append(
            replace(
                stated(text, tokens),
                graded_weak=not several and bool(_WEAK.search(grade)),
                graded_strong=not several and bool(_STRONG.search(grade)),
            )
        )
        # Said without a "no" once, a word may be gone on from without one.
        context |= {
            token.form: token
            for token in tokens
            if token.kind is not Kind.MARK
            and not (token.form in context and (token.denied or context[token.form].heading))
        }
        drugs = frozenset(token.form for token in tokens if token.kind is Kind.DRUG) or drugs
        people = frozenset(token.form for token in tokens if token.kind is Kind.POPULATION) or people
        amounts += [
            token.measure for token in tokens if token.measure and (token.measure.dimension in _CARRIED or token.age)
        ]
    for text in passage.contraindications[:MOST_STATEMENTS]:
        tokens = tuple(read(f"Contraindicated: {text}").tokens)
        found.append(replace(stated(text, tokens), warning=True))
    return tuple(found)


def texts_of(passage: Passage) -> list[str]:
    """The texts that a passage is cut into, contraindications left out."""
    return [part.strip() for part in _END.split(passage.text) if part and part.strip()][:MOST_STATEMENTS]


def _with_remarks(texts: Iterable[str]) -> list[str]:
    """The same, but a remark in brackets that opens one, mostly a grade, at the end of the one before, whose it is."""
    found: list[str] = []
    for text in texts:
        remark = _REMARK.match(text) if found else None
        if remark is not None:
            found[-1] += f" {remark[0].strip()}"
        rest = text[remark.end() :] if remark else text
        if rest:
            found.append(rest)
    return found
