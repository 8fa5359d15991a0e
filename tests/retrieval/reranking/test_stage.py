"""If these fail, a search waits longer than its operator allowed, or shows an order that is half of two rankings."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import RerankerError, SourceId
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
    assert [score is None for score in result.scores] == [False, False, True, True]


_SOURCES = [SourceId(name) for name in ("guidelines", "patient_information", "guidelines", "codes")]


def test_what_the_stage_is_not_for_keeps_its_place_and_gets_no_score() -> None:
    with closing(stage(weight=100)) as made:
        result = made.order(_QUERY, _TEXTS, _FIRST, _SOURCES)
        alone = made.order(_QUERY, [_TEXTS[0], _TEXTS[2]], [_FIRST[0], _FIRST[2]])
    assert result.order == (2, 1, 0, 3)
    assert alone.order == (1, 0)
    assert alone.scores is not None
    assert result.scores == (alone.scores[0], None, alone.scores[1], None)


def test_with_one_candidate_of_its_sources_nothing_is_scored() -> None:
    parts: list[int] = []
    settings = RerankSettings(deadline_ms=60_000, sources=(SourceId("codes"),))
    with closing(RerankStage(ScriptedReranker(parts.append), settings)) as made:
        result = made.order(_QUERY, _TEXTS, _FIRST, _SOURCES)
    assert (result.order, result.scores, result.why, parts) == ((0, 1, 2, 3), None, "few", [])


def test_no_sources_named_means_every_source() -> None:
    with closing(stage(weight=5, sources=())) as made:
        assert made.order(_QUERY, _TEXTS, _FIRST, _SOURCES).order == made.order(_QUERY, _TEXTS, _FIRST).order


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.booleans()), min_size=2, max_size=12), st.integers(2, 12)
)
def test_every_place_of_another_source_or_beyond_the_candidates_is_left_alone(
    candidates: list[tuple[float, float, bool]], count: int
) -> None:
    texts = [str(number) for number in range(len(candidates))]
    sources = [SourceId("guidelines" if own else "codes") for _, _, own in candidates]
    scores = {text: score for text, (_, score, _) in zip(texts, candidates, strict=True)}
    settings = RerankSettings(deadline_ms=60_000, candidates=count)
    with closing(RerankStage(FixedReranker(scores), settings)) as made:
        result = made.order("q", texts, [first for first, _, _ in candidates], sources)
    assert sorted(result.order) == list(range(len(candidates)))
    own = [place for place, source in enumerate(sources) if source == "guidelines"][:count]
    for place, at in enumerate(result.order):
        assert at in own if place in own else at == place


_KINDS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40)


@given(_KINDS, st.integers(2, 12), st.integers(0, 12), st.integers(2, 40))
def test_behind_the_first_only_recommendations_are_candidates(
    passages: list[tuple[bool, bool]], candidates: int, of_any_kind: int, depth: int
) -> None:
    settings = RerankSettings(candidates=candidates, of_any_kind=of_any_kind, depth=depth)
    recommends = [one for one, _ in passages]
    sources = [SourceId("guidelines" if own else "codes") for _, own in passages]
    taken = settings.candidates_of(recommends, sources)
    assert list(taken) == sorted(set(taken))
    assert len(taken) <= candidates
    assert all(at < depth and sources[at] == "guidelines" for at in taken)
    assert all(recommends[at] for at in taken[of_any_kind:])
    # Nothing that could be a candidate is passed over for one behind it.
    own = [at for at in range(min(depth, len(passages))) if sources[at] == "guidelines"]
    assert list(taken[:of_any_kind]) == own[: min(of_any_kind, candidates)]


def test_a_recommendation_far_down_comes_before_the_discussion_that_hid_it() -> None:
    texts = [*(f"discussion {number}" for number in range(5)), "colchicine for a gout flare"]
    with closing(stage(weight=100, of_any_kind=2)) as made:
        result = made.order(_QUERY, texts, [6, 5, 4, 3, 2, 1], None, [False] * 5 + [True])
    assert result.order[0] == 5
    assert result.scores is not None
    assert [score is None for score in result.scores] == [False, False, True, True, True, False]


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
