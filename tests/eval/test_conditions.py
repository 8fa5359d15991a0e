"""The condition question set and how it is scored."""

from __future__ import annotations

from agent import ClinicalAgent, MemoryJournal, Question, ScriptedModel
from agent.errors import ModelUnavailableError
from agent.scripted import ByTurn, Reply
from eval.conditions import ConditionQuestion, condition_questions, evaluate_conditions, judge
from retrieval.starter import STARTER_DIRECTORY

from ..starter import starter_searcher


def test_there_is_one_question_per_starter_condition() -> None:
    """A condition without a question would never be measured."""
    questions = condition_questions()
    assert sorted(question.id for question in questions) == sorted(p.stem for p in STARTER_DIRECTORY.glob("*.md"))


async def test_written_answers_and_fallbacks_are_counted_apart() -> None:
    searcher = starter_searcher()
    questions = condition_questions()[:3]
    down = ScriptedModel([Reply(error=ModelUnavailableError("down"))])
    fallback = await evaluate_conditions(ClinicalAgent(down, searcher, MemoryJournal()), questions)
    assert [result.written for result in fallback.results] == [False] * 3
    writing = ScriptedModel([ByTurn("guideline")])
    written = await evaluate_conditions(ClinicalAgent(writing, searcher, MemoryJournal()), questions)
    assert any(result.written for result in written.results)
    assert "labelled fallback    0 of   0" not in fallback.table()


async def test_only_the_right_condition_in_the_first_three_counts() -> None:
    searcher = starter_searcher()
    agent = ClinicalAgent(ScriptedModel([Reply(error=ModelUnavailableError("down"))]), searcher, MemoryJournal())
    report = await evaluate_conditions(agent, [ConditionQuestion(id="gout", question="gout flare colchicine dose")])
    assert report.results[0].right
    outcome = await agent.ask(Question(text="gout flare colchicine dose"))
    wrong = judge(ConditionQuestion(id="malaria", question="x"), outcome)
    assert not wrong.right
