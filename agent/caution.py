"""Caution: how far the loop leans from answering towards looking further, or saying that nothing answers.

A small model's log-odds of answering tell less of whether the corpus holds an answer than plain signs of the evidence
tell beside them: how near its nearest passage is, and the nearest question that one is predicted to be asked with; how
many of the question's words its first passage holds; how far the reranker puts the best above "none of these". So the
signs are weighed with the model's own log-odds (docs/adr/0036). Constant and weights are fitted for one adapter, on
development questions, and stand in its card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Signs(BaseModel):
    """What one search shows of whether it answers; see `agent.sufficiency.signs_of`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The largest cosine of a hit with what was searched for, -1 .. 1.
    nearest: float
    #: Of the question's words that name something, the share that the first passage given to the model holds, 0 .. 1.
    first: float
    #: The largest margin of the evidence over "none of these", see `retrieval.Hit.rerank_margin`; None where no
    #: reranker judged it.
    margin: float | None = None
    #: How much nearer the nearest predicted query of a hit is than `nearest` (`retrieval.predicted_queries`), as a
    #: difference of cosines; 0 where no hit has one.
    predicted: float = 0.0


class Weights(BaseModel):
    """How the signs of one search weigh, in units of the log-odds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Taken in any case; below 0 the model answers more often.
    constant: float = 0.0
    #: Given back for a cosine of 1.
    nearest: float = 0.0
    #: Given back where the first passage holds all words.
    first: float = 0.0
    #: Given back for a margin of 1 of the reranker's score, and taken for one of -1.
    margin: float = 0.0
    #: Given back for a predicted query nearer by a cosine of 1 than any passage.
    predicted: float = 0.0

    def __str__(self) -> str:
        """As cards and tables say it."""
        weights = {name: getattr(self, name) for name in ("nearest", "first", "margin", "predicted")}
        return " - ".join([f"{self.constant:g}", *(f"{value:g} x {name}" for name, value in weights.items() if value)])

    def of(self, signs: Signs) -> float:
        """What the signs give back, less the constant."""
        margin = 0.0 if signs.margin is None else signs.margin
        evidence = self.nearest * signs.nearest + self.first * signs.first + self.predicted * signs.predicted
        return evidence + self.margin * margin - self.constant


class Caution(Weights):
    """What is taken from the log-odds of answering, once there is evidence. A bare number is the constant alone."""

    #: The weights where no reranker judged the evidence: the others are out of scale there. None: the same.
    unjudged: Weights | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        return {"constant": value} if isinstance(value, int | float) else value

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self != Caution()

    def __str__(self) -> str:
        """As cards and tables say it."""
        weights = super().__str__()
        return weights if self.unjudged is None else f"{weights}; where no reranker judged: {self.unjudged}"

    def lean(self, signs: Signs | None) -> float:
        """What is added to the log-odds of answering after one search.

        Where the signs are not known and have a weight, nothing: the constant alone would be out of scale.
        """
        if self == Caution(constant=self.constant):
            return -self.constant
        if signs is None:
            return 0.0
        return (self if signs.margin is not None or self.unjudged is None else self.unjudged).of(signs)

    def lean_after(self, searches: Sequence[Signs]) -> float:
        """After several: the search that shows most counts, so another search never takes an answer away."""
        return max(map(self.lean, searches), default=self.lean(None))
