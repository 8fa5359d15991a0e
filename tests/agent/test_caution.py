"""Caution: plain signs of the evidence weigh beside the model's log-odds of answering."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.caution import Caution, Signs
from agent.sufficiency import signs_of
from retrieval import Hit

from .conftest import hit

FITTED = Caution(constant=11.0, nearest=14.0, first=5.0)


def near(text: str, cosine: float | None, relevance: float | None = 0.9) -> Hit:
    return hit(text).model_copy(update={"cosine": cosine, "relevance": relevance})


def test_the_nearer_the_evidence_and_the_more_it_holds_the_readier_the_answer() -> None:
    weak, nearer, fuller = Signs(nearest=0.5, first=0.2), Signs(nearest=0.7, first=0.2), Signs(nearest=0.5, first=1.0)
    assert FITTED.lean(weak) == pytest.approx(14 * 0.5 + 5 * 0.2 - 11)
    assert FITTED.lean(weak) < min(FITTED.lean(nearer), FITTED.lean(fuller))


def test_where_the_signs_are_not_known_the_constant_alone_says_nothing() -> None:
    """With an encoder whose cosines mean something else, a constant fitted beside them would decline everything."""
    assert FITTED.lean(None) == 0.0
    assert Caution(constant=1.5).lean(None) == -1.5
    assert Caution(constant=1.5).lean(Signs(nearest=0.9, first=1.0)) == -1.5


def test_a_number_in_a_card_of_before_is_the_constant() -> None:
    assert Caution.model_validate(1.5) == Caution(constant=1.5)
    assert Caution.model_validate_json("2") == Caution(constant=2)
    assert not Caution.model_validate(0.0)
    assert FITTED
    with pytest.raises(ValidationError):
        Caution.model_validate({"constant": 1, "rerank": 2})


def test_people_read_what_is_taken_and_what_is_given_back() -> None:
    assert str(FITTED) == "11 - 14 x nearest - 5 x first"
    assert str(Caution(constant=0.5)) == "0.5"


def test_signs_are_of_all_hits_and_of_the_first_passage_given() -> None:
    hits = [near("Give gentamicin.", 0.5), near("Give furosemide.", 0.7)]
    signs = signs_of("Gentamicin and furosemide?", hits, hits[:1])
    assert signs == Signs(nearest=0.7, first=0.5)


def test_without_evidence_or_known_cosines_there_are_none() -> None:
    assert signs_of("Gentamicin?", [near("Give gentamicin.", 0.5)], []) is None
    unknown = [near("Give gentamicin.", 0.5, relevance=None)]
    assert signs_of("Gentamicin?", unknown, unknown) is None


def test_of_several_searches_the_best_of_each_sign_counts() -> None:
    first, second = Signs(nearest=0.7, first=0.2), Signs(nearest=0.5, first=1.0)
    assert second.best_of(first) == Signs(nearest=0.7, first=1.0)
    assert first.best_of(None) == first
