"""What a training run reports of each step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step; losses and shares are means over the step's groups."""

    step: int
    steps: int
    loss: float
    #: Share of groups with an answer in which an answer got the highest score of the passages, 0 .. 1; None where the
    #: step has no such group.
    first_right: float | None
    #: The score of "none of these".
    none_score: float
    pairs_per_s: float
    learning_rate: float
