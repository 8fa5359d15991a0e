"""If these fail, sentences cannot be put together again, or a publisher's sentence is kept in the project."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.entailment.edits import LEAST_RUN, edits_of, sentence_of
from training.errors import TrainingDataError

_WORDS = st.lists(
    st.sampled_from(["give", "zorblaxin", "5", "mg", "to", "adults", "with", "fever.", "not"]), max_size=30
)


def test_a_run_of_the_statements_words_is_named_by_its_place() -> None:
    statement = "Offer zorblaxin 500 mg twice daily to adults with quibbling."
    edits = edits_of("Adults with quibbling are offered zorblaxin 500 mg twice daily.", statement)
    assert edits == ("Adults with quibbling are offered", (1, 5), "daily.")
    moved = edits_of("To adults with quibbling. Offer zorblaxin 500 mg", statement)
    assert moved == ("To", (7, 10), (0, 4))


@given(_WORDS, _WORDS)
def test_a_sentence_comes_back_word_for_word(sentence: list[str], statement: list[str]) -> None:
    ours, theirs = " ".join(sentence), " ".join(statement)
    assert sentence_of(edits_of(ours, theirs), theirs) == ours


@given(_WORDS)
def test_of_a_copied_statement_no_word_is_kept(statement: list[str]) -> None:
    text = " ".join(statement)
    if len(statement) >= LEAST_RUN:
        assert edits_of(text, text) == ((0, len(statement)),)


def test_another_statement_is_refused() -> None:
    with pytest.raises(TrainingDataError):
        sentence_of(((0, 9),), "too short")
