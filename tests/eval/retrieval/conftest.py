"""A small question set that needs no file."""

from __future__ import annotations

import pytest

from eval.retrieval.question_set import QuestionSet, assembled, plain_entry

SUBJECTS = ("asthma", "gout", "sepsis", "migraine", "malaria", "eczema", "croup", "shingles")
ASPECTS = ("treatment with tablets", "diagnosis by examination", "follow-up after a week", "advice for families")


@pytest.fixture
def small_set() -> QuestionSet:
    """Eight subjects with four passages each; a subject's name with one aspect as the question."""
    return assembled(
        "small",
        measures_what="A made-up set.",
        entries=[
            plain_entry(f"{subject}-{number}", f"{aspect} in people with {subject} and others", title=subject)
            for subject in SUBJECTS
            for number, aspect in enumerate(ASPECTS)
        ],
        queries=[(subject, f"{subject} {ASPECTS[0]}?") for subject in SUBJECTS],
        grades={
            subject: {f"{subject}-0": 2, **{f"{subject}-{number}": 1 for number in (1, 2, 3)}} for subject in SUBJECTS
        },
    )
