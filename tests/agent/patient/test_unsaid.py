"""What is said in figures is searched for in words."""

from __future__ import annotations

import pytest

from agent.patient import read_patient, with_unsaid


@pytest.mark.parametrize(
    ("question", "added"),
    [
        ("33F, 20 weeks, on atorva. Stop it?", " (pregnant)"),
        ("20/40, BP 165/112?", " (pregnant)"),
        ("33F, 20 weeks pregnant. Stop it?", ""),
        ("6 yo, stung by a wasp. Dose?", " (child)"),
        ("6-year-old boy, stung by a wasp. Dose?", ""),
        ("6 yo, kidney stones. Analgesia?", " (child)"),
        ("45M, gout flare?", ""),
        ("Not pregnant, 33F, UTI?", ""),
        ("Dose of amoxicillin?", ""),
    ],
)
def test_pregnancy_and_childhood_are_named(question: str, added: str) -> None:
    assert with_unsaid(question, read_patient([question])) == question + added


def test_what_an_earlier_turn_said_counts() -> None:
    patient = read_patient(["33F, 20 weeks, UTI?", "And for how long?"])
    assert with_unsaid("And for how long?", patient) == "And for how long? (pregnant)"
