"""Lexicon: what the gate knows of clinical words, read from data files.

Two questions are answered here: what a phrase is in the gate's own words (`Lexicon.rewrite`), and what kind of word
one is (`Lexicon.kind`). The data are `lexicon.yaml` and `drugs.yaml` beside this module, the abbreviations, brands and
second names of `retrieval/expansions/`, and the everyday words of `agent.common_words`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.common_words import common_words
from agent.gate.roots import root
from retrieval.data_files import read_yaml
from retrieval.expansion import expansion_table

LEXICON_FILE = Path(__file__).with_name("lexicon.yaml")
DRUGS_FILE = Path(__file__).with_name("drugs.yaml")

#: Everyday words that end like a drug.
_NOT_DRUGS = frozenset("april magazine alone person nine medicine machine online determine line".split())  # noqa: SIM905
_LONGEST_PHRASE = 5


class Kind(StrEnum):
    """What a word is to the gate."""

    MEASURE = "measure"
    DRUG = "drug"
    POPULATION = "population"
    ROUTE = "route"
    DIRECTION = "direction"
    UNIVERSAL = "universal"
    STOP = "stop"
    NOT = "not"
    FRAME = "frame"
    EVERYDAY = "everyday"
    WORD = "word"
    MARK = "mark"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LexiconData(_Model):
    """What `lexicon.yaml` holds; its comments say what each part is."""

    capitals: dict[str, str]
    phrases: dict[str, str]
    populations: dict[str, tuple[str, ...]]
    routes: tuple[str, ...]
    wider_routes: dict[str, tuple[str, ...]]
    directions: tuple[dict[str, tuple[str, ...]], ...]
    soft_directions: tuple[str, ...]
    brands: dict[str, str]
    universals: tuple[str, ...]
    stops: tuple[str, ...]
    nots: tuple[str, ...]
    weak: tuple[str, ...]
    softening: tuple[str, ...]
    must: tuple[str, ...]
    conditions: tuple[str, ...]
    exceptions: tuple[str, ...]
    frame: tuple[str, ...]
    everyday: tuple[str, ...]


class DrugData(_Model):
    """What `drugs.yaml` holds."""

    endings: tuple[str, ...]
    names: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """See the module."""

    capitals: re.Pattern[str]
    capital_words: dict[str, str]
    phrases: dict[tuple[str, ...], tuple[str, ...]]
    #: The first words of phrases.
    openings: frozenset[str]
    #: Word to (family, member): only members of one family can be taken for each other.
    directions: dict[str, tuple[str, str]]
    #: Members that a sentence may add where the statement names none of the family.
    soft_directions: frozenset[str]
    populations: dict[str, str]
    routes: frozenset[str]
    wider_routes: dict[str, tuple[str, ...]]
    universals: frozenset[str]
    stops: frozenset[str]
    nots: frozenset[str]
    weak: frozenset[str]
    softening: frozenset[str]
    must: frozenset[str]
    conditions: frozenset[str]
    exceptions: frozenset[str]
    frame: frozenset[str]
    everyday: frozenset[str]
    drugs: frozenset[str]
    #: Those of them that are classes: "steroid", "statins".
    drug_classes: frozenset[str]
    drug_endings: tuple[str, ...]

    def expand_capitals(self, text: str) -> str:
        """Abbreviations written in capitals, in full."""
        return self.capitals.sub(
            lambda match: self.capital_words.get(match[0]) or self.capital_words[match[0].removesuffix("s")], text
        )

    def rewrite(self, words: list[str], at: int) -> tuple[int, tuple[str, ...]]:
        """How many words from `at` on are one phrase, and what they are in the gate's words."""
        for length in range(min(_LONGEST_PHRASE, len(words) - at), 0, -1):
            found = self.phrases.get(tuple(words[at : at + length]))
            if found is not None:
                return length, found
        return 1, (words[at],)

    def kind(self, word: str) -> Kind:
        """What kind of word one of the gate's words is; drugs and people before what is everyday."""
        if word in self.populations:
            return Kind.POPULATION
        if word in self.routes:
            return Kind.ROUTE
        if word in self.stops:
            return Kind.STOP
        if word in self.nots:
            return Kind.NOT
        if word in self.universals:
            return Kind.UNIVERSAL
        if word in self.directions:
            return Kind.DIRECTION
        if word in self.drugs or (word.endswith(self.drug_endings) and word not in _NOT_DRUGS and len(word) > 6):
            return Kind.DRUG
        if word in self.frame or word in self.conditions or word in self.must or word in self.weak:
            return Kind.FRAME
        return Kind.EVERYDAY if word in self.everyday else Kind.WORD


@cache
def lexicon() -> Lexicon:
    """The lexicon that ships with the package."""
    data = LexiconData.model_validate(read_yaml(LEXICON_FILE))
    drugs = DrugData.model_validate(read_yaml(DRUGS_FILE))
    table = expansion_table()
    capitals = {**table.capitals, **data.capitals}
    phrases: dict[str, str] = {**table.any_case, **table.frequencies}
    phrases |= {brand: " ".join(contents) for brand, contents in table.brands.items()}
    phrases |= {second: first for first, second in (*table.names, *table.terms)}
    phrases |= {**data.brands, **data.phrases}
    single = {key: value for key, value in phrases.items() if " " not in key}
    phrases = {
        key: " ".join(word if word == key else single.get(word, word) for word in value.split())
        for key, value in phrases.items()
    }
    listed = [*data.universals, *data.stops, *data.nots, *data.weak, *data.softening, *data.must, *data.conditions]
    listed += [form for family in data.directions for forms in family.values() for form in forms]
    listed += [*data.frame, *data.exceptions]
    joined = {form: form.replace(" ", "_") for form in listed if " " in form}
    directions = {
        form.replace(" ", "_"): (str(number), member)
        for number, family in enumerate(data.directions)
        for member, forms in family.items()
        for form in forms
    }
    classes = frozenset({*drugs.classes, *(root(name) for name in drugs.classes)})
    return Lexicon(
        capitals=re.compile(
            rf"(?<![\w/-])(?:{'|'.join(map(re.escape, sorted(capitals, key=len, reverse=True)))})s?(?![\w/-])"
        ),
        capital_words=capitals,
        phrases={
            tuple(key.casefold().split()): tuple(value.casefold().split()) for key, value in (phrases | joined).items()
        },
        openings=frozenset(key.split()[0].casefold() for key in phrases | joined),
        directions=directions,
        soft_directions=frozenset(data.soft_directions),
        populations={word: family for family, words in data.populations.items() for word in words},
        routes=frozenset(data.routes),
        wider_routes=data.wider_routes,
        universals=_joined(data.universals),
        stops=_joined(data.stops),
        nots=_joined(data.nots),
        weak=_joined(data.weak),
        softening=_joined(data.softening),
        must=_joined(data.must),
        conditions=_joined(data.conditions),
        exceptions=_joined(data.exceptions),
        frame=_joined(data.frame),
        everyday=frozenset(data.everyday) | common_words(),
        drugs=classes | frozenset(drugs.names),
        drug_classes=classes,
        drug_endings=drugs.endings,
    )


def _joined(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word.replace(" ", "_") for word in words)
