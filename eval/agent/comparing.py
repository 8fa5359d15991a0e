"""From tallies to figures: every model on the same questions, with paired bootstrap intervals over questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eval.agent.measures import MEASURE_NAMES
from eval.agent.questions import AgentQuestion
from eval.agent.report import Figure, Group
from eval.agent.scoring import Tally
from eval.retrieval.bootstrap import percentile_interval, resampled_counts, resampled_ratios
from eval.retrieval.report import Estimate
from training.questions import QuestionKind

#: Sums over the repetitions of a question.
QuestionTallies = Mapping[str, Tally]
#: Of one model: by key of the question.
ModelTallies = Mapping[str, QuestionTallies]
#: Of one model: milliseconds of every run, by key of the question.
Durations = Mapping[str, Sequence[float]]

#: Quantiles of the time of a run that are reported.
QUANTILES: Mapping[str, float] = {"latency_p50": 0.50, "latency_p95": 0.95}

_Samples = NDArray[np.float64]


def summed(repetitions: Sequence[Mapping[str, Tally]]) -> QuestionTallies:
    """Tallies of one question over its repetitions."""
    names = dict.fromkeys(name for scores in repetitions for name in scores)
    none = Tally(0.0, 0.0)
    return {
        name: Tally(
            float(sum(scores.get(name, none).over for scores in repetitions)),
            float(sum(scores.get(name, none).of for scores in repetitions)),
        )
        for name in names
    }


def groups_of(questions: Sequence[AgentQuestion]) -> dict[str, list[AgentQuestion]]:
    """All questions, then the real and the built ones, then each kind; a group nobody belongs to is left out."""
    tests: dict[str, Callable[[AgentQuestion], bool]] = {
        "all": lambda _: True,
        "real": lambda question: question.real is True,
        "built": lambda question: question.real is False,
    }
    found = {name: [question for question in questions if test(question)] for name, test in tests.items()}
    for kind in QuestionKind:
        found[f"kind {kind}"] = [question for question in questions if question.kind is kind]
    return {name: members for name, members in found.items() if members}


def compare(
    name: str,
    questions: Sequence[AgentQuestion],
    models: Sequence[ModelTallies],
    durations: Sequence[Durations],
    measures: Sequence[str] = MEASURE_NAMES,
) -> Group:
    """Figures of every model in these measures on these questions, which all of them have answered."""
    keys = [question.key for question in questions]
    columns = len(measures)
    over, of = np.zeros((len(keys), len(models) * columns)), np.zeros((len(keys), len(models) * columns))
    for place, tallies in enumerate(models):
        for row, key in enumerate(keys):
            for column, measure in enumerate(measures):
                if (tally := tallies[key].get(measure)) is not None:
                    over[row, place * columns + column] = tally.over
                    of[row, place * columns + column] = tally.of
    samples = resampled_ratios(over, of)
    totals = of.sum(axis=0)
    means = np.divide(over.sum(axis=0), totals, out=np.full_like(totals, np.nan), where=totals > 0)
    rests_on = (of > 0).sum(axis=0)
    figures = {}
    for column, measure in enumerate(measures):
        places = [place * columns + column for place in range(len(models))]
        figures[measure] = _figures(means[places], samples[:, places], totals[places], rests_on[places])
    for measure, quantile in QUANTILES.items():
        made = [_quantiles([times[key] for key in keys], quantile) for times in durations]
        values, resampled = np.array([value for value, _ in made]), np.stack([sample for _, sample in made], axis=1)
        runs = np.array([float(sum(len(times[key]) for key in keys)) for times in durations])
        figures[measure] = _figures(values, resampled, runs, np.full(len(models), len(keys)))
    return Group(name=name, questions=len(keys), figures=figures)


def _figures(means: _Samples, samples: _Samples, totals: _Samples, questions: NDArray[np.int_]) -> tuple[Figure, ...]:
    """One figure for each model: a mean, its resamples (resamples, models), what it is of and rests on."""

    def minus(place: int, other: int) -> Estimate | None:
        return _estimate(float(means[place] - means[other]), samples[:, place] - samples[:, other]) if place else None

    return tuple(
        Figure(
            estimate=_estimate(float(means[place]), samples[:, place]),
            of=float(totals[place]),
            questions=int(questions[place]),
            minus_first=minus(place, 0),
            minus_previous=minus(place, place - 1),
        )
        for place in range(len(means))
    )


def _estimate(mean: float, samples: _Samples) -> Estimate | None:
    if not np.isfinite(mean) or not np.isfinite(samples).any():
        return None
    interval = percentile_interval(mean, samples)
    return Estimate(mean=interval.mean, low=interval.low, high=interval.high)


def _quantiles(times: Sequence[Sequence[float]], quantile: float) -> tuple[float, _Samples]:
    """The smallest time that at least this share of runs does not exceed, and the same over resampled questions."""
    values = np.array([time for runs in times for time in runs])
    owner = np.array([row for row, runs in enumerate(times) for _ in runs])
    order = np.argsort(values, kind="stable")
    values, owner = values[order], owner[order]
    drawn = np.cumsum(resampled_counts(len(times))[:, owner], axis=1)
    first = np.argmax(drawn >= quantile * drawn[:, -1:], axis=1)
    whole = values[max(0, int(np.ceil(quantile * len(values))) - 1)]
    return float(whole), values[first]
