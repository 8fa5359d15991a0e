"""Which groups each optimiser step sees: a fixed list drawn from the seed, so a run can go on at any step.

Groups of like length share a step: a step costs what its longest pair costs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from training.reranker.config import RerankerConfig
from training.reranker.groups import Group

_POOL_STEPS = 16  # steps whose groups are sorted by length together

#: Groups of one step.
Step = tuple[Group, ...]


def schedule(groups: Sequence[Group], config: RerankerConfig) -> tuple[Step, ...]:
    """The steps of a run; each pass sees each group once."""
    drawn = random.Random(config.seed + 1)  # noqa: S311 - a draw to repeat, not a secret
    return tuple(step for _ in range(config.epochs) for step in _epoch(groups, config, drawn))


def _epoch(groups: Sequence[Group], config: RerankerConfig, drawn: random.Random) -> list[Step]:
    order = list(groups)
    drawn.shuffle(order)
    size, pool = config.groups_per_step, config.groups_per_step * _POOL_STEPS
    steps: list[Step] = []
    for start in range(0, len(order), pool):
        near = sorted(order[start : start + pool], key=_length)
        steps += [tuple(near[at : at + size]) for at in range(0, len(near), size)]
    drawn.shuffle(steps)
    return steps


def _length(group: Group) -> int:
    return len(group.question) + max(map(len, group.passages))
