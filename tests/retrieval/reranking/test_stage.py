"""If these fail, a search waits longer than its operator allowed, or shows an order that is half of two rankings."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import RerankerError
from retrieval.reranking import RerankSettings, RerankStage, ScriptedReranker

_TEXTS = ("asthma in adults", "gout in adults", "gout flare treated with colchicine", "migraine")
_FIRST = (4.0, 3.0, 2.0, 1.0)
_QUERY = "colchicine for a gout flare"


class FakeClock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FixedReranker:
    """Scores given beforehand, by passage."""

    name = "fixed"
    fingerprint = "fixed-1"

    def __init__(self, scores: dict[str, float]) -> None:
        self._scores = scores

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        return [self._scores[passage] for passage in passages]


def stage(**settings: object) -> RerankStage:
    return RerankStage(ScriptedReranker(), RerankSettings.model_validate({"deadline_ms": 60_000, **settings}))


def test_the_reranker_changes_the_order() -> None:
    with closing(stage(weight=5)) as made:
        result = made.order(_QUERY, _TEXTS, _FIRST)
    assert result.order[:2] == (2, 1)
    assert result.why is None
    assert result.scores is not None
    assert len(result.scores) == len(_TEXTS)


def test_a_weight_of_nothing_leaves_the_fused_order() -> None:
    with closing(stage(weight=0)) as made:
        assert made.order(_QUERY, _TEXTS, _FIRST).order == (0, 1, 2, 3)


def test_candidates_beyond_the_limit_stay_where_they_were() -> None:
    with closing(stage(weight=100, candidates=2)) as made:
        result = made.order(_QUERY, _TEXTS, _FIRST)
    assert result.order == (1, 0, 2, 3)
    assert result.scores is not None
    assert len(result.scores) == 2


@pytest.mark.parametrize("count", [0, 1])
def test_with_fewer_than_two_candidates_there_is_nothing_to_order(count: int) -> None:
    with closing(stage()) as made:
        result = made.order(_QUERY, _TEXTS[:count], _FIRST[:count])
    assert (result.order, result.scores, result.why) == (tuple(range(count)), None, "few")


def test_the_clock_is_looked_at_between_parts_and_a_late_ranking_is_dropped_whole() -> None:
    clock, parts = FakeClock(), []

    def slow(passages: int) -> None:
        parts.append(passages)
        clock.now += 0.03

    settings = RerankSettings(deadline_ms=50, batch=1)
    with closing(RerankStage(ScriptedReranker(slow), settings, clock=clock)) as made:
        result = made.order(_QUERY, _TEXTS, _FIRST)
    assert (result.order, result.scores, result.why) == ((0, 1, 2, 3), None, "deadline")
    assert parts == [1, 1]  # after 60 of 50 ms no third part was begun


def test_a_last_part_that_ends_after_the_deadline_is_too_late() -> None:
    clock = FakeClock()

    def slow(_: int) -> None:
        clock.now += 0.06

    with closing(RerankStage(ScriptedReranker(slow), RerankSettings(deadline_ms=50), clock=clock)) as made:
        assert made.order(_QUERY, _TEXTS, _FIRST).why == "deadline"


@pytest.fixture
def stuck() -> Iterator[tuple[threading.Event, threading.Event]]:
    begun, release = threading.Event(), threading.Event()
    yield begun, release
    release.set()


def test_a_reranker_that_never_returns_does_not_hold_the_search_up(
    stuck: tuple[threading.Event, threading.Event],
) -> None:
    begun, release = stuck

    def wait(_: int) -> None:
        begun.set()
        release.wait()

    with closing(RerankStage(ScriptedReranker(wait), RerankSettings(deadline_ms=20))) as made:
        result = made.order(_QUERY, _TEXTS, _FIRST)
        assert not release.is_set()  # so it came back while the reranker was still at it
        assert (result.order, result.why) == ((0, 1, 2, 3), "deadline")
        assert result.ms >= 20
        # The next search finds the worker taken and comes back as well.
        assert made.order(_QUERY, _TEXTS, _FIRST).why == "deadline"


def test_after_a_late_result_the_next_search_gets_its_own() -> None:
    begun, release = threading.Event(), threading.Event()

    def first_waits(_: int) -> None:
        if not begun.is_set():
            begun.set()
            release.wait()

    with closing(RerankStage(ScriptedReranker(first_waits), RerankSettings(deadline_ms=5_000, weight=5))) as made:
        late = threading.Thread(target=made.order, args=("asthma", _TEXTS, _FIRST))
        late.start()
        assert begun.wait(5)
        release.set()
        assert made.order(_QUERY, _TEXTS, _FIRST).order[0] == 2
        late.join()


@pytest.mark.parametrize(
    "error",
    [
        RerankerError("The weights cannot be read."),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("too many tokens"),
        MemoryError(),
        OSError("damaged"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_reranker_that_fails_leaves_the_fused_order(error: Exception) -> None:
    def fail(_: int) -> None:
        raise error

    with closing(RerankStage(ScriptedReranker(fail), RerankSettings(deadline_ms=60_000))) as made:
        result = made.order(_QUERY, _TEXTS, _FIRST)
    assert (result.order, result.scores, result.why) == ((0, 1, 2, 3), None, "failed")


def test_a_score_that_is_no_number_orders_nothing() -> None:
    bad = FixedReranker({text: float("nan") for text in _TEXTS})
    with closing(RerankStage(bad, RerankSettings(deadline_ms=60_000))) as made:
        assert made.order(_QUERY, _TEXTS, _FIRST).why == "failed"


def test_after_closing_a_search_still_answers_in_fused_order() -> None:
    made = stage()
    made.close()
    made.close()
    result = made.order(_QUERY, _TEXTS, _FIRST)
    assert (result.order, result.why) == ((0, 1, 2, 3), "off")


_SCORES = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(st.tuples(_SCORES, _SCORES), min_size=2, max_size=30), st.integers(1, 7))
def test_every_candidate_stays_once_and_scores_come_back_in_its_place(
    pairs: list[tuple[float, float]], batch: int
) -> None:
    texts = [f"{'x' * (number % 5)}{number}" for number in range(len(pairs))]
    given_scores = dict(zip(texts, (second for _, second in pairs), strict=True))
    settings = RerankSettings(deadline_ms=60_000, batch=batch)
    with closing(RerankStage(FixedReranker(given_scores), settings)) as made:
        result = made.order("q", texts, [first for first, _ in pairs])
    assert sorted(result.order) == list(range(len(pairs)))
    assert result.scores == tuple(given_scores[text] for text in texts)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20, unique=True))
def test_two_stages_that_agree_are_not_changed(scores: list[float]) -> None:
    first = sorted(scores, reverse=True)
    texts = [str(number) for number in range(len(first))]
    agreeing = FixedReranker(dict(zip(texts, first, strict=True)))
    with closing(RerankStage(agreeing, RerankSettings(deadline_ms=60_000))) as made:
        assert made.order("q", texts, first).order == tuple(range(len(first)))
