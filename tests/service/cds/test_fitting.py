"""What a recommendation states is held against the record; only what is certain is said."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from retrieval import DocumentId, Passage, PassageId, PassageKind
from service.cds.fitting import conflicts
from service.cds.patient import CodedPatient, Egfr, read_patient
from service.cds.subjects import MAX_CONDITIONS, Subject, drug_names, of_conditions, of_orders, wordings

from .asking import allergies, bundle, condition, order_select, prefetch


def patient(**known: Any) -> CodedPatient:
    nothing = {"age": None, "sex": None, "conditions": (), "pregnant": False, "allergies": None, "egfr": None}
    return CodedPatient(**{**nothing, **known})


def passage(population: str | None = None, *contraindications: str) -> Passage:
    return Passage(
        id=PassageId("p"),
        document_id=DocumentId("d"),
        kind=PassageKind.RECOMMENDATION,
        text="Do it.",
        population=population,
        contraindications=contraindications,
    )


@pytest.mark.parametrize(
    ("population", "known"),
    [
        ("Adults with example fever", {"age": (7, 7)}),
        ("Adults aged 65 years and over with example fever", {"age": (40, 40)}),
        ("Women aged 30 to 65 with a cervix", {"age": (70, 71), "sex": "female"}),
        ("Children under 12 with frequent flares", {"age": (30, 30)}),
        ("Children aged 1 to 23 months with bronchiolitis", {"age": (30, 30)}),
        ("Women within 24 hours of birth", {"sex": "male"}),
        ("Men with prostatitis", {"sex": "female"}),
        ("Non-pregnant adults with example fever", {"pregnant": True}),
        ("Adults, not pregnant", {"pregnant": True}),
        ("Pregnant women with example fever", {"sex": "female"}),
    ],
)
def test_a_population_that_the_patient_is_not_of_is_said(population: str, known: dict[str, Any]) -> None:
    assert len(conflicts(passage(population), patient(**known))) == 1


@pytest.mark.parametrize(
    ("population", "known"),
    [
        ("Adults with example fever", {"age": (17, 17)}),  # adult in some guidelines
        ("Adults with example fever", {}),
        ("Adults and children with example fever", {"age": (7, 7)}),
        ("Adults aged 60 years and over, and immunocompromised adults", {"age": (40, 40)}),
        ("Children aged 2 and over, and adults for tacrolimus", {"age": (40, 40)}),
        ("Adults aged 65 years and over", {"age": (64, 65)}),  # only the year of birth is known
        ("Children under 2 years", {"age": (1, 1)}),
        ("Women and men aged 16 years and over", {"sex": "male", "age": (40, 40)}),
        ("Adults, including pregnant women", {"pregnant": True, "sex": "female"}),
        ("Pregnant people of any age who use tobacco", {"age": (15, 15), "sex": "female", "pregnant": True}),
        ("Pregnant women and women up to 2 weeks after delivery", {"sex": "female"}),
        (None, {"age": (7, 7), "sex": "male", "pregnant": True}),
    ],
)
def test_what_is_not_certain_is_not_said(population: str | None, known: dict[str, Any]) -> None:
    assert conflicts(passage(population), patient(**known)) == ()


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ("Pregnancy", {"pregnant": True}),
        ("Pregnancy (doxycycline)", {"pregnant": True}),
        ("ACE inhibitor or statin in pregnancy", {"pregnant": True}),
        ("Penicillin allergy", {"allergies": ("Penicillins",)}),
        ("Penicillin allergy (amoxicillin)", {"allergies": ("Amoxicillin / Clavulanate",)}),
        ("Severe penicillin or cephalosporin allergy", {"allergies": ("cefalexin",)}),
        ("Fidaxomicin hypersensitivity; caution with macrolide allergy", {"allergies": ("Clarithromycin 250 MG",)}),
        ("Allergy to rifamycins", {"allergies": ("rifampicin",)}),
        ("eGFR below 45 ml/min/1.73 m2", {"egfr": Egfr(44.0, "2024-01-01")}),
    ],
)
def test_a_stated_contraindication_in_the_record_is_said_in_its_own_words(stated: str, known: dict[str, Any]) -> None:
    (said,) = conflicts(passage("Adults", stated), patient(**known))
    assert said.endswith(f"Stated contraindication: {stated}.")


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ("Pregnancy", {}),
        ("First trimester of pregnancy", {"pregnant": True}),
        ("Penicillin allergy", {"allergies": None}),
        ("Penicillin allergy", {"allergies": ("Latex", "Peanut")}),
        ("Severe cephalosporin allergy", {"allergies": ("severe latex allergy",)}),
        ("eGFR below 45 ml/min/1.73 m2", {"egfr": Egfr(45.0, None)}),
    ],
)
def test_a_contraindication_that_is_not_recorded_is_not_claimed(stated: str, known: dict[str, Any]) -> None:
    assert conflicts(passage("Adults", stated), patient(**known)) == ()


def egfr(value: float, on: str, **more: object) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "98979-8"}]},
        "effectiveDateTime": on,
        "valueQuantity": {"value": value},
        **more,
    }


def test_the_record_is_read_as_it_is_coded() -> None:
    measured = bundle(
        egfr(80, "2020-01-01"),
        egfr(31, "2024-01-02T08:00:00Z"),
        egfr(60, "2025-01-01", valueQuantity={"value": 60, "comparator": ">"}),
        egfr(5, "2025-02-01", status="entered-in-error"),
    )
    given = prefetch(
        condition("Example fever", recordedDate="2020-01-01"),
        condition("Sample rash", recordedDate="2024-01-01"),
        condition("Test cough", category=[{"coding": [{"code": "encounter-diagnosis"}]}]),
        condition("28 weeks gestation of pregnancy", "Z3A.28"),
        allergies=allergies("Penicillin", "No known food allergy"),
        egfr=measured,
    )
    found = read_patient(given, "1288992", date(2025, 12, 22))
    assert (found.age, found.sex, found.pregnant) == ((59, 59), "male", True)
    names = [item.code.coding[0].display for item in found.conditions]
    assert names == ["Test cough", "Sample rash", "Example fever"], "of the encounter first, then the newest"
    assert found.allergies == ("Penicillin",)
    assert found.egfr == Egfr(31, "2024-01-02")


@pytest.mark.parametrize(
    ("born", "age"), [("1965", (59, 60)), ("1965-12", (59, 60)), ("2030-01-01", None), ("soon", None), (None, None)]
)
def test_an_age_is_as_certain_as_the_date_of_birth(born: str | None, age: tuple[int, int] | None) -> None:
    given = prefetch() | {"patient": {"resourceType": "Patient", "birthDate": born}}
    assert read_patient(given, "1", date(2025, 12, 22)).age == age


@pytest.mark.parametrize(
    ("said", "names"),
    [
        (
            "Amoxicillin 120 MG/ML / clavulanate potassium 8.58 MG/ML Oral Suspension",
            ("amoxicillin", "clavulanate"),
        ),
        (
            "nitrofurantoin, macrocrystals 25 MG / nitrofurantoin, monohydrate 75 MG Oral Capsule [Macrobid]",
            ("nitrofurantoin",),
        ),
        ("Co-amoxiclav 500mg/125mg tablets", ("co-amoxiclav",)),
        ("12 HR metformin hydrochloride 500 MG Extended Release Oral Tablet", ("metformin",)),
        ("", ()),
    ],
)
def test_the_name_of_a_medicine_is_what_is_in_it(said: str, names: tuple[str, ...]) -> None:
    assert drug_names(said) == names


def test_a_medicine_goes_by_its_other_names() -> None:
    assert ("paracetamol",) in wordings(("acetaminophen",))
    assert ("co-amoxiclav",) in wordings(("amoxicillin", "clavulanate"))


@pytest.mark.parametrize("ordered", [False, True])
def test_no_more_codes_are_named_than_problems_are_looked_up(ordered: bool) -> None:
    """Otherwise a long list of bare codes is a search for each before the first card."""
    asked: list[str] = []

    def name_of(code: str) -> str:
        asked.append(code)
        return f"Problem {code}"

    coded = prefetch(*(condition(None, f"R50.{n}") for n in range(9)))
    of = read_patient(coded, "1288992", date(2025, 12, 22))
    subjects: tuple[Subject, ...]
    if ordered:
        context = order_select("examplicillin")["context"]
        chosen = ["MedicationRequest/smart-MedicationRequest-103"]
        subjects = of_orders(context["draftOrders"], chosen, of, "1288992", name_of)
    else:
        subjects = of_conditions(of, name_of)
    assert [item.condition for item in subjects] == [f"Problem R50.{n}" for n in range(MAX_CONDITIONS)]
    assert len(asked) == MAX_CONDITIONS
