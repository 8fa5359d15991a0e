"""If words are read wrongly, a rule is avoided with a look-alike letter, or blocks a question about skills."""

from __future__ import annotations

import pytest

from agent.policy.phrases import PhraseError, compiled, meant
from agent.policy.words import plain_sentences

KILL = ("kill myself",)


@pytest.mark.parametrize(
    "question",
    [
        "kill myself",
        "KILL  MYSELF!",
        "kill\nmyself",
        "kill-myself",
        "\uff4b\uff49\uff4c\uff4c myself",  # full-width letters
        "k1ll mys3lf",
        "k\u0456ll mys\u0435lf",  # Cyrillic letters inside Latin words
        "ki\u200bll my\u00adself",  # characters nobody sees
        "k\u0301ill m\u00fdself",  # accents
        "k i l l  m y s e l f",
        "k.i.l.l  m.y.s.e.l.f",
        "I read the leaflet. Now I will kill myself.",
    ],
)
def test_however_it_is_written_it_is_the_same_words(question: str) -> None:
    assert any(meant(KILL, sentence) for sentence in plain_sentences(question))


@pytest.mark.parametrize(
    "question",
    [
        "skill myself",
        "kill. Myself",  # another sentence
        "I would never kill myself",
        "I do not want to kill myself",
        "painkiller for myself",
        "",
        "؟",
        "убить себя",
    ],
)
def test_what_only_looks_alike_is_not_found(question: str) -> None:
    assert not any(meant(KILL, sentence) for sentence in plain_sentences(question))


def test_numbers_and_clinical_names_stay_what_they_are() -> None:
    (sentence,) = plain_sentences("Vitamin B12 0.5 mg, T4 and H1N1, 10mg/5ml?")
    assert sentence.startswith(" vitamin b12 0.5 mg t4 and h")
    assert sentence.endswith(" 10mg 5ml ")


@pytest.mark.parametrize(
    ("phrase", "sentence", "found"),
    [
        ("how ... die", " how can i die ", True),
        ("how ... die", " how a b c d e f die ", True),
        ("how ... die", " how a b c d e f g die ", False),  # six words at most
        ("how ... die", " how can i not die ", False),  # over no negation
        ("my? dose", " dose ", True),
        ("poison*", " poisoning ", True),
        ("poison", " poisoning ", False),
        ("my_wife|husband dies", " my wife dies ", True),
        ("my_wife|husband dies", " wife dies ", False),
        ("die", " i would not want him to die ", True),  # four words after the negation
        ("die", " i want not to die ", False),
    ],
)
def test_phrases_mean_what_the_file_says(phrase: str, sentence: str, found: bool) -> None:
    assert meant((phrase,), sentence) is found


@pytest.mark.parametrize("phrase", ["", "...", "my?", "... kill", "kill ...", "kill |", "(kill)+ *x", "*"])
def test_a_phrase_that_is_none_is_refused(phrase: str) -> None:
    """An organisation's typing error must not become a rule that matches everything, or nothing."""
    with pytest.raises(PhraseError):
        compiled(phrase)
