"""What every reader owes: no word lost, offsets that give back the text, nothing too long, the same again unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval import CutLimits, EstimatedCounter, Library, add_paths
from retrieval.chunking import CutDocument, cut_document, too_long
from retrieval.documents import PassageKind
from retrieval.readers import Skipped, SourceFile, reader_named
from tests.retrieval.readers.samples import MMWR, NGC, SAMPLES

LIMITS = CutLimits(EstimatedCounter())
SHORT = CutLimits(EstimatedCounter(), limit=64, narrative=40)
WORDS = {
    "ngc": "offer rest to grown people avoid strain unless a doctor agrees calling it when nobody moves restol 3 mg "
    "doses adults broken legs final grade of recommendation high certainty",
    "medquad": "gout is painful",
    "uspstf": "evidence is lacking why",
    "mmwr": "others recommend rest adults should rest methods",
    "nigeria-stg": "it occurs give the drug contraindicated in pregnancy",
    "icd10cm": "cholera unspecified",
    "beir": "fibre helps",
    "jsonl": "offer rest",
    "html": "offer rest",
    "markdown": "offer rest 1 2",
}


def cut(name: str, limits: CutLimits = LIMITS, text: str | None = None) -> Iterator[CutDocument]:
    file, sample = SAMPLES[name]
    for item in reader_named(name).read(SourceFile(file, (text or sample).encode())):
        if not isinstance(item, Skipped):
            yield cut_document(item, limits)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_no_word_is_lost(name: str) -> None:
    shown = " ".join(
        " ".join((*passage.section, passage.text)) for made in cut(name) for passage in made.entry.passages
    )
    found = set(re.findall(r"\w+", shown.lower()))
    assert set(WORDS[name].split()) - found == set()


@pytest.mark.parametrize("limits", [LIMITS, SHORT], ids=["wide", "short"])
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_offsets_give_back_the_text_and_nothing_is_too_long(name: str, limits: CutLimits) -> None:
    for made in cut(name, limits):
        for passage in made.entry.passages:
            assert passage.start is not None
            assert made.text[passage.start : passage.end] in passage.text
            assert not too_long(passage, limits)


def test_ngc_lifts_grades_from_recommendations_and_from_nothing_else() -> None:
    (made,) = cut("ngc")
    found = [(p.text.split(".")[0], p.strength) for p in made.entry.passages if p.strength]
    assert found == [
        ("Offer rest to grown people", "Strong for"),
        ("Avoid strain unless a doctor agrees", "Weak against"),
        ("We recommend calling it rest when nobody moves", "Weak for"),
    ]
    assert all(
        p.contraindications == ("Broken legs",) and p.population == "Adults"
        for p in made.entry.passages
        if p.kind is PassageKind.RECOMMENDATION
    )


def test_a_report_of_surveillance_is_no_guideline_and_grades_nothing() -> None:
    survey, guideline = cut("mmwr", text=MMWR)
    assert (survey.entry.document.source, guideline.entry.document.source) == ("public_health_reports", "guidelines")
    assert all(p.kind is not PassageKind.RECOMMENDATION and p.strength is None for p in survey.entry.passages)
    assert [p.kind for p in guideline.entry.passages] == [PassageKind.RECOMMENDATION]


def test_patient_pages_grade_nothing() -> None:
    (made,) = cut("medquad")
    assert all(p.strength is None and p.kind is PassageKind.NARRATIVE for p in made.entry.passages)


def test_the_same_folder_again_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "all"
    for file, text in SAMPLES.values():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    with Library(tmp_path / "library.sqlite") as library:
        (first,) = add_paths([folder], library, LIMITS)
        before = [entry.model_dump_json() for entry in library.entries()]
        (folder / "more.md").write_text("# More\n\nWalk.")
        (second,) = add_paths([folder], library, LIMITS)
        after = {entry.document.id: entry.model_dump_json() for entry in library.entries()}
    assert first.failed == []
    assert first.changed == len(before)
    assert second.changed == 1
    assert set(before) < set(after.values())


def test_the_words_of_a_definition_that_is_no_grading_scheme_stay_recommendations() -> None:
    text = NGC.replace("Definition of Rest", "Strength of the desire to rest")
    (made,) = cut("ngc", text=text)
    assert [p.strength for p in made.entry.passages if p.strength] == ["Strong for", "Weak against", "Weak for"]
