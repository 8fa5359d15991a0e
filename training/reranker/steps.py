"""What a training run reports of each step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step; losses and shares are means over the step's groups."""

    step: int
    steps: int
    loss: float
    #: Share of groups whose best passage got the highest score, 0 .. 1.
    first_right: float
    pairs_per_s: float
    learning_rate: float
