"""Wording a fact: a frame of the right part, filled, with other names now and then; and good searches for it."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from agent.actions import MAX_QUERY_CHARS
from retrieval.expansion import expansion_table
from training.questionset.facts import Fact
from training.questionset.terms import Part, frames

_OTHER_NAME = 0.25
_SHORT_FORM = 0.35
_CASE = 0.25
_TYPO = 0.02
# A wording that speaks of a patient does not go with a condition that names one ("malaria in the newborn").
_PEOPLE = re.compile(r"atient|\bPt\b|pt with|omeone|people|\badults\b|\{age\}", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(?:in|of|for) (?:an? |the |older |young )*(?:child|adult|neonat|newborn|infant|pregnan|wom|m[ae]n\b|"
    r"pe(?:rson|ople)|patient)|prevent|screening|prophylaxis",
    re.IGNORECASE,
)
_WORD_OF = {
    "drug_dose": "dose",
    "dose_vignette": "dose",
    "drug_duration": "duration",
    "interval": "",
    "drug_contraindicated": "contraindicated",
    "drugs_of": "drug treatment",
    "measures_of": "non-drug treatment",
    "definitive_of": "definitive treatment",
    "patient_symptoms": "symptoms",
    "patient_causes": "causes",
    "patient_treatment": "treatment",
    "patient_outlook": "outlook",
    "patient_inheritance": "inherited",
    "patient_frequency": "prevalence",
    "patient_genetics": "genes",
    "patient_diagnosis": "diagnosis",
    "codes": "code",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A worded question."""

    #: Name of the frame: what it asks, the part and its place in the list.
    template: str
    question: str
    queries: tuple[str, ...]
    #: The condition as the question says it.
    condition: str


def ask(fact: Fact, part: Part, drawn: random.Random, *, plain: bool = False) -> Asked:
    """One wording of a fact.

    Args:
        plain: no case description, no other names: for a question that others are built on.
    """
    asks = fact.asks
    if not plain and fact.any_adult and drawn.random() < _CASE:
        asks = {"drug_plain": "drug_vignette", "drug_dose": "dose_vignette"}.get(asks, asks)
    return fill(asks, fact, part, drawn, plain=plain)


def fill(asks: str, fact: Fact, part: Part, drawn: random.Random, *, plain: bool = False) -> Asked:
    """A wording of `asks` filled from a fact."""
    condition, phrase = fact.condition, fact.phrase
    choices = frames()[asks].of(part)
    fitting = [place for place, frame in enumerate(choices) if not (_PEOPLE.search(frame) and _PLACE.search(condition))]
    number = drawn.choice(fitting or range(len(choices)))
    if not plain:
        names = fact.other_names
        if fact.source == "patient_information":
            names = tuple(name for name in names if " " in name and name[1:].islower())
        if names and drawn.random() < (_OTHER_NAME if " and " not in condition else 2 * _OTHER_NAME):
            condition = drawn.choice(names)
        condition = shortened(condition, drawn)
        phrase = shortened(phrase, drawn)
    text = choices[number]
    question = finish(text, drawn, c=condition, p=phrase, pop=fact.population)
    if not plain and drawn.random() < _TYPO:
        question = _mistyped(question, drawn)
    return Asked(f"{asks}/{part}/{number}", question, searches(fact, condition, phrase), condition)


def finish(text: str, drawn: random.Random, *, c: str = "", p: str = "", pop: str = "") -> str:
    """A frame with its slots filled, its verbs agreeing and its first letter as a sentence has it."""
    sex = drawn.choice(("man", "woman"))
    plural = is_plural(p)
    filled = text.format(
        c=c, p=p, pop=pop, age=drawn.randint(22, 79), sex=sex, s="M" if sex == "man" else "F",
        pron="he" if sex == "man" else "she", **{"is": "are" if plural else "is", "does": "do" if plural else "does"},
    )  # fmt: skip
    if plural:
        filled = re.sub(rf"\b([Ii])s ({re.escape(p)})\b", lambda m: ("Are " if m[1] == "I" else "are ") + m[2], filled)
        filled = re.sub(rf"\b([Dd])oes ({re.escape(p)})\b", lambda m: f"{m[1]}o {m[2]}", filled)
    if text[0].isupper() or (text[0] == "{" and text[-1] in "?." and drawn.random() < 0.8):
        filled = filled[0].upper() + filled[1:]
    if filled.endswith("?") and drawn.random() < 0.08:
        filled = filled[:-1]
    return filled


def is_plural(phrase: str) -> bool:
    """Whether a phrase takes a plural verb."""
    last = phrase.rsplit(" ", 1)[-1]
    return last.endswith("s") and not last.endswith(("ss", "is", "us")) and last.casefold() not in _SINGULAR


_SINGULAR = frozenset({"oral rehydration salts", "tens"})


def searches(fact: Fact, condition: str, phrase: str) -> tuple[str, ...]:
    """Good searches, best first: the question's own names with what is asked, then the library's names."""
    word = _WORD_OF.get(fact.asks, "")
    own = [lengthened(condition), lengthened(phrase), word, fact.population]
    library = [fact.phrase or word, fact.condition, fact.population]
    return distinct([" ".join(filter(None, own)), " ".join(filter(None, library))])


def distinct(queries: Sequence[str]) -> tuple[str, ...]:
    """Queries without repeats, each as long as a query may be."""
    cut = [" ".join(query.split())[:MAX_QUERY_CHARS].strip() for query in queries]
    return tuple({query.casefold(): query for query in reversed(cut)}.values())[::-1]


def shortened(text: str, drawn: random.Random) -> str:
    """A long form as clinicians abbreviate it, or a drug's second name or brand, now and then."""
    lower = text.casefold()
    for long, shorts in _short_forms().items():
        if long in lower and drawn.random() < _SHORT_FORM:
            at = lower.index(long)
            before, after = text[:at], text[at + len(long) :]
            if (before and before[-1].isalnum()) or (after and after[0].isalnum()):
                continue
            return before + drawn.choice(shorts) + after
    return text


def lengthened(text: str) -> str:
    """Short forms written out, as the guidelines have them."""
    words = _long_forms()
    return " ".join(words.get(word.casefold(), word) for word in text.split())


@cache
def _short_forms() -> dict[str, tuple[str, ...]]:
    table = expansion_table()
    found: dict[str, list[str]] = {}
    for short, long in table.any_case.items():
        if 3 <= len(short) <= 7 and " " not in short and not short.endswith("s"):
            found.setdefault(long.casefold(), []).append(short.upper() if short.isalpha() else short)
    for one, other in table.names:
        found.setdefault(one.casefold(), []).append(other)
        found.setdefault(other.casefold(), []).append(one)
    for brand, contents in table.brands.items():
        if len(contents) == 1:
            found.setdefault(contents[0].casefold(), []).append(brand.capitalize())
    for long, others in _COMMON.items():
        found.setdefault(long, []).extend(others)
    return {long: tuple(shorts) for long, shorts in sorted(found.items(), key=lambda item: -len(item[0]))}


@cache
def _long_forms() -> dict[str, str]:
    table = expansion_table()
    found = {short.casefold(): long for short, long in table.any_case.items() if " " not in short}
    found |= {brand.casefold(): contents[0] for brand, contents in table.brands.items() if len(contents) == 1}
    return found | {short.casefold(): long for long, shorts in _COMMON.items() for short in shorts if short.isupper()}


#: Everyday other words, both of which clinicians write.
_COMMON = {
    "hypertension": ("high blood pressure", "HTN"),
    "high blood pressure": ("hypertension",),
    "myocardial infarction": ("MI",),
    "type 2 diabetes mellitus": ("T2DM", "type 2 diabetes"),
    "diabetes mellitus": ("diabetes",),
    "urinary tract infection": ("UTI",),
    "tuberculosis": ("TB",),
    "posttraumatic stress disorder": ("PTSD",),
    "major depressive disorder": ("MDD", "major depression"),
    "traumatic brain injury": ("TBI",),
    "sexually transmitted infections": ("STIs",),
    "sickle cell disease": ("SCD",),
    "magnetic resonance imaging": ("MRI",),
    "electrocardiogram": ("ECG",),
    "computed tomography": ("CT",),
}


def _mistyped(text: str, drawn: random.Random) -> str:
    places = [m.start() for m in re.finditer(r"(?<=[a-z]{3})[a-z](?=[a-z]{2})", text)]
    if not places:
        return text
    at = drawn.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
