"""Expansion: other words for what a query names, from a written table.

Abbreviations get their long form ("LMWH" -> "low molecular weight heparin"), brands what is in them, and a substance
with two names the other one. A word expands only where it stands alone: not inside another word, not after a hyphen
("G-CSF"), not before a label ("HPV-16"); how often a drug is given only after an amount; "10/40" is a
pregnancy's weeks, "K 3.1" a potassium. Abbreviations that could be
another word need capitals, those with several meanings a word in the query that decides, and what is left in doubt
is not in the table. One drug is never taken for another: a brand gives its own contents, no class and no relative.

Pure: the same query always gives the same words, and nothing is kept of it. It must not read the corpus.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from retrieval.data_files import read_yaml

#: What each file holds says its first comment; together they are one table.
EXPANSION_FILES = tuple(sorted(Path(__file__).with_name("expansions").glob("*.yaml")))

_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2)]

# Before "-1" or "-A" a word is part of a label: HPV-16, CKD-EPI.
_ALONE = r"(?<![\w.\-/'])(?:{})(?![\w'])(?!-(?:\d|(?-i:[A-Z])))(?!\.\w)"
#: "10/40" and "34+2/40": weeks of a pregnancy; "90/40" is a blood pressure.
_GESTATION = re.compile(r"(?<![\w.\-/])([4-9]|[1-3]\d|4[0-3])(?:\+[0-6])?/40(?![\w/])")
#: "K 3.1", "Na 118": what was measured; "vitamin K 10 mg" is no potassium.
_MEASURED = re.compile(r"(?<![\w.\-/])(?<!itamin )(K|Na)\+?(?=\s*(?:[:=]|is|of|was)?\s*\d)")
_SYMBOLS = {"K": "potassium", "Na": "sodium"}
_AMOUNT = re.compile(
    r"\d\s*(?:mg|mcg|micrograms?|g|ml|iu|units?|tabs?|tablets?|caps?|capsules?|puffs?|drops?)?(?:/\w+)?\s+$",
    re.IGNORECASE,
)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Meaning(_Model):
    """One of the long forms of an abbreviation, and beginnings of the words that tell it from the others."""

    long_form: _Words = Field(alias="is")
    #: It is meant where the query has one of these; where there are none, always but beside one of `unless`.
    words: tuple[_Words, ...] = ()
    unless: tuple[_Words, ...] = ()

    def meant_in(self, query: str) -> bool:
        """Whether the query's other words say that this is meant."""
        return _begins_with(self.words, query) if self.words else not _begins_with(self.unless, query)

    @model_validator(mode="after")
    def _decided(self) -> Meaning:
        if bool(self.words) is bool(self.unless):
            raise ValueError("words or unless decides a meaning, not both and not neither")
        return self


def _begins_with(words: tuple[str, ...], query: str) -> bool:
    return re.search(rf"\b(?:{'|'.join(map(re.escape, words))})", query, re.IGNORECASE) is not None


class ExpansionTable(_Model):
    """What the table's files hold; their comments say what each part is."""

    any_case: dict[_Words, _Words]
    capitals: dict[_Words, _Words]
    beside: dict[_Words, Meaning]
    frequencies: dict[_Words, _Words]
    brands: dict[_Words, Annotated[tuple[_Words, ...], Field(min_length=1)]]
    names: tuple[tuple[_Words, _Words], ...]
    terms: tuple[tuple[_Words, _Words], ...]


@dataclass(frozen=True, slots=True)
class Expansion:
    """A place in a query, and what stands there in other words."""

    #: Characters `start` up to `end` of the query.
    start: int
    end: int
    words: str


@cache
def expansion_table() -> ExpansionTable:
    """The table that ships with the package."""
    parts: dict[str, object] = {}
    for file in EXPANSION_FILES:
        parts |= read_yaml(file)
    return ExpansionTable.model_validate(parts)


def expansions(query: str) -> tuple[Expansion, ...]:
    """Other words for the query's words, in reading order; none overlap, and none are in the query already."""
    found: list[Expansion] = []
    said = query.casefold()
    for item in sorted(_matches(query), key=lambda item: (item.start, -item.end)):
        if (not found or item.start >= found[-1].end) and item.words.casefold() not in said:
            found.append(item)
            said = f"{said} {item.words.casefold()}"
    return tuple(found)


def expanded(query: str, where: Callable[[str], bool] = lambda _words: True) -> str:
    """The query with other words in brackets after its own; the query itself where the table has none.

    Args:
        where: given the query's own words of one place, whether to expand them.
    """
    parts, at = [], 0
    for item in expansions(query):
        if where(query[item.start : item.end]):
            parts.append(f"{query[at : item.end]} ({item.words})")
            at = item.end
    return "".join([*parts, query[at:]])


def _matches(query: str) -> Iterator[Expansion]:
    rules = _rules()
    for match in rules.any_case.finditer(query):
        # The Turkish dotless i matches "i" but is another letter.
        if words := rules.any_case_words.get(match[0].casefold()):
            yield Expansion(match.start(), match.end(), words)
    for match in rules.capitals.finditer(query):
        yield Expansion(match.start(), match.end(), rules.table.capitals[match[0]])
    for match in rules.beside.finditer(query):
        meaning = rules.table.beside[match[0]]
        if meaning.meant_in(query):
            yield Expansion(match.start(), match.end(), meaning.long_form)
    for match in _GESTATION.finditer(query):
        yield Expansion(match.start(), match.end(), f"{match[1]} weeks pregnant")
    for match in _MEASURED.finditer(query):
        yield Expansion(match.start(), match.end(), _SYMBOLS[match[1]])
    for match in rules.frequencies.finditer(query):
        words = rules.table.frequencies.get(match[0].casefold())
        if words and _AMOUNT.search(query[max(0, match.start() - 40) : match.start()]):
            yield Expansion(match.start(), match.end(), words)


@dataclass(frozen=True, slots=True)
class _Rules:
    table: ExpansionTable
    any_case_words: Mapping[str, str]
    any_case: re.Pattern[str]
    capitals: re.Pattern[str]
    beside: re.Pattern[str]
    frequencies: re.Pattern[str]


@cache
def _rules() -> _Rules:
    table = expansion_table()
    names = {word.casefold(): other for pair in table.names for word, other in (pair, pair[::-1])}
    terms = {word.casefold(): other for pair in table.terms for word, other in (pair, pair[::-1])}
    brands = {
        brand: " ".join([*contents, *(names[item] for item in contents if item in names)])
        for brand, contents in table.brands.items()
    }
    any_case = {**names, **terms, **brands, **table.any_case}
    return _Rules(
        table,
        any_case,
        _alone(any_case, re.IGNORECASE),
        _alone(table.capitals),
        _alone(table.beside),
        _alone(table.frequencies, re.IGNORECASE),
    )


def _alone(words: Iterable[str], flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    # Compared folded where case does not matter, so that words that begin alike share their beginning.
    spelt = {word.casefold() for word in words} if flags & re.IGNORECASE else set(words)
    return re.compile(_ALONE.format(_any_of(spelt)), flags)


def _any_of(words: Iterable[str]) -> str:
    """A pattern of any of `words`, the longest that fits, as a trie: a list of thousands would be tried one by one."""
    rests: dict[str, set[str]] = {}
    for word in words:
        rests.setdefault(word[:1], set()).add(word[1:])
    ends = rests.pop("", None) is not None
    branches = [re.escape(first) + _any_of(rest) for first, rest in sorted(rests.items())]
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)}){'?' if ends else ''}"
