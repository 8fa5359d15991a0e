"""If these fail, the published figures are wrong, whatever the search does."""

from __future__ import annotations

import importlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.retrieval.measures import MEASURES, all_measures, judged, ndcg, recall, reciprocal_rank

# The worked example of "Discounted cumulative gain" in Wikipedia: six documents judged 3 2 3 0 1 2, in a collection
# that also has one judged 3 and one judged 2; DCG 6.861, ideal DCG 8.740, nDCG 0.785.
PUBLISHED = {"d1": 3, "d2": 2, "d3": 3, "d4": 0, "d5": 1, "d6": 2, "d7": 3, "d8": 2}

# Made-up rankings with what trec_eval gives for ndcg_cut_10, recall_5, recall_20, recip_rank at relevance level 2.
TREC_EVAL = [
    (
        "taqcbvghyoksjdimexrflpwu",
        {
            "b": 2,
            "e": 0,
            "f": 1,
            "g": 2,
            "h": 3,
            "o": 0,
            "p": 3,
            "q": 3,
            "r": 0,
            "s": 0,
            "u": 3,
            "v": 1,
            "x": 3,
            "z": 2,
        },
        (0.370712, 0.25, 0.625, 0.333333),
    ),
    (
        "sugvikcjyanm",
        {
            "a": 1,
            "b": 1,
            "c": 0,
            "d": 3,
            "e": 0,
            "g": 1,
            "h": 0,
            "i": 3,
            "j": 0,
            "k": 0,
            "q": 0,
            "r": 1,
            "w": 0,
            "y": 1,
        },
        (0.326188, 0.5, 0.5, 0.2),
    ),
    (
        "gfmtus",
        {
            "a": 0,
            "b": 1,
            "d": 3,
            "e": 0,
            "f": 0,
            "g": 1,
            "h": 1,
            "i": 1,
            "o": 1,
            "p": 0,
            "v": 0,
            "w": 3,
            "x": 2,
            "z": 1,
        },
        (0.124745, 0.0, 0.0, 0.0),
    ),
]

passages = st.integers(0, 30).map(lambda number: f"p{number:02d}")
rankings = st.lists(passages, unique=True, max_size=25)
judgements = st.dictionaries(passages, st.integers(0, 3), min_size=1).filter(lambda grades: any(grades.values()))


def test_ndcg_gives_the_published_worked_example() -> None:
    assert ndcg(["d1", "d2", "d3", "d4", "d5", "d6"], PUBLISHED, 6) == pytest.approx(0.785, abs=5e-4)


@pytest.mark.parametrize(("ranking", "grades", "expected"), TREC_EVAL)
def test_the_measures_are_those_of_trec_eval(
    ranking: str, grades: dict[str, int], expected: tuple[float, float, float, float]
) -> None:
    """Figures of another definition could not be compared with anyone's."""
    found = all_measures(list(ranking), grades, relevant_from=2)
    shown = (found["ndcg@10"], found["recall@5"], found["recall@20"], found["mrr@10"])
    assert shown == pytest.approx(expected, abs=1e-6)


def test_ndcg_of_a_hand_computed_ranking() -> None:
    """Gains 0, 1, 2 at ranks 1, 2, 3: DCG = 1/log2(3) + 2/2; the ideal is 2 + 1/log2(3)."""
    expected = (1 / math.log2(3) + 1) / (2 + 1 / math.log2(3))
    assert ndcg(["x", "a", "b"], {"a": 1, "b": 2}, 10) == pytest.approx(expected)


def test_recall_mrr_and_judged_of_a_hand_computed_ranking() -> None:
    ranking = ["n", "r1", "x", "r2"]
    relevant = frozenset({"r1", "r2", "r3"})
    assert recall(ranking, relevant, 2) == pytest.approx(1 / 3)
    assert recall(ranking, relevant, 100) == pytest.approx(2 / 3)
    assert reciprocal_rank(ranking, relevant, 10) == 0.5
    assert reciprocal_rank(ranking, relevant, 1) == 0.0
    assert judged(ranking, {"n": 0, "r1": 1, "r2": 1}, 4) == 0.75
    assert judged([], {"n": 0}, 10) == 0.0


def test_the_threshold_decides_what_recall_counts_but_not_what_ndcg_gains() -> None:
    """MEDIQA: an answer that is only related gains something in nDCG and is not a hit for recall."""
    both = all_measures(["related", "good"], {"related": 1, "good": 3}, relevant_from=2)
    assert both["recall@5"] == 1.0
    assert both["mrr@10"] == 0.5
    assert all_measures(["related"], {"related": 1, "good": 3}, relevant_from=2)["ndcg@10"] > 0


def test_nothing_is_scored_where_nothing_is_relevant() -> None:
    """A query without a relevant passage must be excluded by the caller, not counted as 0."""
    with pytest.raises(ValueError, match="above 0"):
        ndcg(["a"], {"a": 0}, 10)
    with pytest.raises(ValueError, match="relevant"):
        recall(["a"], frozenset(), 5)
    with pytest.raises(ValueError, match="relevant passage"):
        all_measures(["a"], {"a": 1}, relevant_from=2)


@pytest.mark.parametrize("k", [0, -1])
def test_a_cut_below_one_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ndcg(["a"], {"a": 1}, k)


def test_a_passage_found_twice_is_refused() -> None:
    """It would be counted twice and raise recall above 1."""
    with pytest.raises(ValueError, match="twice"):
        recall(["a", "a"], frozenset({"a"}), 5)


@given(rankings, judgements)
def test_every_measure_lies_between_0_and_1_and_deeper_recall_is_never_lower(
    ranking: list[str], grades: dict[str, int]
) -> None:
    values = all_measures(ranking, grades, 1)
    assert set(values) == set(MEASURES)
    assert all(0 <= value <= 1 for value in values.values())
    assert values["recall@5"] <= values["recall@20"] <= values["recall@100"]


@given(judgements)
def test_the_ideal_ranking_scores_1(grades: dict[str, int]) -> None:
    ideal = sorted(grades, key=lambda item: -grades[item])
    assert ndcg(ideal, grades, 10) == pytest.approx(1)


@given(rankings, judgements, st.data())
def test_moving_a_better_passage_up_never_lowers_ndcg(
    ranking: list[str], grades: dict[str, int], data: st.DataObject
) -> None:
    if len(ranking) < 2:
        return
    upper = data.draw(st.integers(0, len(ranking) - 2))
    if grades.get(ranking[upper], 0) > grades.get(ranking[upper + 1], 0):
        return
    swapped = [*ranking]
    swapped[upper], swapped[upper + 1] = swapped[upper + 1], swapped[upper]
    assert ndcg(swapped, grades, 10) >= ndcg(ranking, grades, 10) - 1e-12


@settings(deadline=None)  # the first call imports scikit-learn
@given(st.lists(st.integers(0, 3), min_size=2, max_size=20).filter(any), st.data())
def test_ndcg_is_what_scikit_learn_computes(gains: list[int], data: st.DataObject) -> None:
    metrics = importlib.import_module("sklearn.metrics")  # has no types; comes with the encoder
    names = [f"p{number}" for number in range(len(gains))]
    ranking = data.draw(st.permutations(names))
    scores = [-float(ranking.index(name)) for name in names]
    expected = float(metrics.ndcg_score([gains], [scores], k=10))
    assert ndcg(ranking, dict(zip(names, gains, strict=True)), 10) == pytest.approx(expected)


def test_the_public_names_are_there() -> None:
    package = importlib.import_module("eval.retrieval")
    assert all(hasattr(package, name) for name in package.__all__)
