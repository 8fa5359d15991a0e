"""If these fail, a recommendation is shown with a grade its publisher did not give, or without the one it did."""

from __future__ import annotations

import pytest

from retrieval.recommendations import Grade, find_grades


@pytest.mark.parametrize(
    ("text", "strength", "certainty"),
    [
        ("Screen adults. (B recommendation)", "Grade B", None),
        ("Evidence is insufficient (I statement).", "I statement", None),
        ("Record weight. [B]", "Grade B", None),
        ("Ask about diet. [EO]", "Expert opinion (EO)", None),
        ("Offer it (Strong for; Reviewed, New-added)", "Strong for", None),
        ("Nothing is known (N/A; Reviewed, Amended)", "Not applicable", None),
        ("Give it. (Strong Recommendation, Moderate-Quality Evidence)", "Strong", "Moderate"),
        ("Give it [Conditional recommendation, very low certainty evidence]", "Conditional", "Very low"),
        ("Give it (strong recommendation, moderate to high certainty of evidence)", "Strong", "Moderate to high"),
        ("Give it. Conditional recommendation, low certainty in evidence of effects", "Conditional", "Low"),
        ("Taper (recommendation category: A, evidence type: 3).", "Category A", "Evidence type 3"),
        ("Test donors. (Category IB)", "Category IB", None),
        ("Offer PrEP (IIB)", "IIB", None),
        ("Start early (Grade A)", "Grade A", None),
        ("Start early (1B)", "Grade 1B", None),
        ("Use it (Class IIa, Level of Evidence: B-R)", "Class IIa", "Level B-R"),
        ("Use it (Level of evidence: 1a)", None, "Level 1a"),
        ("Refer. (Consensus–Panel Expertise)", "Consensus–Panel Expertise", None),
    ],
)
def test_grades_as_publishers_write_them(text: str, strength: str | None, certainty: str | None) -> None:
    assert [mark.grade for mark in find_grades(text)] == [Grade(strength, certainty)]


@pytest.mark.parametrize(
    "text",
    [
        "Grades are (A, B, C, D, or I).",
        "The scheme (Strong for, Weak for, Strong against) is explained below.",
        "Heat to 38 (C) and wait (see Grade definitions).",
        "The ratio was 1.2 (95% CI, 1.0 to 1.4) [CI].",
        "Work in a cabinet (Class I or II).",
        "Morbid obesity (Class 3): very high",
        "Inject it (ID) or test it (IVD).",
        "Some are A (strongly recommended) or B (recommended).",
        "Deficiency of vitamin (D) is common (strongly so).",
        "Reviewed (Modified from the 2006 CPG without an updated systematic review of the evidence).",
    ],
)
def test_explanations_and_other_brackets_are_no_grades(text: str) -> None:
    assert find_grades(text) == ()
