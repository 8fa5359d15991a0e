"""Asking the model alone: what it says is recorded like any run, and nothing of it counts as verified."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agent import AgentSettings, MemoryJournal, Origin, Question, ScriptedModel, Turn, new_rollout_id
from agent.batch import BatchError, BatchSettings
from agent.client import CompletionRequest
from agent.errors import ModelStatusError
from agent.scripted import ByTurn, Reply
from eval.agent.asking import Asked, patient
from eval.answers.arms import Arm, Ending, read_answer
from eval.answers.asking import ask_alone, ask_searching
from eval.answers.coverage import LexicalCoverage
from eval.answers.direct import DIRECT_SYSTEM, DirectAgent
from eval.answers.evaluating import evaluate_answers
from eval.answers.scoring import Scorers
from eval.answers.support import LexicalSupport
from retrieval import FirstSource, HybridSearcher

ASKED = Question(text="Dose of paracetamol?", history=(Turn(question="Hello", answer="Hello."),))


def direct(*replies: Reply | str) -> tuple[MemoryJournal, ScriptedModel]:
    journal, model = MemoryJournal(), ScriptedModel(replies)
    agent = DirectAgent(model, "index", journal, AgentSettings())
    asyncio.run(agent.ask(ASKED, origin=Origin("made", split="eval", seed=7), rollout_id=new_rollout_id()))
    return journal, model


def test_the_model_is_asked_without_actions_or_evidence_and_no_sentence_is_verified() -> None:
    journal, model = direct("Give 1 g [abc]. Rest. Rest.")
    (rollout,), (request,) = journal.rollouts, model.requests
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "user"]
    assert request.messages[0].content == DIRECT_SYSTEM
    assert request.json_schema is None
    assert request.grammar is None
    assert rollout.answer is None
    assert [(verdict.text, verdict.shown) for verdict in rollout.verdicts] == [("Give 1 g.", False), ("Rest.", False)]
    assert rollout.messages[rollout.steps[0].prompt_messages].content == "Give 1 g [abc]. Rest. Rest."
    read = read_answer((rollout,), Arm.UNSEARCHED)
    assert read.ending is Ending.ANSWERED
    assert (read.sentences[0].passages, read.sentences[0].unresolved) == ((), 1)


def test_what_the_limit_cut_off_is_left_out() -> None:
    journal, _ = direct(Reply("Give paracetamol. Never more than", finish_reason="length"))
    assert [verdict.text for verdict in journal.rollouts[0].verdicts] == ["Give paracetamol."]


async def test_what_was_finished_before_a_stop_can_be_scored(searcher: HybridSearcher, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    rows = [{"id": str(n), "question": f"Antibiotic for cystitis, case {n}?", "split": "eval"} for n in range(2)]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    asked = Asked(file, searcher, FirstSource(), BatchSettings(concurrency=1))
    by_turn, hangs = ByTurn("cystitis"), asyncio.Event()

    def script(request: CompletionRequest) -> Reply | str:
        if "case 1" in request.messages[1].content:
            hangs.set()
            return Reply(delay_s=10_000)
        return by_turn(request)

    task = asyncio.create_task(ask_searching(asked, ScriptedModel([script]), patient(AgentSettings()), tmp_path / "m"))
    await hangs.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    report = evaluate_answers(tmp_path, ["m"], Scorers(LexicalSupport(), LexicalCoverage()))
    assert (report.questions, report.unfinished) == (1, 1)


def test_a_failure_is_a_record_and_not_a_crash() -> None:
    journal, _ = direct(Reply(error=ModelStatusError(400)))
    (rollout,) = journal.rollouts
    assert [failure.code for failure in rollout.outcome.failures] == [ModelStatusError.code]
    assert read_answer((rollout,), Arm.UNSEARCHED).ending is Ending.LOST


def test_a_stopped_batch_goes_on_and_other_settings_are_refused(searcher: HybridSearcher, tmp_path: Path) -> None:
    rows = [{"question": f"Dose in case {n}?", "split": "eval"} for n in range(3)]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, rows[:2])), encoding="utf-8")
    asked = Asked(file, searcher, FirstSource(), BatchSettings(concurrency=2))
    settings = AgentSettings()
    first = asyncio.run(ask_alone(asked, ScriptedModel(["Rest."]), settings, tmp_path / "m"))
    assert (first.generated, first.owed) == (2, 0)
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    again = asyncio.run(ask_alone(asked, ScriptedModel(["Rest."]), settings, tmp_path / "m"))
    assert (again.generated, again.done_before) == (1, 2)
    with pytest.raises(BatchError):
        asyncio.run(ask_alone(asked, ScriptedModel(["Rest."]), AgentSettings(temperature=0.7), tmp_path / "m"))
