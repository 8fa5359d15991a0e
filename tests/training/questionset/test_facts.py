"""If these fail, a question's gold does not answer it."""

from __future__ import annotations

import pytest

from retrieval.tokens import tokenise
from training.questionset import LibraryWords
from training.questionset.conditions import condition_of, core, lowered
from training.questionset.facts import MAX_GOLD, FactFinder, sound
from training.questionset.library_words import Located
from training.questionset.phrases import PhraseKind, Says, phrases_of

from .conftest import entry

COMMON = frozenset({("blood", "transfusion"), ("proton", "pump"), ("pump", "inhibitor"), ("chest", "ultrasound")})


def located(title: str, text: str = "Give amoxicillin 500 mg by mouth.", section: tuple[str, ...] = ()) -> Located:
    made = entry("d/1", title, (section, text))
    return Located(made.passages[0], made.document)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Colorectal Cancer: Screening", "colorectal cancer"),
        ("Screening for glaucoma: U.S. Preventive Services Task Force recommendation statement.", "glaucoma"),
        ("Final recommendation statement: celiac disease: screening.", "celiac disease"),
        (
            "VA/DoD clinical practice guideline for the management of chronic kidney disease in primary care.",
            "chronic kidney disease",
        ),
        ("Migraine in adults", "migraine"),
        ("Parkinson's disease", "Parkinson's disease"),
        ("Prevention of HIV Infection", "HIV infection"),
        ("Guide to Infection Prevention For Outpatient Settings: Minimum Expectations", None),
        ("Laboratory competency", None),
    ],
    ids=lambda value: str(value)[:30].replace(" ", "-"),
)
def test_a_title_becomes_a_condition_as_a_clinician_says_it(title: str, name: str | None) -> None:
    assert condition_of(located(title)) == name


def test_abbreviations_and_names_keep_their_capitals() -> None:
    assert lowered("Community-Acquired Pneumonia") == "community-acquired pneumonia"
    assert lowered("Vitamin K Deficiency") == "vitamin K deficiency"
    assert lowered("HIV Infection") == "HIV infection"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Give amoxicillin 500 mg by mouth for 5 days.", {("amoxicillin", PhraseKind.DRUG)}),
        ("Consider a proton pump inhibitor.", {("proton pump inhibitor", PhraseKind.DRUG_CLASS)}),
        ("Offer blood transfusion.", {("blood transfusion", PhraseKind.PROCEDURE)}),
        ("Do not use injection.", set()),
        ("Reduce the dose in people taking warfarin.", set()),
        ("Calcium channel blockers are an option.", set()),
        ("Give a vitamin K antagonist.", set()),
        ("Angiotensin II receptor blockers.", set()),
    ],
    ids=["drug", "class", "procedure", "too-little", "mentioned", "channel", "antagonist", "receptor"],
)
def test_phrases_name_what_a_sentence_is_about(text: str, expected: set[tuple[str, PhraseKind]]) -> None:
    assert {(phrase.text, phrase.kind) for phrase in phrases_of(text, COMMON)} == expected


def test_a_dose_belongs_to_the_drug_before_it() -> None:
    said = {p.text: p.says for p in phrases_of("Give paracetamol or ibuprofen 400 mg for 3 days.", COMMON)}
    assert Says.DOSE not in said["paracetamol"]
    assert said["ibuprofen"] == {Says.DOSE, Says.DURATION}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "of the treatment that was given",
        "Treat as follows:",
        "(part 2 of 3 of this recommendation) Give it daily",
        "word " * 130,
    ],
    ids=["empty", "fragment", "heading", "part", "long"],
)
def test_what_is_no_whole_statement_is_not_asked_about(text: str) -> None:
    assert not sound(located("Gout", text))


def test_gold_passages_hold_what_is_asked(library: LibraryWords, finder: FactFinder) -> None:
    facts = list(finder.recommendation_facts())
    assert len(facts) > 200
    for fact in facts:
        assert 1 <= len(fact.gold) <= MAX_GOLD
        for id in fact.gold:
            number = library.number(id)
            assert number is not None
            assert set(tokenise(fact.phrase)) | core(fact.condition) <= library.terms(number)


def test_no_other_recommendation_of_another_condition_answers_too(library: LibraryWords, finder: FactFinder) -> None:
    for fact in list(finder.recommendation_facts())[::10]:
        wanted = core(fact.condition) | set(tokenise(fact.phrase))
        clusters = {
            str(finder.clusters.of(library.located[n].document.id))
            for n in library.holding(wanted)
            if library.located[n].recommends and library.located[n].document.source == "guidelines"
        }
        assert clusters == {fact.cluster}


def test_headings_of_patient_information_become_questions(finder: FactFinder) -> None:
    asks = {(fact.asks, fact.condition) for fact in finder.patient_facts()}
    assert ("patient_inheritance", "abelor syndrome") in asks
    assert ("patient_information", "abelor syndrome") in asks


def test_a_meaning_with_one_code_is_asked_for(finder: FactFinder) -> None:
    assert "glimmeritis" not in {fact.condition for fact in finder.code_facts()}  # one word says too little
    assert "chronic glimmeritis" in {fact.condition for fact in finder.code_facts()}
