"""Is a run one to learn from? One reason where it is not.

With the question it was made from, the run must do what that kind of question needs; without one (real use), a
person must have preferred it. Either way nothing the model wrote may have been withheld, and every step must be whole.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent import AnswerKind, Rollout, StopReason
from agent.actions import ActionKind
from retrieval import NOTHING_WITHDRAWN, PassageId, Withdrawn
from training.questions import QuestionKind, TrainingQuestion

#: A question by the key of its first turn, as rollouts carry it (`provenance.episode`, `task_key`).
Questions = Mapping[str, TrainingQuestion]


class Fault(StrEnum):
    """Why a run is not learned from."""

    NO_CONSENT = "no_consent"
    EVALUATION = "evaluation"
    FAILED = "failed"
    REPAIRED = "repaired"
    TRUNCATED = "truncated"
    WITHHELD = "withheld"
    WRONG_END = "wrong_end"
    GOLD_NOT_CITED = "gold_not_cited"
    WRONG_CLARIFICATION = "wrong_clarification"
    TOO_MANY_SEARCHES = "too_many_searches"
    NOT_PREFERRED = "not_preferred"
    #: It cites guidance that was withdrawn since.
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a good run may spend."""

    searches: int = 3


DEFAULT_LIMITS = Limits()


def fault(
    rollout: Rollout,
    question: TrainingQuestion | None,
    limits: Limits = DEFAULT_LIMITS,
    withdrawn: Withdrawn = NOTHING_WITHDRAWN,
) -> Fault | None:
    """The first reason against a run, or None."""
    if not rollout.provenance.training_consent:
        return Fault.NO_CONSENT
    if rollout.split == "eval" or (question is not None and question.split == "eval"):
        return Fault.EVALUATION
    if cites_withdrawn(rollout, withdrawn):
        return Fault.WITHDRAWN
    if (found := _broken(rollout)) is not None:
        return found
    if rollout.outcome.searches > limits.searches:
        return Fault.TOO_MANY_SEARCHES
    labels = rollout.labels
    if labels.thumbs == "down":
        return Fault.NOT_PREFERRED
    if question is None:
        return None if labels.thumbs == "up" or _won(labels.votes) else Fault.NOT_PREFERRED
    return _wrong(rollout, question)


def cites_withdrawn(rollout: Rollout, withdrawn: Withdrawn) -> bool:
    """Whether the answer of a run cites a passage that must not be shown any more."""
    cited = rollout.answer.citations if withdrawn and rollout.answer is not None else ()
    return any(withdrawn.of(citation.passage_id, citation.document_id) is not None for citation in cited)


def question_of(rollout: Rollout, questions: Questions) -> TrainingQuestion | None:
    """The question a run was made from, also for a later turn of its episode."""
    return questions.get(rollout.provenance.episode or rollout.task_key)


def _broken(rollout: Rollout) -> Fault | None:
    if rollout.outcome.status != "completed" or rollout.outcome.failures or rollout.answer is None:
        # A withheld answer is noted as a failure too; the gate's verdict is the plainer reason.
        withheld = any(not verdict.shown for verdict in rollout.verdicts)
        return Fault.WITHHELD if withheld else Fault.FAILED
    if any(step.kind == "repair" for step in rollout.steps):
        return Fault.REPAIRED
    if any(step.finish_reason == "length" for step in rollout.steps):
        return Fault.TRUNCATED
    if any(not verdict.shown for verdict in rollout.verdicts):
        return Fault.WITHHELD
    return None


def wrong_end(rollout: Rollout, question: TrainingQuestion) -> Fault | None:
    """Whether a run ended otherwise than its question needs, whatever it cited."""
    stop = rollout.outcome.stop_reason
    match question.kind:
        case QuestionKind.NO_SEARCH:
            return None if stop is StopReason.REPLIED else Fault.WRONG_END
        case QuestionKind.UNANSWERABLE:
            return None if stop is StopReason.NO_EVIDENCE else Fault.WRONG_END
        case QuestionKind.UNDERSPECIFIED if rollout.provenance.episode in (None, rollout.task_key):
            if stop is not StopReason.NEEDS_CLARIFICATION:
                return Fault.WRONG_END
            return None if last_action(rollout).get("missing") == question.missing else Fault.WRONG_CLARIFICATION
    written = rollout.answer is not None and rollout.answer.kind is AnswerKind.WRITTEN
    return None if stop is StopReason.ANSWERED and written else Fault.WRONG_END


def enough(found: Collection[PassageId], gold: Collection[PassageId], kind: QuestionKind | None) -> bool:
    """Whether passages hold what answers a question: all of its gold where that takes two, any of it otherwise."""
    held = set(gold) & set(found)
    return len(held) == len(set(gold)) if kind is QuestionKind.MULTI_HOP else bool(held)


def _wrong(rollout: Rollout, question: TrainingQuestion) -> Fault | None:
    end = wrong_end(rollout, question)
    if end is not None or rollout.outcome.stop_reason is not StopReason.ANSWERED:
        return end
    assert rollout.answer is not None
    cited = {citation.passage_id for citation in rollout.answer.used}
    return None if enough(cited, question.gold, question.kind) else Fault.GOLD_NOT_CITED


def last_action(rollout: Rollout) -> Mapping[str, str]:
    """The last action the model took, empty where it took none."""
    for message in reversed(rollout.messages):
        if message.role == "assistant":
            try:
                value = json.loads(message.content)
            except ValueError:
                continue
            if isinstance(value, dict) and value.get("action") in set(ActionKind):
                return value
    return {}


def _won(votes: Mapping[str, int] | None) -> bool:
    return bool(votes) and votes.get("win", 0) > votes.get("loss", 0)  # type: ignore[union-attr]
