"""Fitting caution: how the signs of evidence weigh beside a model's log-odds of answering (`agent.caution`).

From recorded runs on development questions. The first decision of a run that could answer counts: what the model's
log-odds were, what its search showed, and whether a gold passage was among the evidence. A logistic regression weighs
them; the weights are given in units of the log-odds, which keep the weight 1. The constant is the one at which a wanted
share of the answerable questions is not answered then; some are after another search. Where no reranker judged,
weights of their own hold. Log-odds are read as vLLM reports them, before anything is added to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent import Rollout, read_journal
from agent.actions import ActionKind
from agent.caution import Caution, Signs, Weights
from eval.agent.evaluating import QUESTIONS_FILE
from eval.agent.questions import AgentQuestion, read_questions
from eval.logistic import Floats, logistic
from eval.retrieval.errors import SetInvalidError, SetMissingError

#: Of decisions, each kind; fewer say nothing.
LEAST = 20
#: What the server does not list has this much, so log-odds end at about 10.
_LEAST_MASS = 5e-5
#: On features of deviation 1.
_RIDGE = 2.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The first decision of a run that could answer."""

    #: Of answering against everything else, as the model had them by itself.
    log_odds: float
    signs: Signs
    #: Whether a passage that answers was among the evidence.
    gold_found: bool
    answerable: bool


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """What a constant does to the decisions that it was fitted on."""

    constant: float
    #: Of answerable and of unanswerable questions, the share not answered after the first search, 0 .. 1.
    answerable: float
    unanswerable: float


def read_decisions(directory: Path, name: str) -> tuple[Decision, ...]:
    """Of a model's runs in a folder of `clinsearch eval agent`: one turn, known to be answerable or not.

    Raises:
        SetMissingError, SetInvalidError: there are no questions or runs; too few say whether they are answerable.
        JournalError: a line of a journal is not a record.
    """
    questions = {question.key: question for question in read_questions(directory / QUESTIONS_FILE)}
    if not (directory / name).is_dir():
        raise SetMissingError(f"There are no runs of {name} in {directory}.")
    read = (_decision(rollout, questions) for rollout in read_journal(directory / name))
    decisions = tuple(decision for decision in read if decision is not None)
    answerable = sum(decision.answerable for decision in decisions)
    if min(answerable, len(decisions) - answerable) < LEAST:
        raise SetInvalidError(
            f"Fitting needs {LEAST} runs on answerable questions with gold and {LEAST} on unanswerable ones that "
            f"searched and recorded probabilities; there are {answerable} and {len(decisions) - answerable}."
        )
    return decisions


def fit(decisions: Sequence[Decision], wrong: float) -> Caution:
    """The caution at which the share `wrong` (0 .. 1) of answerable questions is not answered at first.

    That share of those whose evidence a reranker judged, and of the others. For these the weights are fitted on all
    decisions without the reranker's margin: a search may miss its deadline in any source.

    Raises:
        SetInvalidError: the model's log-odds say nothing, or the opposite, of whether there is an answer.
    """
    judged = [item for item in decisions if item.signs.margin is not None]
    others = [item for item in decisions if item.signs.margin is None]
    plain = _weights(decisions, others if _enough(others) else decisions, wrong, with_margin=False)
    if not _enough(judged):
        return Caution.model_validate(plain.model_dump())
    return Caution(**_weights(judged, judged, wrong, with_margin=True).model_dump(), unjudged=plain)


def _enough(decisions: Sequence[Decision]) -> bool:
    answerable = sum(decision.answerable for decision in decisions)
    return min(answerable, len(decisions) - answerable) >= LEAST


def _weights(decisions: Sequence[Decision], held: Sequence[Decision], wrong: float, *, with_margin: bool) -> Weights:
    """Fitted on `decisions`, the constant chosen on those of `held`."""
    x = _features(decisions, with_margin=with_margin)
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    deviation[deviation == 0] = 1.0
    found = np.array([decision.gold_found for decision in decisions], dtype=np.float64)
    weights = logistic((x - mean) / deviation, found, ridge=_RIDGE)[1:] / deviation
    if weights[0] <= 0:
        raise SetInvalidError("The model is no surer of answering where the answer was found: nothing can be fitted.")
    unit = weights / weights[0]
    scores = (_features(held, with_margin=with_margin) @ unit)[[decision.answerable for decision in held]]
    nearest, first, predicted, *margin = (round(float(weight), 2) for weight in unit[1:])
    return Weights(
        constant=round(float(np.quantile(scores, wrong)), 2),
        nearest=nearest,
        first=first,
        predicted=predicted,
        margin=sum(margin),
    )


def tradeoff(decisions: Sequence[Decision], caution: Caution) -> Tradeoff:
    """What `caution` does to decisions."""

    def share(*, answerable: bool) -> float:
        of = [item.log_odds + caution.lean(item.signs) < 0 for item in decisions if item.answerable == answerable]
        return sum(of) / len(of)

    return Tradeoff(caution.constant, share(answerable=True), share(answerable=False))


def _features(decisions: Sequence[Decision], *, with_margin: bool) -> Floats:
    signs = [(item.log_odds, item.signs) for item in decisions]
    rows = [(odds, sign.nearest, sign.first, sign.predicted, sign.margin or 0.0) for odds, sign in signs]
    return np.array(rows, dtype=np.float64)[:, : 5 if with_margin else 4]


def _decision(rollout: Rollout, questions: Mapping[str, AgentQuestion]) -> Decision | None:
    question = questions.get(rollout.task_key)
    if question is None or question.answerable is None or (question.answerable and question.gold is None):
        return None
    step = next((step for step in rollout.steps if ActionKind.ANSWER in step.permitted), None)
    if question.earlier or not rollout.retrieval or step is None or step.probabilities is None:
        return None
    search = rollout.retrieval[0]
    if search.signs is None:
        return None
    raw = step.probabilities.raw
    answering = raw.get(ActionKind.ANSWER, 0.0)
    others = sum(mass for kind, mass in raw.items() if kind is not ActionKind.ANSWER)
    found = {hit.passage_id for hit in search.hits if not hit.beside}
    return Decision(
        log_odds=math.log((answering + _LEAST_MASS) / (others + _LEAST_MASS)),
        signs=search.signs,
        gold_found=bool(found & set(question.gold or ())),
        answerable=question.answerable,
    )
