"""Budgets: how many steps, tokens and seconds one run may use. A run that hits one stops, typed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.client import Usage
from agent.clock import Clock

BudgetName = Literal["steps", "tokens", "wall_clock"]


class Budget(BaseModel):
    """Limits of one run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Model decisions, repairs included.
    steps: int = Field(default=6, ge=1, le=50)
    #: Prompt plus sampled tokens over all calls.
    tokens: int = Field(default=24_000, ge=100)
    #: Seconds from the question to the end of the answer.
    wall_clock_s: float = Field(default=60.0, gt=0)


class Spending:
    """What one run has used so far."""

    def __init__(self, budget: Budget, clock: Clock) -> None:
        self._budget = budget
        self._clock = clock
        self._started = clock.monotonic()
        self.steps = 0
        self.tokens = 0
        self.usage = Usage()

    def add(self, usage: Usage) -> None:
        """Count a call's tokens; a server that reports none counts as none."""
        self.tokens += (usage.prompt_tokens or 0) + (usage.completion_tokens or 0)
        self.usage = Usage(
            prompt_tokens=_sum(self.usage.prompt_tokens, usage.prompt_tokens),
            cached_tokens=_sum(self.usage.cached_tokens, usage.cached_tokens),
            completion_tokens=_sum(self.usage.completion_tokens, usage.completion_tokens),
        )

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return self._clock.monotonic() - self._started

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._budget.wall_clock_s - self.elapsed_s)

    def exceeded(self) -> BudgetName | None:
        """The first budget that is used up, or None."""
        if self.steps >= self._budget.steps:
            return "steps"
        if self.tokens >= self._budget.tokens:
            return "tokens"
        return "wall_clock" if self.remaining_s <= 0 else None


def _sum(sofar: int | None, more: int | None) -> int | None:
    """None only where nothing was ever reported."""
    return sofar if more is None else (sofar or 0) + more
