"""Figures are ratios of sums, differences are on the same questions, and what did not occur has none."""

from __future__ import annotations

import pytest

from eval.agent.comparing import ModelTallies, compare, groups_of, summed
from eval.agent.questions import AgentQuestion
from eval.agent.report import Figure
from eval.agent.scoring import Tally


def questions(count: int) -> list[AgentQuestion]:
    return [AgentQuestion(str(i), str(i), None, None, None, None, i % 2 == 0) for i in range(count)]


def figures(name: str, *models: dict[str, Tally]) -> tuple[Figure, ...]:
    """Each model's tallies are given once and held for every one of 40 questions."""
    asked = questions(40)
    tallies = [
        {question.key: {name: model[question.key]} if question.key in model else {} for question in asked}
        for model in models
    ]
    times = [{question.key: [1.0] for question in asked} for _ in models]
    return compare("all", asked, tallies, times).figures[name]


def test_a_share_of_sentences_is_a_ratio_of_sums_and_not_a_mean_of_shares() -> None:
    model = {str(i): Tally(1, 1) if i % 2 else Tally(0, 9) for i in range(40)}
    (figure,) = figures("withheld", model)
    assert figure.estimate is not None
    assert figure.estimate.mean == pytest.approx(20 / 200)
    assert figure.of == 200
    assert figure.estimate.low < 0.1 < figure.estimate.high
    assert figure.minus_first is None


def test_differences_are_paired() -> None:
    first = {str(i): Tally(i % 2, 1) for i in range(40)}
    better = {str(i): Tally(1, 1) for i in range(40)}
    one, same, three = figures("gold_cited", first, dict(first), better)
    assert one.minus_first is None
    assert same.minus_first is not None
    assert (same.minus_first.low, same.minus_first.high) == (0, 0), "the same runs cannot differ by chance"
    assert three.minus_first is not None
    assert three.minus_previous is not None
    assert three.minus_first.mean == three.minus_previous.mean == pytest.approx(0.5)
    assert three.minus_first.excludes_zero


def test_what_never_occurred_has_no_figure_and_no_difference() -> None:
    first, second = figures("must_have", {}, {str(i): Tally(1, 2) for i in range(40)})
    assert first.estimate is None
    assert second.estimate is not None
    assert second.minus_first is None


def test_repetitions_of_a_question_are_one_unit() -> None:
    added = summed([{"a": Tally(1, 2)}, {"a": Tally(0, 3), "b": Tally(1, 1)}])
    assert added == {"a": Tally(1, 5), "b": Tally(1, 1)}


def test_times_are_quantiles_of_runs_with_intervals() -> None:
    asked = questions(20)
    slow = {question.key: [10.0 * (i + 1), 10.0 * (i + 1)] for i, question in enumerate(asked)}
    quick = {key: [time / 10 for time in times] for key, times in slow.items()}
    none: list[ModelTallies] = [{question.key: {} for question in asked}] * 2
    group = compare("all", asked, none, [slow, quick])
    median, p95 = group.figures["latency_p50"], group.figures["latency_p95"]
    assert median[0].estimate is not None
    assert p95[0].estimate is not None
    assert median[0].estimate.mean == 100.0
    assert p95[0].estimate.mean == 190.0
    assert median[0].of == 40
    assert median[1].minus_first is not None
    assert median[1].minus_first.mean == pytest.approx(-90.0)
    assert median[1].minus_first.high < 0


def test_real_and_built_questions_are_groups_and_nobody_is_in_an_unknown_one() -> None:
    unknown = AgentQuestion("x", "x", None, None, None, None, None)
    found = groups_of([*questions(3), unknown])
    assert {name: len(members) for name, members in found.items()} == {"all": 4, "real": 2, "built": 1}
