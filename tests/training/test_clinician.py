"""The simulated clinician says what it is asked for, and nothing else."""

from __future__ import annotations

import json

from agent import AgentSettings, ClinicalAgent, MemoryJournal, Question, Rollout, ScriptedModel
from agent.actions import Missing
from retrieval import memory_searcher
from training.clinician import NOT_KNOWN, clinicians_reply
from training.questions import QuestionKind, TrainingQuestion

from ..starter import starter

CASE = TrainingQuestion(
    id="q1",
    question="Which antibiotic for cystitis?",
    kind=QuestionKind.UNDERSPECIFIED,
    gold=(next(p.id for entry in starter() for p in entry.passages),),
    missing=Missing.PREGNANCY,
    case={Missing.PREGNANCY: "She is 20 weeks pregnant.", Missing.AGE: "She is 31."},
    question_source="made",
    licence="CC0-1.0",
    training_consent=True,
)


async def asked(action: dict[str, str], question: Question | None = None) -> tuple[Question, Rollout]:
    question = question or Question(text=CASE.question)
    journal = MemoryJournal()
    searcher = memory_searcher(starter()[:2])
    agent = ClinicalAgent(ScriptedModel([json.dumps(action)]), searcher, journal, settings=AgentSettings())
    await agent.ask(question)
    return question, journal.rollouts[0]


async def test_it_says_what_was_asked_for_and_the_turn_goes_into_the_history() -> None:
    reply = clinicians_reply(CASE, *await asked({"action": "ask_clinician", "missing": "pregnancy"}))
    assert reply is not None
    assert reply.text == "She is 20 weeks pregnant."
    assert "31" not in reply.model_dump_json()
    assert reply.history[0].question == CASE.question
    assert "pregnant" in reply.history[0].answer


async def test_what_the_case_does_not_hold_is_not_known() -> None:
    reply = clinicians_reply(CASE, *await asked({"action": "ask_clinician", "missing": "allergy"}))
    assert reply is not None
    assert reply.text == NOT_KNOWN


async def test_a_run_that_asked_nothing_ends_the_episode() -> None:
    assert clinicians_reply(CASE, *await asked({"action": "decline", "reason": "policy"})) is None


async def test_a_second_clarification_is_answered_too_and_the_history_grows() -> None:
    first = clinicians_reply(CASE, *await asked({"action": "ask_clinician", "missing": "pregnancy"}))
    assert first is not None
    second = clinicians_reply(CASE, *await asked({"action": "ask_clinician", "missing": "age"}, first))
    assert second is not None
    assert [turn.question for turn in second.history] == [CASE.question, "She is 20 weeks pregnant."]
    assert second.text == "She is 31."
