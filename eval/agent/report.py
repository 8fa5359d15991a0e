"""The result of an evaluation of the agent as one record: every figure with its interval, and every question's tallies.

Holds ids and figures only, never the text of a question or an answer, so it can be kept and passed on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.caution import Caution
from eval.retrieval.report import Estimate


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Figure(_Model):
    """One measure of one model; `estimate` is None where nothing it is of occurred."""

    estimate: Estimate | None
    #: Sum of the denominators: decisions, sentences, questions, as the measure says.
    of: float
    #: Questions it rests on.
    questions: int
    #: Minus the first model and minus the one before, on the same questions; None for the first.
    minus_first: Estimate | None = None
    minus_previous: Estimate | None = None


class Group(_Model):
    """All models on the same questions."""

    name: str
    questions: int
    #: By measure, then one for each model in the report's order.
    figures: dict[str, tuple[Figure, ...]]


class Curve(_Model):
    """Worst-at-k for k = 1 .. n, in the order of k."""

    values: tuple[Estimate, ...]
    minus_first: tuple[Estimate, ...] | None = None
    minus_previous: tuple[Estimate, ...] | None = None

    @property
    def kept(self) -> float | None:
        """Worst-at-n over the mean; None where the mean is 0."""
        return self.values[-1].mean / self.values[0].mean if self.values[0].mean > 0 else None


class Reliability(_Model):
    """How much of a model's quality is left when the worst of k answers counts."""

    problems: int
    #: Answers to each problem.
    repetitions: int
    #: Questions left out because not all their answers are there for every model.
    left_out: int
    #: Gold cited and nothing withheld; one curve for each model.
    success: tuple[Curve, ...]
    #: The share of sentences shown where the gold is cited, else 0.
    graded: tuple[Curve, ...]


class EvaluatedModel(_Model):
    """What made the runs, as their records say."""

    name: str
    served_as: str
    adapter: str | None
    #: The loop let it only search, and its words were not used.
    search_first: bool
    #: Its answers were made of the evidence's own statements.
    quote: bool = False
    #: Taken from the log-odds of answering.
    caution: Caution = Caution()
    temperature: float
    prompt_sha256: str
    index_version: str
    runs: int
    #: Failures that were handled inside runs, by code.
    failures: dict[str, int]


class AgentReport(_Model):
    """One evaluation."""

    schema_version: Literal["agent-eval.v1"] = "agent-eval.v1"
    producer: str
    measured_at: datetime
    questions_sha256: str
    questions: int
    #: Questions that not every model has answered yet; they are in no figure.
    unfinished: int
    #: Questions of which something is not known, by what: they are in none of the measures that need it.
    not_known: dict[str, int]
    models: tuple[EvaluatedModel, ...]
    #: The first is all questions together.
    groups: tuple[Group, ...]
    reliability: Reliability | None
    resamples: int
    level: float
    seed: int
    #: By question id, then model, then measure: numerator and denominator.
    tallies: dict[str, dict[str, dict[str, tuple[float, float]]]]
