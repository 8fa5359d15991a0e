"""Rollouts from the real loop with scripted models, and a renderer that needs no tokenizer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from agent import AgentSettings, ClinicalAgent, MemoryJournal, Message, Origin, Question, Rollout, ScriptedModel, Turn
from agent.scripted import Script
from retrieval import HybridSearcher, Passage, SearchRequest
from training.questions import QuestionKind, TrainingQuestion

from ..starter import starter_searcher

QUERY = "nitrofurantoin lower urinary tract infection"
ASKED = "Which antibiotic for a woman with cystitis?"


class ByteRenderer:
    """One token a byte, ChatML markers as text: exact, reversible, prefix-stable."""

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """See `Renderer.prompt`."""
        turns = "".join(f"<{message.role}>{message.content}</>\n" for message in messages)
        return list(f"{turns}<assistant>".encode())

    def sample(self, text: str) -> list[int]:
        """See `Renderer.sample`."""
        return list(f"{text}</>".encode())


@pytest.fixture(scope="session")
def searcher() -> HybridSearcher:
    return starter_searcher()


@pytest.fixture(scope="session")
def gold(searcher: HybridSearcher) -> Passage:
    return searcher.search(SearchRequest(queries=(ASKED, QUERY))).hits[0].passage


def training_question(kind: QuestionKind = QuestionKind.ANSWERABLE, **fields: Any) -> TrainingQuestion:
    values: dict[str, Any] = {
        "id": "q",
        "question": ASKED,
        "kind": kind,
        "question_source": "made",
        "licence": "CC0-1.0",
        "training_consent": True,
    }
    return TrainingQuestion.model_validate(values | fields)


MakeRollout = Callable[..., Rollout]


@pytest.fixture(scope="session")
def rollout(searcher: HybridSearcher) -> MakeRollout:
    """One run with scripted replies."""

    def make(
        *replies: Script, rep: int = 0, consent: bool = True, words: str = ASKED, history: tuple[Turn, ...] = ()
    ) -> Rollout:
        journal = MemoryJournal()
        agent = ClinicalAgent(ScriptedModel(replies), searcher, journal, settings=AgentSettings())
        origin = Origin("made", training_consent=consent, licence="CC0-1.0", split="train", rep=rep)
        asyncio.run(agent.ask(Question(text=words, history=history), origin=origin))
        return journal.rollouts[0]

    return make
