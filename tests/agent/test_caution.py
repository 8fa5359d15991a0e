"""Caution: plain signs of the evidence weigh beside the model's log-odds of answering."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.caution import Caution, Signs, Weights
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


def test_a_predicted_query_counts_by_how_much_nearer_it_is_than_any_passage() -> None:
    hits = [near("Give gentamicin.", 0.5).model_copy(update={"predicted_cosine": 0.8}), near("Give furosemide.", 0.7)]
    signs = signs_of("Gentamicin and furosemide?", hits, hits[:1])
    assert signs is not None
    assert signs.predicted == pytest.approx(0.1)
    weighed = FITTED.model_copy(update={"predicted": 4.0})
    assert weighed.lean(signs) == pytest.approx(FITTED.lean(signs) + 0.4)
    assert str(weighed) == "11 - 14 x nearest - 5 x first - 4 x predicted"


JUDGED = Caution(constant=4.0, nearest=2.0, margin=0.5, unjudged=Weights(constant=3.0, nearest=1.0))


def test_what_the_reranker_judges_weighs_and_where_it_judged_nothing_other_weights_do() -> None:
    sign = Signs(nearest=0.5, first=0.0)
    assert JUDGED.lean(sign.model_copy(update={"margin": 3.0})) == pytest.approx(1.0 + 1.5 - 4.0)
    assert JUDGED.lean(sign.model_copy(update={"margin": -3.0})) == pytest.approx(1.0 - 1.5 - 4.0)
    assert JUDGED.lean(sign) == pytest.approx(0.5 - 3.0)
    assert JUDGED.model_copy(update={"unjudged": None}).lean(sign) == pytest.approx(1.0 - 4.0)
    assert str(JUDGED) == "4 - 2 x nearest - 0.5 x margin; where no reranker judged: 3 - 1 x nearest"
    assert Caution.model_validate_json(JUDGED.model_dump_json()) == JUDGED


def test_the_margin_is_the_largest_of_what_became_evidence() -> None:
    best, other, left_out = (near("Give gentamicin.", 0.5) for _ in range(3))
    best, other = (item.model_copy(update={"rerank_margin": margin}) for item, margin in ((best, 1.5), (other, -2.0)))
    left_out = left_out.model_copy(update={"rerank_margin": 9.0})
    signs = signs_of("Gentamicin?", [best, other, left_out], [other, best])
    assert signs is not None
    assert signs.margin == 1.5


def test_without_evidence_or_known_cosines_there_are_none() -> None:
    assert signs_of("Gentamicin?", [near("Give gentamicin.", 0.5)], []) is None
    unknown = [near("Give gentamicin.", 0.5, relevance=None)]
    assert signs_of("Gentamicin?", unknown, unknown) is None


def test_of_several_searches_the_one_that_shows_most_counts() -> None:
    """A guideline that the reranker found wanting must not speak against a leaflet that answers."""
    wanting, leaflet = Signs(nearest=0.7, first=0.2, margin=-3.0), Signs(nearest=0.8, first=1.0)
    for searches in ([wanting, leaflet], [leaflet, wanting]):
        assert JUDGED.lean_after(searches) == JUDGED.lean(leaflet) > JUDGED.lean(wanting)
    assert JUDGED.lean_after([]) == 0.0
    assert Caution(constant=1.5).lean_after([]) == -1.5
