"""A patient against the people that a recommendation is for."""

from __future__ import annotations

import re

from agent.patient.ages import people_ages, people_sexes
from agent.patient.allergens import stated_allergens
from agent.patient.conflict import Conflict, FactKind, Weight
from agent.patient.names import drug_names, spoken
from agent.patient.organs import SEVERE_BELOW
from agent.patient.patient import Patient, Range

_NOT_PREGNANT = re.compile(r"\bnon-?\s?pregnant\b|\b(?:are\s+|is\s+)?not\s+(?:for\s+)?pregnan\w+", re.IGNORECASE)
_ONLY_PREGNANT = re.compile(
    r"\s*(?:all\s+|asymptomatic\s+)?pregnant\b|\s*women\s+in\s+the\s+\w+\s+trimester", re.IGNORECASE
)
_AFTER_BIRTH = re.compile(
    r"\b(?:postpartum|postnatal|puerperium|after\s+(?:birth|delivery)|given\s+birth)\b", re.IGNORECASE
)
_ALSO_PREGNANT = re.compile(
    r"\b(?:including|particularly|also|even|and|or)\s+(?:in\s+)?(?:all\s+)?pregnan\w+", re.IGNORECASE
)
#: "Mostly 6 months to 3 years old": others are among them.
_LOOSELY = re.compile(r"\b(?:mostly|mainly|usually|typically|often|predominantly)\b", re.IGNORECASE)
_GOOD_KIDNEYS = re.compile(r"\b(?:normal|adequate)\s+renal\s+function\b", re.IGNORECASE)
_NO_DIALYSIS = re.compile(r"\bnot\s+on\s+dialysis\b", re.IGNORECASE)
_WITHOUT_ALLERGY = re.compile(
    r"\b(?:without|no)\s+(?:a\s+)?(?P<what>[\w\s-]{3,40}?)\s+(?:allergy|hypersensitivity)\b", re.IGNORECASE
)
_WITH_ALLERGY = re.compile(
    r"\b(?:with|and)\s+(?:a\s+)?(?P<what>\w+)\s+allergy\b(?P<or>[\s\w]*\b(?:or|intolerance)\b)?", re.IGNORECASE
)
#: People behind the preposition or opening verb ("Screen women ...") that says whom advice is for, and their limits.
_ADDRESSED = re.compile(
    r"(?:\b(?:in|for|to|among)|^(?:[A-Z][a-z]+))\s+(?P<who>(?:(?!(?:in|for|to|among|of|the|an?|his|her|their|by|with)\b)[\w'-]+,?\s+){0,4}?"
    r"(?:wom[ae]n|men|girls|boys|children|adolescents|infants|newborns|neonates|adults|persons|people|individuals|patients)\b"
    r"[^.:;()]{0,80})",
    re.IGNORECASE,
)
#: Before the preposition: these people are left out.
_NOT_ADDRESSED = re.compile(r"\b(?:not|except|excluding)\s+(?:apply|applicable|intended)?\s*$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.])\s+(?=[A-Z])")
_OTHERS = "the recommendation is for others"
_ADULT = Range(low=18)
_LONGEST_WORDS = 160


def population_conflicts(patient: Patient, population: str) -> list[Conflict]:
    """What the description of the people a recommendation is for says against this patient."""
    words = population if len(population) <= _LONGEST_WORDS else population[:_LONGEST_WORDS].rsplit(" ", 1)[0] + " …"
    found: list[Conflict] = []

    def add(kind: FactKind, weight: Weight, fact: str, said: str) -> None:
        found.append(
            Conflict(
                kind=kind, weight=weight, fact=fact, against=_OTHERS, question_words=said, recommendation_words=words
            )
        )

    if (age := patient.age) is not None:
        groups = people_ages(population)
        if groups and not any(group.meets(age.years) for group in groups):
            add(FactKind.AGE, Weight.CHECK if _LOOSELY.search(population) else Weight.WHOLE, age.told, age.words)
        elif groups and age.stated and not any(_surely(age.years, group) for group in groups):
            add(FactKind.AGE, Weight.CHECK, age.told, age.words)
    if (sex := patient.sex) is not None:
        sexes = people_sexes(population)
        if sexes and sex.female not in sexes:
            add(FactKind.SEX, Weight.WHOLE, "female" if sex.female else "male", sex.words)
    if (pregnancy := patient.pregnancy) is not None:
        if pregnancy.holds and _NOT_PREGNANT.search(population) and not _ALSO_PREGNANT.search(population):
            add(FactKind.PREGNANCY, Weight.WHOLE, "pregnant", pregnancy.words)
        if not pregnancy.holds and only_pregnant(population):
            add(FactKind.PREGNANCY, Weight.WHOLE, "not pregnant", pregnancy.words)
    if (renal := patient.renal) is not None:
        if renal.dialysis and _NO_DIALYSIS.search(population):
            add(FactKind.RENAL, Weight.WHOLE, renal.words, renal.words)
        elif _GOOD_KIDNEYS.search(population) and renal.filtration.high is not None:
            if renal.filtration.within(Range(high=SEVERE_BELOW)):
                add(FactKind.RENAL, Weight.WHOLE, renal.words, renal.words)
            elif renal.filtration.low < 60:
                add(FactKind.RENAL, Weight.CHECK, renal.words, renal.words)
    for match in _WITHOUT_ALLERGY.finditer(population):
        names = stated_allergens(match["what"])
        for allergy in patient.allergies:
            if any(drug_names().cross_reacts(allergy.names, name) for name in names):
                weight = Weight.CHECK if allergy.intolerance else Weight.WHOLE
                add(FactKind.ALLERGY, weight, f"{spoken(min(names))} allergy", allergy.words)
    match_with = _WITH_ALLERGY.search(population)
    if match_with is not None and not match_with["or"] and not patient.allergies:
        names = stated_allergens(match_with["what"])
        denied = patient.no_allergies or next(
            (spoken(name) for name in names if drug_names().covers(patient.tolerated, name)), None
        )
        if names and denied:
            add(FactKind.ALLERGY, Weight.WHOLE, f"no {spoken(min(names))} allergy", denied)
    return found


def addressed(text: str) -> str:
    """Whom the first sentence of a recommendation says it is for ("... screening in women aged 65"); else empty.

    Several groups are one description of all of them.
    """
    first = _SENTENCE.split(text.strip(), maxsplit=1)[0]
    return "; ".join(
        match["who"].strip()
        for match in _ADDRESSED.finditer(first)
        if not _NOT_ADDRESSED.search(first[: match.start()])
    )


def addressed_conflicts(patient: Patient, text: str) -> list[Conflict]:
    """What a recommendation's own first sentence says of age and sex against this patient.

    Nothing where people whom the patient may be one of are named anywhere in it ("Adult: 4 mg. Child: ...").
    """
    who = addressed(text)
    if not who:
        return []
    against = {item.kind for item in population_conflicts(patient, text) if item.weight is Weight.WHOLE}
    found = population_conflicts(patient, who)
    return [item for item in found if item.kind in (FactKind.AGE, FactKind.SEX) and item.kind in against]


def only_pregnant(population: str) -> bool:
    """Whether a recommendation is for pregnant women alone."""
    return _ONLY_PREGNANT.match(population) is not None and not _AFTER_BIRTH.search(population)


def _surely(age: Range, group: Range) -> bool:
    """ "Adults" begin at 16 in one guideline and at 18 in another: in between nothing is sure."""
    return group.meets(age) and not (group.low == 16 and group.high is None and not _ADULT.meets(age))
