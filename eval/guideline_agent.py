"""Ten guideline questions for the agent: does its answer cite the right recommendation, with its grade and date?

All belong to the test half of the guideline questions, and each has one recommendation that answers it.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import Field

from eval.retrieval.sets.guidelines import GuidelineQuestion

QUESTIONS_FILE = Path(__file__).parent / "guideline_agent_questions.jsonl"


class GuidelineAgentQuestion(GuidelineQuestion):
    """A guideline question with what the citation must show."""

    #: As the corpus's reader gives it: "Grade B", "I statement", "Strong Against".
    strength: str
    #: Of publication.
    year: int = Field(ge=1990, le=2100)


def guideline_agent_questions(path: Path = QUESTIONS_FILE) -> tuple[GuidelineAgentQuestion, ...]:
    """The questions, in the file's order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(GuidelineAgentQuestion.model_validate(json.loads(line)) for line in lines)
