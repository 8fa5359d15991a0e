"""Drugs and drug classes by name: which are named in a text, and which are the same or of one class.

Names come from the gate's list, the brands and second names of `retrieval/expansions/`, and `classes.yaml` beside
this module, whose comments give the sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from agent.common_words import common_words
from agent.gate.lexicon import DRUGS_FILE, DrugData
from retrieval.data_files import read_yaml
from retrieval.expansion import expansion_table

CLASSES_FILE = Path(__file__).with_name("classes.yaml")
_WORD = re.compile(r"[^\W_]+(?:['’]s)?")
_LONGEST = 6
#: A shorter word is no drug by its ending alone.
_SHORTEST = 7
#: In the gate's list, and no drug to be allergic to or to interact.
_NO_DRUG = frozenset(["glucose", "oxygen", "caffeine", "albumin"])


class DrugClass(BaseModel):
    """One class as `classes.yaml` holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The groups of the ATC index, or where else the members come from.
    atc: str
    names: tuple[str, ...]
    members: tuple[str, ...]
    #: An allergy to one member rules out the others.
    shared: bool = False
    #: How the names of its members end.
    stem: str | None = None


class Named(NamedTuple):
    """A drug or class named in a text."""

    start: int
    end: int
    #: What it is called in `DrugNames`; a brand of two drugs names both.
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class DrugNames:
    """See the module."""

    phrases: dict[tuple[str, ...], frozenset[str]]
    #: The classes of a drug; a class is one of its own.
    classes: dict[str, frozenset[str]]
    shared: frozenset[str]
    stems: dict[str, str]
    endings: tuple[str, ...]

    def find(self, text: str) -> tuple[Named, ...]:
        """The drugs and classes named in a text, in its order; the longest name counts."""
        words = [(match.start(), match.end(), match[0].lower().replace("’", "'")) for match in _WORD.finditer(text)]
        return tuple(self._find(words))

    def _find(self, words: list[tuple[int, int, str]]) -> Iterator[Named]:
        at = 0
        while at < len(words):
            for length in range(min(_LONGEST, len(words) - at), 0, -1):
                found = self._lookup(tuple(word for _, _, word in words[at : at + length]))
                if found is None and length == 1 and self._ends_like_a_drug(words[at][2]):
                    found = frozenset([words[at][2]])
                if found is not None:
                    yield Named(words[at][0], words[at + length - 1][1], found)
                    at += length
                    break
            else:
                at += 1

    def _lookup(self, phrase: tuple[str, ...]) -> frozenset[str] | None:
        found = self.phrases.get(phrase)
        if found is None and phrase[-1].endswith("s"):
            found = self.phrases.get((*phrase[:-1], phrase[-1].removesuffix("s")))
        return found

    def _ends_like_a_drug(self, word: str) -> bool:
        return len(word) >= _SHORTEST and word.endswith(self.endings) and word not in common_words()

    def classes_of(self, name: str) -> frozenset[str]:
        """The classes of a drug; of one that is in no list, the class whose stem it ends with."""
        known = self.classes.get(name)
        if known is not None or (name,) in self.phrases:
            return known or frozenset()
        return frozenset(of for stem, of in self.stems.items() if name.endswith(stem))

    def is_class(self, name: str) -> bool:
        """Whether a name is one of a class."""
        return name in self.classes.get(name, ())

    def covers(self, names: Iterable[str], drug: str) -> bool:
        """Whether one of the names is this drug, its class, or a member of the class that `drug` is."""
        mine = self.classes_of(drug)
        return any(
            name == drug or name in mine or (self.is_class(drug) and drug in self.classes_of(name)) for name in names
        )

    def cross_reacts(self, names: Iterable[str], drug: str) -> bool:
        """Whether an allergy to one of the names is one to this drug or to its class."""
        names = tuple(names)
        mine = self.classes_of(drug) & self.shared
        return self.covers(names, drug) or any(mine & self.classes_of(name) for name in names)


@cache
def drug_names() -> DrugNames:
    """The names that ship with the package."""
    table = expansion_table()
    data = {name: DrugClass.model_validate(value) for name, value in read_yaml(CLASSES_FILE).items()}
    second = {other.lower(): first.lower() for first, other in table.names}
    second |= {first.lower(): first.lower() for first, _ in table.names}
    second |= {"acetylsalicylic acid": "aspirin", "aspirin": "aspirin"}
    phrases: dict[tuple[str, ...], frozenset[str]] = {}
    classes: dict[str, set[str]] = {}

    def enter(word: str, names: Iterable[str]) -> None:
        phrases[_key(word)] = frozenset(names)

    drugs = DrugData.model_validate(read_yaml(DRUGS_FILE))
    for word in drugs.names:
        if word not in _NO_DRUG:
            enter(word, [second.get(word, word)])
    for drug_class in data.values():
        for member in drug_class.members:
            enter(member, [second.get(member, member)])
    for name, drug_class in data.items():
        if drug_class.names:
            classes.setdefault(name, set()).add(name)
        for word in drug_class.names:
            enter(word, [name])
    # A class may be a member of another ("DOAC" of the anticoagulants), so members are entered by what they name.
    for name, drug_class in data.items():
        for member in drug_class.members if drug_class.names else ():
            for found in phrases[_key(member)]:
                classes.setdefault(found, set()).add(name)
    for other, first in second.items():
        enter(other, phrases.get(_key(first), frozenset([first])))
    for brand, contents in table.brands.items():
        if _key(brand) not in phrases:
            enter(brand, (name for content in contents for name in phrases.get(_key(content), frozenset([content]))))
    enter("augmentin", phrases[_key("co-amoxiclav")])
    return DrugNames(
        phrases=phrases,
        classes={name: frozenset(of) for name, of in classes.items()},
        shared=frozenset(name for name, drug_class in data.items() if drug_class.shared),
        stems={drug_class.stem: name for name, drug_class in data.items() if drug_class.stem},
        endings=drugs.endings,
    )


def _key(name: str) -> tuple[str, ...]:
    return tuple(match[0].lower() for match in _WORD.finditer(name))


def spoken(name: str) -> str:
    """A name as a clinician reads it: "penicillin" for the class of penicillins."""
    return _SPOKEN.get(name, name.replace("_", " ").removesuffix("s") if drug_names().is_class(name) else name)


_SPOKEN = {
    "nsaids": "NSAID",
    "ssris": "SSRI",
    "sglt2_inhibitors": "SGLT2 inhibitor",
    "ace_inhibitors": "ACE inhibitor",
    "qt_prolonging": "QT-prolonging medicine",
}
