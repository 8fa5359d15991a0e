"""Questions the library cannot answer, certain by construction: some word of each is nowhere it would have to be.

Three sorts: a disease no passage names; a disease that is there with a drug or test that nothing about it names; a
drug no passage names.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from retrieval.tokens import tokenise
from training.questions import QuestionKind
from training.questionset.asking import distinct, finish
from training.questionset.conditions import core, lowered
from training.questionset.facts import Fact, FactFinder, code_meaning
from training.questionset.library_words import LibraryWords
from training.questionset.made import Made
from training.questionset.terms import Part, frames, terms

#: A word the library spells otherwise shares its beginning with one it holds.
_BEGINNING = 6
_DISEASE = re.compile(
    r"(?:itis|osis|oma|emia|aemia|pathy|algia|disease|syndrome|disorder|infection|fever|deficiency|"
    r"dystrophy|ectomy|lithiasis|"
    r"iasis|ia|mycosis|plasia|trophy|rrhea|rrhagia|cele|ism|cyst|ulcer|stenosis|atresia|abscess|fistula|"
    r"palsy|neoplasm)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Absent:
    """What nothing answers: a condition, or a drug or test with one."""

    asks: str
    condition: str
    phrase: str
    cluster: str
    sort: str

    def ask(self, part: Part, drawn: random.Random) -> Made:
        """One wording of it."""
        choices = frames()[self.asks].of(part)
        number = drawn.randrange(len(choices))
        question = finish(choices[number], drawn, c=self.condition, p=self.phrase)
        word = "dose" if self.asks == "drug_dose" else "" if self.phrase else "treatment"
        first = " ".join(filter(None, (self.condition, self.phrase, word)))
        second = f"{self.phrase} {self.condition}" if self.phrase else self.condition
        return Made(
            kind=QuestionKind.UNANSWERABLE,
            template=f"{self.asks}/{part}/{number}",
            question=question,
            clusters=(self.cluster,),
            origin=self.sort,
            licence="made of the names of diseases and drugs",
            queries=distinct([first, second]),
        )


def absent_conditions(words: LibraryWords) -> Iterator[Absent]:
    """Diseases of the codes that no passage names, one a category."""
    beginnings = words.beginnings(_BEGINNING)
    seen: Counter[str] = Counter()
    for located in words.codes:
        category = str(located.document.id)
        meaning = code_meaning(located)
        if meaning is None or seen[category] >= 3 or not re.search(r"/[a-nq]\d", category):
            continue
        plain = meaning.split()
        if not 1 <= len(plain) <= 5 or not re.fullmatch(r"[A-Za-z' -]+", meaning):
            continue
        if any(word.casefold() in terms().code_words for word in plain) or not any(
            _DISEASE.search(word) for word in plain
        ):
            continue
        unknown = [
            word
            for word in tokenise(meaning)
            if len(word) >= 6 and not words.count(word) and word[:_BEGINNING] not in beginnings
        ]
        if unknown:
            seen[category] += 1
            yield Absent("absent_condition", lowered(meaning), "", f"absent:{category}", "absent_condition")


def near_misses(
    words: LibraryWords, finder: FactFinder, facts: Sequence[Fact], drawn: random.Random
) -> Iterator[Absent]:
    """Conditions of the facts with drugs and tests that no passage about them names."""
    about = _documents_about(words, finder)
    conditions: dict[str, Fact] = {}
    for fact in facts:
        if (
            fact.source == "guidelines"
            and fact.asks in ("drug_plain", "test_plain", "procedure_plain")
            and fact.condition not in conditions
        ):
            conditions[fact.condition] = fact
    for condition, fact in conditions.items():
        held = about(fact)
        if re.search(r"\b(?:prevent|screening|prophylaxis|risk|use)\b", condition):
            continue
        candidates = _plausible(condition)
        found = 0
        for phrase in drawn.sample(candidates, len(candidates)):
            wanted = frozenset(tokenise(phrase))
            if any(wanted <= one for one in held) or any(_said_otherwise(phrase, one) for one in held):
                continue
            if words.holding(core(condition) | wanted):
                continue
            drug = " " not in phrase and phrase.islower() and not phrase.endswith(_NOT_DRUGS)
            asks = drawn.choice(("drug_plain", "drug_plain", "drug_dose")) if drug else "procedure_plain"
            yield Absent(asks, condition, phrase, fact.cluster, "near_miss")
            found += 1
            if found == 4:
                break


_NOT_DRUGS = (
    "scan",
    "surgery",
    "therapy",
    "diet",
    "endoscopy",
    "cytology",
    "copy",
    "graphy",
    "metry",
    "taping",
    "lithotripsy",
    "capnography",
    "procalcitonin",
    "troponin",
    "plasty",
    "monitoring",
    "telemonitoring",
    "plasmapheresis",
    "dynamics",
    "acupuncture",
    "surfactant",
    "cranberry",
    "feedback",
    "probiotics",
)


def _plausible(condition: str) -> list[str]:
    """What a clinician might ask about in a condition, by its specialty."""
    found = [
        term
        for specialty in terms().specialties.values()
        if any(re.search(rf"\b{re.escape(start)}", condition, re.IGNORECASE) for start in specialty.conditions)
        for term in specialty.terms
    ]
    return list(dict.fromkeys(found))


def new_drugs(words: LibraryWords) -> Iterator[Absent]:
    """Drugs that no passage names, with what they are given for."""
    for drug, condition in terms().new_drugs.items():
        if not any(words.holding([term]) for term in tokenise(drug) if len(term) > 3):
            for asks in ("drug_plain", "drug_dose"):
                yield Absent(asks, condition, drug, f"new:{drug}", "new_drug")


def _said_otherwise(phrase: str, held: frozenset[str]) -> bool:
    for endings, classes in terms().classes:
        if any(ending in phrase.casefold() for ending in endings) and any(
            set(tokenise(word)) <= held for word in classes
        ):
            return True
    return False


def _documents_about(words: LibraryWords, finder: FactFinder) -> Callable[[Fact], list[frozenset[str]]]:
    of_cluster: defaultdict[str, set[int]] = defaultdict(set)
    for number, located in enumerate(words.located):
        of_cluster[str(finder.clusters.of(located.document.id))].add(number)

    def held(fact: Fact) -> list[frozenset[str]]:
        numbers = of_cluster[fact.cluster] | words.holding(core(fact.condition))
        return [words.terms(number) for number in numbers]

    return held
