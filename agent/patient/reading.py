"""A patient from a question and the questions before it.

What is said later stands: "she is not pregnant" takes back what came before. Where a later question is about somebody
of another sex or age, what was said before it is of another patient and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.patient.ages import read_age, read_sex
from agent.patient.allergies import read_allergies, read_conditions, read_drugs
from agent.patient.childbearing import read_breast_feeding, read_pregnancy
from agent.patient.intolerances import read_intolerances
from agent.patient.names import drug_names
from agent.patient.organs import read_hepatic, read_renal
from agent.patient.patient import Patient, Sex


def read_patient(questions: Sequence[str]) -> Patient:
    """The patient that questions of one conversation tell of, oldest question first."""
    patient = Patient()
    for question in questions:
        now = read_one(question)
        patient = now if _another(patient, now) else _together(patient, now)
    return patient


def read_one(text: str) -> Patient:
    """The patient that one text tells of."""
    allergies, no_allergies, tolerated = read_allergies(text)
    intolerances = tuple(
        item for item in read_intolerances(text) if all(item.names != other.names for other in allergies)
    )
    conditions, denied = read_conditions(text)
    pregnancy, sex = read_pregnancy(text), read_sex(text)
    breast_feeding = read_breast_feeding(text)
    for fact in (pregnancy, breast_feeding):
        if sex is None and fact is not None and fact.holds:
            sex = Sex(words=fact.words, female=True)
    return Patient(
        age=read_age(text),
        sex=sex,
        pregnancy=pregnancy,
        breast_feeding=breast_feeding,
        renal=read_renal(text),
        hepatic=read_hepatic(text),
        allergies=(*allergies, *intolerances),
        no_allergies=no_allergies,
        tolerated=tolerated.difference(*(item.names for item in intolerances)),
        drugs=read_drugs(text),
        conditions=conditions,
        denied=denied,
    )


def _another(before: Patient, now: Patient) -> bool:
    sexes = before.sex is not None and now.sex is not None and before.sex.female is not now.sex.female
    ages = (
        before.age is not None and now.age is not None and now.age.stated and not before.age.years.meets(now.age.years)
    )
    return sexes or ages


def _together(before: Patient, now: Patient) -> Patient:
    allergies = () if now.no_allergies else before.allergies
    allergies = tuple(item for item in allergies if not _covered(item.names, now.tolerated))
    new = {item.names for item in now.allergies}
    taken = {item.names for item in now.drugs}
    said = {item.name for item in now.conditions}
    return Patient(
        age=now.age if now.age is not None and (now.age.stated or before.age is None) else before.age,
        sex=now.sex or before.sex,
        pregnancy=now.pregnancy or before.pregnancy,
        breast_feeding=now.breast_feeding or before.breast_feeding,
        renal=now.renal or before.renal,
        hepatic=now.hepatic or before.hepatic,
        allergies=(*(item for item in allergies if item.names not in new), *now.allergies),
        no_allergies=now.no_allergies or (None if now.allergies else before.no_allergies),
        tolerated=before.tolerated | now.tolerated,
        drugs=(*(item for item in before.drugs if item.names not in taken), *now.drugs),
        conditions=(
            *(item for item in before.conditions if item.name not in said | now.denied),
            *now.conditions,
        ),
        denied=(before.denied - said) | now.denied,
    )


def _covered(names: frozenset[str], tolerated: frozenset[str]) -> bool:
    return any(drug_names().covers(tolerated, name) for name in names)
