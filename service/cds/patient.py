"""The patient as far as the coded record says: what decides whom a recommendation is for, and what to look up.

What is not coded is not known, and None is never taken for "no".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar, cast

from pydantic import JsonValue

from service.cds.fhir import (
    ICD10,
    LOINC,
    SNOMED,
    AllergyIntolerance,
    Condition,
    Observation,
    Patient,
    Resource,
    resources,
)
from service.problems import ProblemError

#: eGFR per 1.73 m2 in serum or plasma: CKD-EPI 2021, CKD-EPI 2009, and MDRD.
EGFR_CODES = ("98979-8", "62238-1", "88294-4", "88293-6", "33914-3", "77147-7")
_FINAL = ("final", "amended", "corrected")
#: SNOMED CT: pregnancy (finding).
_PREGNANT_SNOMED = frozenset({"77386006"})
#: ICD-10-CM: pregnant state and its supervision, weeks of gestation. Other O codes also stand after a birth.
_PREGNANT_ICD = re.compile(r"Z331|Z34|Z3A|O09")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$")
_NO_ALLERGY = re.compile(r"\bno (?:known|current)\b|\bnot on file\b|\bnil known\b", re.IGNORECASE)

Sex = Literal["female", "male"]
R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Egfr:
    """ml/min/1.73 m2, or the bound that it lies under ("<15"), and when it was measured."""

    value: float
    on: str | None


@dataclass(frozen=True, slots=True)
class CodedPatient:
    """What is known of one patient."""

    #: Whole years: the least and the most that the date of birth allows; None where it is not known.
    age: tuple[int, int] | None
    #: Administrative gender, where it is one of two.
    sex: Sex | None
    #: Active problems, those of the encounter and the newest first; pregnancy is not among them.
    conditions: tuple[Condition, ...]
    #: Coded as pregnant. False: not coded as pregnant.
    pregnant: bool
    #: Names of what the patient is allergic to; None where allergies were not sent.
    allergies: tuple[str, ...] | None
    egfr: Egfr | None


def read_patient(prefetch: dict[str, JsonValue] | None, patient_id: str, today: date) -> CodedPatient:
    """The patient from what was prefetched.

    Raises:
        ProblemError: 412 where demographics or problems were not sent; 422 where something cannot be read or is about
            another patient.
    """
    given = prefetch or {}
    people = _required(given, "patient", Patient, patient_id)
    conditions = _required(given, "conditions", Condition, patient_id)
    allergies = _optional(given, "allergies", AllergyIntolerance, patient_id)
    measured = _optional(given, "egfr", Observation, patient_id)
    person = people[0] if people else Patient()
    standing = [item for item in conditions if item.stands and not item.abatement_date_time]
    return CodedPatient(
        age=_age(person.birth_date, today),
        sex=cast("Sex", person.gender) if person.gender in ("female", "male") else None,
        conditions=tuple(sorted((item for item in standing if not _pregnancy(item)), key=_first, reverse=True)),
        pregnant=any(_pregnancy(item) for item in standing),
        allergies=None if allergies is None else tuple(name for item in allergies for name in _allergens(item)),
        egfr=_egfr(measured or ()),
    )


def check_same_patient(found: tuple[Resource, ...], patient_id: str, field: str) -> None:
    """Refuse what is about somebody else. Raises ProblemError."""
    if any(item.about not in (None, patient_id) for item in found):
        raise ProblemError(422, "other_patient", f"{field} is about another patient than context.patientId.")


def _required(given: dict[str, JsonValue], key: str, wanted: type[R], patient_id: str) -> tuple[R, ...]:
    found = _optional(given, key, wanted, patient_id)
    if found is None:
        raise ProblemError(
            412,
            "prefetch_missing",
            f"prefetch.{key} is needed, as GET /cds-services asks for it. This service fetches nothing itself.",
            param=f"prefetch.{key}",
        )
    return found


def _optional(given: dict[str, JsonValue], key: str, wanted: type[R], patient_id: str) -> tuple[R, ...] | None:
    """What was sent under a key; None where the key is missing or an error stands there."""
    if key not in given:
        return None
    found = resources(given[key], wanted, f"prefetch.{key}")
    check_same_patient(found or (), patient_id, f"prefetch.{key}")
    return found


def _age(born: str | None, today: date) -> tuple[int, int] | None:
    match = _DATE.match(born or "")
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    first, last = (year, month or 1, day or 1), (year, month or 12, day or 31)
    least, most = _years(last, today), _years(first, today)
    return (max(least, 0), most) if 0 <= most <= 130 else None


def _years(born: tuple[int, int, int], today: date) -> int:
    return today.year - born[0] - ((today.month, today.day) < born[1:])


def _first(condition: Condition) -> tuple[bool, str]:
    """What the encounter is about comes first, then what was recorded last."""
    encounter = any(item.has("encounter-diagnosis") for item in condition.category)
    return encounter, condition.recorded_date or condition.onset_date_time or ""


def _pregnancy(condition: Condition) -> bool:
    icd = condition.code.codes(*ICD10)
    return bool(condition.code.codes(SNOMED) & _PREGNANT_SNOMED) or any(_PREGNANT_ICD.match(code) for code in icd)


def _allergens(allergy: AllergyIntolerance) -> tuple[str, ...]:
    names = dict.fromkeys([allergy.code.text, *(item.display for item in allergy.code.coding)])
    said = tuple(name for name in names if name)
    if not allergy.stands or any(_NO_ALLERGY.search(name) for name in said):
        return ()
    return said


def _egfr(measured: tuple[Observation, ...]) -> Egfr | None:
    """The newest final value; one that is only a lower bound (">60") decides nothing and is left out."""
    usable = [
        item
        for item in measured
        if item.status in _FINAL
        and not item.code.codes(LOINC).isdisjoint(EGFR_CODES)
        and item.value_quantity is not None
        and item.value_quantity.value is not None
        and item.value_quantity.comparator in (None, "<", "<=")
    ]
    if not usable:
        return None
    newest = max(usable, key=lambda item: item.effective_date_time or "")
    assert newest.value_quantity is not None
    assert newest.value_quantity.value is not None
    on = newest.effective_date_time[:10] if newest.effective_date_time else None
    return Egfr(value=newest.value_quantity.value, on=on)
