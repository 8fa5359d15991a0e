"""Caution: how far the loop leans from answering towards looking further, or saying that nothing answers.

A small model's log-odds of answering tell less of whether the corpus holds an answer than plain signs of the evidence
tell beside them: how near its nearest passage is, and how many of the question's words its first passage holds. So the
signs are weighed with the model's own log-odds (docs/adr/0036). Constant and weights are fitted for one adapter, on
development questions, and stand in its card.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Signs(BaseModel):
    """What one search, or the best of several, shows of whether it answers; see `agent.sufficiency.signs_of`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The largest cosine of a hit with what was searched for, -1 .. 1.
    nearest: float
    #: Of the question's words that name something, the share that the first passage given to the model holds, 0 .. 1.
    first: float

    def best_of(self, earlier: Signs | None) -> Signs:
        """With those of the searches before."""
        if earlier is None:
            return self
        return Signs(nearest=max(self.nearest, earlier.nearest), first=max(self.first, earlier.first))


class Caution(BaseModel):
    """What is taken from the log-odds of answering, once there is evidence. A bare number is the constant alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Taken in any case; below 0 the model answers more often.
    constant: float = 0.0
    #: Given back for a cosine of 1.
    nearest: float = 0.0
    #: Given back where the first passage holds all words.
    first: float = 0.0

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        return {"constant": value} if isinstance(value, int | float) else value

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self != Caution()

    def __str__(self) -> str:
        """As cards and tables say it."""
        given = [f"{value:g} x {name}" for name, value in (("nearest", self.nearest), ("first", self.first)) if value]
        return " - ".join([f"{self.constant:g}", *given])

    def lean(self, signs: Signs | None) -> float:
        """What is added to the log-odds of answering.

        Where the signs are not known and have a weight, nothing: the constant alone would be out of scale.
        """
        if self == Caution(constant=self.constant):
            return -self.constant
        if signs is None:
            return 0.0
        return self.nearest * signs.nearest + self.first * signs.first - self.constant
