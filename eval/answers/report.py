"""The result of an evaluation of answers as one record.

Holds ids and figures only, never the text of a question, a passage or an answer, so it can be kept and passed on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from eval.agent.report import EvaluatedModel, Group
from eval.answers.arms import Arm, Ending


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelArms(_Model):
    """One model: its arms on the same questions, each minus the answers as shown."""

    model: str
    arms: tuple[Arm, ...]
    #: One for all questions, then one for each set where there are several; figures in the order of `arms`.
    groups: tuple[Group, ...]
    #: By arm, then by whether the corpora answer the question, then by how it ended: answers.
    matrices: dict[Arm, dict[str, dict[Ending, int]]]


class AnswersReport(_Model):
    """One evaluation."""

    schema_version: Literal["answers-eval.v1"] = "answers-eval.v1"
    producer: str
    measured_at: datetime
    questions_sha256: str
    questions: int
    #: Questions that not every model has answered in every way yet; they are in no figure.
    unfinished: int
    #: Questions of which something is not known, by what: they are in none of the measures that need it.
    not_known: dict[str, int]
    #: How approximate measures were judged, by measure.
    judged_by: dict[str, str]
    models: tuple[EvaluatedModel, ...]
    #: Answers as shown, a column for each model, minus the first; as `ModelArms.groups`.
    compared: tuple[Group, ...]
    by_model: tuple[ModelArms, ...]
    resamples: int
    level: float
    seed: int
    #: By question id, then model, then arm, then measure: numerator and denominator.
    tallies: dict[str, dict[str, dict[Arm, dict[str, tuple[float, float]]]]]
