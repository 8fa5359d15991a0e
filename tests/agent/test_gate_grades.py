"""A grade stated in brackets must be the recommendation's own; its words are not looked for in the text."""

from __future__ import annotations

import pytest

from agent.gate import WithheldReason

from .test_gate_paraphrases import verdict

TEXT = "The group recommends screening for example disease in adults."
SAYS = "Adults should be screened for example disease"


@pytest.mark.parametrize(
    ("remark", "strength"),
    [
        ("(Grade B recommendation)", "Grade B"),
        ("(B recommendation)", "Grade B"),
        ("[grade B]", "B recommendation"),
        ("(strong recommendation)", "Strong For"),
        ("(strong recommendation, moderate-quality evidence)", "Strong recommendation, moderate-quality evidence"),
    ],
)
def test_its_own_grade_may_be_stated(remark: str, strength: str) -> None:
    assert verdict(f"{SAYS} {remark}.", TEXT, strength, title="Example").shown


def test_conditional_is_another_word_for_weak() -> None:
    text = "The group suggests screening for example disease."
    assert verdict(f"{text[:-1]} (conditional recommendation).", text, "Weak For", title="Example").shown


@pytest.mark.parametrize(
    ("remark", "strength"),
    [
        ("(Grade A)", "Grade B"),
        ("(C recommendation)", "Grade B"),
        ("(weak recommendation)", "Strong For"),
        ("(strong recommendation)", "Weak For"),
        ("(strong recommendation against)", "Strong For"),
        ("(strong against)", "Strong recommendation for"),
    ],
)
def test_another_grade_is_withheld(remark: str, strength: str) -> None:
    found = verdict(f"{SAYS} {remark}.", TEXT, strength, title="Example")
    assert (found.shown, found.reason) == (False, WithheldReason.STRENGTH_DIFFERS)


@pytest.mark.parametrize(
    ("remark", "strength"),
    [
        ("(I statement)", "Class I"),
        ("(strong, low-quality evidence)", "Strong, very low-quality evidence"),
        ("(strong recommendation against)", "Strong"),
    ],
)
def test_what_is_of_another_scheme_is_no_grade_of_this_one(remark: str, strength: str) -> None:
    assert not verdict(f"{SAYS} {remark}.", TEXT, strength, title="Example").shown


def test_a_grade_where_the_recommendation_has_none_is_withheld() -> None:
    assert not verdict(f"{SAYS} (Grade B).", TEXT, None, title="Example").shown


def test_brackets_that_are_no_grade_are_words_like_others() -> None:
    assert not verdict(f"{SAYS} (Grade B, if over 50 years).", TEXT, "Grade B", title="Example").shown
    assert not verdict(f"{SAYS} (unless pregnant).", TEXT, "Grade B", title="Example").shown
