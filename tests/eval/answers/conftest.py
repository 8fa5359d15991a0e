"""The runs of the agent's evaluation, and the passages they retrieved."""

from __future__ import annotations

import pytest

from eval.answers.coverage import LexicalCoverage
from eval.answers.passages import KeptPassage, Passages
from eval.answers.scoring import Scorers
from eval.answers.support import LexicalSupport
from retrieval import HybridSearcher

from ...starter import starter
from ..agent.conftest import gold, question, run, searcher

__all__ = ["gold", "question", "run", "searcher"]


@pytest.fixture(scope="session")
def passages(searcher: HybridSearcher) -> Passages:
    return {
        passage.id: KeptPassage(id=passage.id, heading="", citable=passage.citable_text)
        for entry in starter()
        for passage in entry.passages
    }


@pytest.fixture
def scorers() -> Scorers:
    return Scorers(LexicalSupport(), LexicalCoverage())
