"""The patient question set: how it is scored, and the figures that the decision record names."""

from __future__ import annotations

from collections import Counter

from agent import ClinicalAgent, MemoryJournal, ScriptedModel
from agent.errors import ModelUnavailableError
from agent.scripted import Reply
from eval.patients import evaluate_patients, evaluate_rules, judge_by_rules, patient_questions

from ..starter import starter_passages, starter_searcher

PASSAGES = starter_passages()


def test_every_patient_has_a_twin_for_the_same_recommendation() -> None:
    """Without the twins a rule that flags everything would be perfect."""
    questions = {item.id: item for item in patient_questions()}
    assert len(questions) == 80
    assert Counter((item.half, item.conflict) for item in questions.values()) == {
        (half, conflict): 20 for half in ("seen", "kept") for conflict in (True, False)
    }
    for item in questions.values():
        if item.conflict:
            twin = questions[f"{item.id}-twin"]
            assert (twin.recommendation, twin.kind, twin.half) == (item.recommendation, item.kind, item.half)
            assert item.recommendation in PASSAGES


def test_all_are_handled_and_no_twin_is_flagged() -> None:
    report = evaluate_rules(patient_questions(), PASSAGES)
    against = [result for result in report.results if result.conflict]
    twins = [result for result in report.results if not result.conflict]
    assert [result.id for result in against if not result.right] == []
    assert [result.id for result in twins if not result.right] == []
    assert "half kept" in report.table()


async def test_a_run_that_shows_it_as_if_it_applied_is_not_handled() -> None:
    searcher = starter_searcher()
    down = ScriptedModel([Reply(error=ModelUnavailableError("down"))])
    agent = ClinicalAgent(down, searcher, MemoryJournal())
    (question,) = [item for item in patient_questions() if item.id == "renal-1"]
    report = await evaluate_patients(agent, [question], PASSAGES)
    (result,) = report.results
    assert result.listed
    assert result.right
    assert not result.model_copy(update={"shown_as_if_it_applied": True}).right
    assert not judge_by_rules(
        question, PASSAGES[question.recommendation].model_copy(update={"contraindications": ()})
    ).right
