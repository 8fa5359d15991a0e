"""The relevance floor: what lies below it, and that it is silent where it was not fitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import HashingEncoder, HybridSearcher, MemoryCorpus, SearchRequest, relevance_for
from retrieval.index import store_points
from retrieval.relevance import FEATURES, FULL_COVERAGE, LISTED, Asked, RelevanceModel, packaged_relevance
from retrieval.searched_text import dense_text
from retrieval.stores import ExactStore
from retrieval.tokens import tokenise
from tests.agent.conftest import entries

UNIT = st.floats(-1, 1)


def model(floor: float) -> RelevanceModel:
    return RelevanceModel(
        schema="relevance.v1",
        encoder="hashing",
        weights={"cosine": 2.0, "cosine_behind_best": -1.0, "coverage": 3.0},
        bias=-3.0,
        floor=floor,
    )


def searcher(floor: float | None) -> HybridSearcher:
    encoder, held = HashingEncoder(), entries()
    pairs = [(passage, entry.document) for entry in held for passage in entry.passages]
    points = store_points(pairs, encoder.encode_passages([dense_text(passage) for passage, _ in pairs]))
    relevance = None if floor is None else model(floor)
    return HybridSearcher(ExactStore(points), encoder, MemoryCorpus(held), relevance=relevance)


def search(floor: float | None, *queries: str) -> list[tuple[str, float | None, bool]]:
    hits = searcher(floor).search(SearchRequest(queries=queries, limit=5)).hits
    return [(hit.passage.id, hit.relevance, hit.below_floor) for hit in hits]


def test_a_hit_that_shares_the_questions_words_is_likelier_than_one_that_does_not() -> None:
    found = {name: relevance for name, relevance, _ in search(0.5, "nitrofurantoin for lower urinary tract infection")}
    on_subject, off_subject = found["lower-urinary-tract-infection/1"], found["acute-asthma/1"]
    assert on_subject is not None
    assert off_subject is not None
    assert on_subject > off_subject


@pytest.mark.parametrize(("floor", "below"), [(0.0, False), (1.0, True)])
def test_the_floor_marks_and_removes_nothing(floor: float, below: bool) -> None:
    marked = search(floor, "acute asthma salbutamol")
    assert {flag for _, _, flag in marked} == {below}
    assert [name for name, _, _ in marked] == [name for name, _, _ in search(None, "acute asthma salbutamol")]


def test_a_result_that_holds_something_is_shown_whole() -> None:
    found = search(0.5, "nitrofurantoin for lower urinary tract infection")
    likely = [relevance for _, relevance, _ in found if relevance is not None]
    assert min(likely) < 0.5 < max(likely)
    assert not any(below for _, _, below in found)


@given(st.lists(st.floats(0, 1), max_size=20), st.floats(0, 1))
def test_a_result_is_below_the_floor_when_none_of_its_first_hits_reaches_it(likely: list[float], floor: float) -> None:
    assert model(floor).below_floor(likely) == (not any(item >= floor for item in [*likely[:LISTED], 0.0]))


DETAILS = "78 year old retired teacher lives alone brought by her daughter on Tuesday morning after breakfast"


def test_a_case_history_is_not_less_covered_for_the_details_it_adds() -> None:
    entry = entries()[0]
    short = "nitrofurantoin trimethoprim lower urinary tract infection women dose days"
    assert len(set(tokenise(short))) >= FULL_COVERAGE
    leg = ((entry.passages[0].id, 0.5),)
    alone = Asked(short, leg).features(entry.passages[0], entry.document)["coverage"]
    told = Asked(f"{DETAILS}. {short}", leg).features(entry.passages[0], entry.document)["coverage"]
    assert 0 < alone <= told <= 1


def test_hits_are_judged_by_the_clinicians_words_and_not_by_the_models() -> None:
    alone = {name: relevance for name, relevance, _ in search(0.5, "nitrofurantoin dose")}
    both = {name: relevance for name, relevance, _ in search(0.5, "nitrofurantoin dose", "acute asthma")}
    assert both["lower-urinary-tract-infection/1"] == pytest.approx(alone["lower-urinary-tract-infection/1"])


def test_without_a_model_no_hit_is_judged() -> None:
    assert {(relevance, below) for _, relevance, below in search(None, "asthma")} == {(None, False)}


def test_the_packaged_model_is_for_its_encoder_alone() -> None:
    packaged = packaged_relevance()
    assert relevance_for(packaged.encoder) == packaged
    assert relevance_for("another-encoder") is None
    assert set(packaged.weights) == set(FEATURES)
    assert 0 < packaged.floor < 0.5
    assert packaged.weights["cosine"] > 0
    assert packaged.weights["coverage"] > 0
    # Says what it was fitted on and what it does there.
    assert "guidelines-dev" in packaged.fitted


@given(UNIT, st.floats(0, 2), st.floats(0, 1))
def test_a_probability_is_one_and_rises_with_coverage(cosine: float, behind: float, coverage: float) -> None:
    at = model(0.5).probability({"cosine": cosine, "cosine_behind_best": behind, "coverage": coverage})
    full = model(0.5).probability({"cosine": cosine, "cosine_behind_best": behind, "coverage": 1.0})
    assert 0 < at <= full < 1


def test_a_passage_the_dense_leg_does_not_hold_counts_as_near_as_its_last() -> None:
    first, *_ = entries()
    passage = first.passages[0]
    other = first.passages[1].id
    features = Asked("nitrofurantoin", ((other, 0.7), (entries()[1].passages[0].id, 0.3))).features(
        passage, first.document
    )
    assert features["cosine"] == pytest.approx(0.3)
    assert features["cosine_behind_best"] == pytest.approx(0.4)
    assert features["coverage"] == 1.0


def test_a_passage_found_by_a_predicted_query_is_on_the_subject_though_its_words_are_far() -> None:
    first, *_ = entries()
    passage = first.passages[0]
    asked = Asked("nitrofurantoin", ((passage.id, 0.3), (first.passages[1].id, 0.5)))
    alone = asked.features(passage, first.document)
    found = asked.features(passage, first.document, 0.9)
    assert found["cosine"] == pytest.approx(0.75)
    assert found["cosine_behind_best"] == 0.0
    assert model(0.5).probability(found) > model(0.5).probability(alone)
    assert asked.features(passage, first.document, 0.2) == alone
