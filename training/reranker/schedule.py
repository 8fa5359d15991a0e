"""Which groups each optimiser step sees: a fixed list drawn from the seed, so a run can go on at any step.

First the questions from the corpora, then the graded answers mixed with half as many corpus groups, which keep what
was learnt first. Groups of like length share a step: a step costs what its longest pair costs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from training.reranker.config import RerankerConfig
from training.reranker.groups import Group

_POOL_STEPS = 16  # steps whose groups are sorted by length together


@dataclass(frozen=True)
class Schedule:
    """Steps in order, each a few groups; the first `corpus_steps` see no graded answer."""

    steps: tuple[tuple[Group, ...], ...]
    corpus_steps: int


def schedule(groups: Sequence[Group], graded: Sequence[Group], config: RerankerConfig) -> Schedule:
    """The steps of a run."""
    drawn = random.Random(config.seed)  # noqa: S311 - a draw to repeat, not a secret
    groups = [_part(group, config.trained_passages) for group in groups[: config.trained_groups]]
    first = [step for _ in range(config.epochs) for step in _epoch(groups, config, drawn)]
    second: list[tuple[Group, ...]] = []
    for _ in range(config.graded_epochs if graded else 0):
        mixed = [*graded, *drawn.sample(groups, min(len(graded) // 2, len(groups)))]
        second += _epoch(mixed, config, drawn)
    return Schedule((*first, *second), len(first))


def _part(group: Group, passages: int) -> Group:
    return group.model_copy(update={"passages": group.passages[:passages], "grades": group.grades[:passages]})


def _epoch(groups: Sequence[Group], config: RerankerConfig, drawn: random.Random) -> list[tuple[Group, ...]]:
    order = list(groups)
    drawn.shuffle(order)
    size, pool = config.groups_per_step, config.groups_per_step * _POOL_STEPS
    steps: list[tuple[Group, ...]] = []
    for start in range(0, len(order), pool):
        near = sorted(order[start : start + pool], key=_length)
        steps += [tuple(near[at : at + size]) for at in range(0, len(near), size)]
    drawn.shuffle(steps)
    return steps


def _length(group: Group) -> int:
    return len(group.question) + max(map(len, group.passages))
