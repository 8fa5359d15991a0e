"""A simulated clinician: answers a clarifying question from a hidden case, and only what is asked."""

from __future__ import annotations

import json

from agent import Question, Rollout, StopReason, Turn
from agent.actions import ActionKind, Missing
from agent.errors import QuestionError
from agent.question import MAX_TURNS, clean_question
from training.questions import TrainingQuestion

#: What is said about something the case does not hold.
NOT_KNOWN = "That is not known."


def clinicians_reply(question: TrainingQuestion, asked: Question, rollout: Rollout) -> Question | None:
    """The next turn after `rollout`, or None where it asked nothing and the episode is over.

    `asked` is the question of that run; its history and filters go on.
    """
    if rollout.outcome.stop_reason is not StopReason.NEEDS_CLARIFICATION or rollout.answer is None:
        return None
    if len(asked.history) >= MAX_TURNS:
        return None
    missing = _asked_for(rollout)
    text = question.case.get(missing, NOT_KNOWN) if missing is not None else NOT_KNOWN
    turn = Turn(question=asked.text, answer=rollout.answer.label or "")
    try:
        return asked.model_copy(update={"text": clean_question(text), "history": (*asked.history, turn)})
    except QuestionError:
        return None


def _asked_for(rollout: Rollout) -> Missing | None:
    for message in reversed(rollout.messages):
        if message.role == "assistant":
            try:
                action = json.loads(message.content)
                return Missing(action["missing"]) if action["action"] == ActionKind.ASK else None
            except (ValueError, KeyError, TypeError):
                return None
    return None
