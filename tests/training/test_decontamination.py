"""If these fail, the reranker is measured on what it was trained on, and its figures are worth nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.decontamination import Contamination, Evaluated

_PASSAGE = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
_HELD = Contamination(
    [Evaluated("held", ["Which investigations are needed in chronic grumbling of the left ear?"], [_PASSAGE])]
)


@pytest.mark.parametrize(
    "question",
    [
        "Which investigations are needed in chronic grumbling of the left ear?",
        "which INVESTIGATION is needed in chronic grumbling of the left ear",
        "investigations needed, chronic grumbling, left ear, adults",
    ],
    ids=["same", "inflected", "nearly"],
)
def test_a_question_that_is_evaluated_is_named(question: str) -> None:
    assert _HELD.of_question(question) == "held"


def test_a_long_question_that_holds_an_evaluated_one_is_named() -> None:
    asked = "my dear old neighbour has had a very bad cold since the month of march and asks why"
    held = Contamination([Evaluated("held", [asked], [])])
    assert held.of_question(f"Hello doctor, {asked}, please answer soon, many thanks and kind regards") == "held"


@pytest.mark.parametrize("question", ["Which investigations are needed in grumbling?", "Left ear pain", ""])
def test_another_question_is_free(question: str) -> None:
    assert _HELD.of_question(question) is None


def test_thirteen_words_in_a_row_mark_a_passage_and_twelve_do_not() -> None:
    words = _PASSAGE.split()
    assert _HELD.of_passage("Before, " + ", ".join(words[:13]).upper() + ". After.") == "held"
    assert _HELD.of_passage(" ".join(words[:12])) is None


@given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=13, max_size=40), st.integers(0, 27))
def test_any_thirteen_words_of_an_evaluated_passage_are_found(words: list[str], start: int) -> None:
    held = Contamination([Evaluated("held", [], [" ".join(words)])])
    start = min(start, len(words) - 13)
    assert held.of_passage("x " + " ".join(words[start : start + 13]) + " y") == "held"
