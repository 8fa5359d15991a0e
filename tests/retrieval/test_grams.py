"""If these fail, related words stop finding each other, or one dose is taken for part of another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.grams import GRAM_LENGTH, grams, word_grams


@pytest.mark.parametrize(
    ("one", "other"),
    [("haemoglobin", "hemoglobin"), ("hypercholesterolaemia", "cholesterol"), ("oedema", "edematous")],
)
def test_related_words_share_grams(one: str, other: str) -> None:
    assert set(word_grams(one)) & set(word_grams(other))


@pytest.mark.parametrize(("one", "other"), [("500", "5000"), ("2.5", "12.5"), ("b12", "b1")])
def test_a_number_is_compared_whole(one: str, other: str) -> None:
    assert not set(grams(one)) & set(grams(other))


def test_stop_words_have_no_grams() -> None:
    assert grams("what is the dose") == grams("dose") == ["^dos", "dose", "ose$"]


@given(st.from_regex(r"[a-z]{1,20}", fullmatch=True))
def test_grams_overlap_and_cover_the_word(word: str) -> None:
    parts = word_grams(word)
    rebuilt = parts[0] + "".join(part[GRAM_LENGTH - 1 :] for part in parts[1:])
    assert rebuilt == f"^{word}$"
