"""If these fail, the words a clinician types do not meet the words of the guideline."""

from __future__ import annotations

import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.tokens import tokenise


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("500mg", ["500", "mg"]),
        ("500 MG", ["500", "mg"]),
        ("7.5 mg/kg", ["7.5", "mg", "kg"]),
        ("5.0", ["5"]),
        ("0.50", ["0.5"]),
        ("1,000 units", ["1000", "unit"]),
        ("1,2", ["1", "2"]),
        ("HbA1c", ["hba1c"]),
        ("CHA2DS2-VASc", ["cha2ds2", "vasc"]),
        ("Crohn’s disease", ["crohn", "diseas"]),
        ("Ménière", ["menier"]),
        ("Meniere", ["menier"]),
        ("ﬁbrillation", ["fibril"]),
        ("no antibiotics", ["no", "antibiot"]),
        ("not without", ["not", "without"]),
        ("type 2", ["type", "2"]),
        ("The of and", []),
        ("", []),
        ("  \n\t .,;", []),
    ],
)
def test_numbers_units_accents_and_negations_survive(text: str, terms: list[str]) -> None:
    assert tokenise(text) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("ضغط الدم المرتفع", 3),  # Arabic: words
        ("लक्षण बुखार", 2),  # Hindi: vowel signs belong to the word
        ("高血压治疗", 4),  # Chinese: pairs of characters
        ("гипертония", 1),
        ("ความดัน", 6),  # Thai
        ("דלקת ריאות", 2),
    ],
)
def test_questions_in_other_scripts_give_terms(text: str, terms: int) -> None:
    assert len(tokenise(text)) == terms


def test_chinese_words_match_inside_a_sentence_without_spaces() -> None:
    assert set(tokenise("高血压")) <= set(tokenise("成人高血压的治疗"))


@given(st.text(max_size=200))
def test_any_text_is_tokenised_and_case_or_composition_never_matters(text: str) -> None:
    terms = tokenise(text)
    assert all(term and not term.isspace() for term in terms)
    assert tokenise(unicodedata.normalize("NFD", text)) == tokenise(unicodedata.normalize("NFC", text))


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_capital_letters_never_matter(text: str) -> None:
    assert tokenise(text.upper()) == tokenise(text.lower())


def test_threads_tokenise_alike() -> None:
    """Searches run in threads, and the stemmer underneath is not safe to share."""
    text = "hypertensive emergencies requiring intravenous treatment " * 50
    expected, results = tokenise(text), []
    threads = [threading.Thread(target=lambda: results.append(tokenise(text))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8
