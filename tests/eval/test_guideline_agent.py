"""The ten guideline questions for the agent, and when one counts as right."""

from __future__ import annotations

import hashlib

from agent import AgentSettings, ClinicalAgent, MemoryJournal, ScriptedModel
from agent.scripted import search
from eval.guideline_agent import GuidelineAgentQuestion, evaluate_guideline_agent, guideline_agent_questions
from retrieval import memory_searcher
from tests.agent.conftest import entries

WORDS = "a first choice is nitrofurantoin modified release 100 mg"
UNTRAINED = AgentSettings(search_first=True, write_answers=False)


def asked(**fields: object) -> GuidelineAgentQuestion:
    mark = {
        "document_id": "lower-urinary-tract-infection",
        "grade": 2,
        "words": len(WORDS.split()),
        "sha256": hashlib.sha256(WORDS.encode()).hexdigest()[:16],
    }
    made = {"id": "uti", "question": "nitrofurantoin dose", "split": "test", "corpus": "ngc", "answers": [mark]}
    return GuidelineAgentQuestion.model_validate({**made, "strength": "Grade A", "year": 2018, **fields})


async def test_the_marked_recommendation_with_its_strength_and_year_is_right_and_nothing_less() -> None:
    agent = ClinicalAgent(
        ScriptedModel([search("dose")]), memory_searcher(entries()), MemoryJournal(), settings=UNTRAINED
    )
    elsewhere = asked().answers[0].model_copy(update={"sha256": "0" * 16})
    also = {"answer": asked().answers[0], "strength": "Grade A", "year": 2018}
    questions = [
        asked(),
        asked(strength="Grade B"),
        asked(year=2019),
        asked(answers=[elsewhere]),
        asked(answers=[elsewhere], also=[also]),
    ]
    report = await evaluate_guideline_agent(agent, questions)
    assert [result.right for result in report.results] == [True, False, False, False, True]
    assert report.results[0].rank == 1
    assert report.results[3].rank is None
    assert not report.results[0].written
    assert "2 of 5 right, 2 of them first in the list" in report.table()


def test_the_unseen_questions_are_twenty_and_none_of_the_old_ones() -> None:
    old, new = guideline_agent_questions("old"), guideline_agent_questions("new")
    assert (len(old), len(new)) == (10, 20)
    assert not {question.question for question in old} & {question.question for question in new}
    assert not {a.document_id for q in old for a in q.answers} & {a.document_id for q in new for a in q.answers}


def test_the_later_questions_are_of_other_documents_again() -> None:
    later = guideline_agent_questions("later")
    earlier = [*guideline_agent_questions("old"), *guideline_agent_questions("new")]
    assert len(later) == len({question.id for question in later}) == 29
    assert not {a.document_id for q in earlier for a in q.answers} & {a.document_id for q in later for a in q.answers}


def test_so_are_the_latest() -> None:
    latest = guideline_agent_questions("latest")
    earlier = [
        *guideline_agent_questions("old"),
        *guideline_agent_questions("new"),
        *guideline_agent_questions("later"),
    ]
    assert len({question.id for question in latest}) == len({question.question for question in latest}) == 30
    assert not {a.document_id for q in earlier for a in q.answers} & {a.document_id for q in latest for a in q.answers}
