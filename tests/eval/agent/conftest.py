"""Recorded runs from the real loop with scripted models, and the questions they were asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent import AgentSettings, ClinicalAgent, MemoryJournal, Origin, Question, Rollout, ScriptedModel, Turn
from agent.scripted import ANSWER, Script, cite_first, search
from eval.agent.questions import AgentQuestion, read_questions
from retrieval import HybridSearcher, Passage, SearchRequest

from ...starter import starter_searcher

QUERY = "nitrofurantoin lower urinary tract infection"
ASKED = "Which antibiotic for a woman with cystitis?"
GOOD: tuple[Script, ...] = (search(QUERY), ANSWER, cite_first)
DECLINE = json.dumps({"action": "decline", "reason": "not_in_corpus"})
THANKS = json.dumps({"action": "reply", "kind": "thanks"})
LIE = "Give 900 mg of paracetamol."


def ask_for(missing: str) -> str:
    """The text of a clarifying action."""
    return json.dumps({"action": "ask_clinician", "missing": missing})


@pytest.fixture(scope="session")
def searcher() -> HybridSearcher:
    return starter_searcher()


@pytest.fixture(scope="session")
def gold(searcher: HybridSearcher) -> Passage:
    return searcher.search(SearchRequest(queries=(ASKED, QUERY))).hits[0].passage


MakeRun = Callable[..., Rollout]


@pytest.fixture(scope="session")
def run(searcher: HybridSearcher) -> MakeRun:
    """One run with scripted replies; `first` makes it a later turn of that run's episode."""

    def make(
        *replies: Script,
        words: str = ASKED,
        rep: int = 0,
        first: Rollout | None = None,
        search_first: bool = False,
    ) -> Rollout:
        journal = MemoryJournal()
        settings = AgentSettings(search_first=search_first, write_answers=not search_first)
        agent = ClinicalAgent(ScriptedModel(replies), searcher, journal, settings=settings)
        history = () if first is None else (Turn(question=ASKED, answer="Is she pregnant?"),)
        asked = Question(text=words, history=history)
        episode = first.task_key if first is not None else asked.task_key
        origin = Origin("made", split="eval", rep=rep, episode=episode)
        asyncio.run(agent.ask(asked, origin=origin))
        return journal.rollouts[0]

    return make


def row(id: str = "q", words: str = ASKED, **fields: Any) -> dict[str, Any]:
    return {"id": id, "question": words, **fields}


def made_row(kind: str, id: str = "q", words: str = ASKED, **fields: Any) -> dict[str, Any]:
    provenance = {"question_source": "made", "licence": "CC0-1.0", "training_consent": True}
    return row(id, words, kind=kind, **provenance, **fields)


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in rows), encoding="utf-8")
    return path


@pytest.fixture
def question(tmp_path: Path) -> Callable[[dict[str, Any]], AgentQuestion]:
    """The question of one row, read as from a file."""

    def read(values: dict[str, Any]) -> AgentQuestion:
        return read_questions(write_rows(tmp_path / "one.jsonl", [values]))[0]

    return read
