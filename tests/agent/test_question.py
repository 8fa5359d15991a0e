"""If cleaning is wrong, a question in another script is refused, or a hostile one gets through (issue: bad input)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import MAX_QUESTION_CHARS, Question, QuestionError, clean_question
from agent.question import has_control_characters


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "question_empty"),
        (" \t\n  ", "question_empty"),
        (" " * 200_000, "question_empty"),
        ("?!...", "question_empty"),
        ("\u200b\u200d", "question_empty"),
        ("a" * 200_000, "question_too_long"),
        ("a" * (MAX_QUESTION_CHARS + 1), "question_too_long"),
        ("dose\x00 of aspirin", "question_control_characters"),
        ("dose\x1b[31m of aspirin", "question_control_characters"),
        ("dose\x85 of aspirin", "question_control_characters"),
        ("dose \ud800 of aspirin", "question_control_characters"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_question_that_cannot_be_asked_is_refused_with_a_stable_code(text: str, code: str) -> None:
    with pytest.raises(QuestionError) as caught:
        clean_question(text)
    assert caught.value.code == code
    assert len(str(caught.value)) < 200, "the message must not repeat the question"
    assert "ask" in str(caught.value), "it says what to do"


@pytest.mark.parametrize(
    "text",
    [
        "ما هي جرعة الأموكسيسيلين للبالغين؟",
        "מהו הטיפול בדלקת ריאות?",
        "دوز آموکسی‌سیلین",
        "成人社区获得性肺炎的一线抗生素是什么？",
        "निमोनिया का पहला इलाज क्या है?",
        "Fever 🤒 in a family 👨‍👩‍👧, what now?",
        "Dose: 5\u00a0mg × 2?\nWeight 60 kg",
        "a" * MAX_QUESTION_CHARS,
    ],
)
def test_any_script_is_asked_as_it_was_typed(text: str) -> None:
    assert clean_question(text) == text
    assert clean_question(f"  {text}\r\n") == text


@given(st.text(max_size=100))
def test_cleaning_twice_changes_nothing_and_fails_only_in_one_way(text: str) -> None:
    try:
        cleaned = clean_question(text)
    except QuestionError:
        return
    assert clean_question(cleaned) == cleaned
    assert Question(text=cleaned).task_key == Question(text=cleaned).task_key
    assert Question(text=cleaned).task_key != Question(text=cleaned + " more").task_key


def test_control_characters_are_those_of_unicode_but_line_breaks_and_tabs() -> None:
    for number in range(0x30000):
        character = chr(number)
        control = unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t\r"
        assert has_control_characters(f"a{character}b") is control, f"U+{number:04X}"
