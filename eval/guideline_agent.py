"""Ten guideline questions for the agent: does its answer cite the right recommendation, with its grade and date?

All belong to the test half of the guideline questions, and each has one recommendation that answers it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agent import AnswerKind, Citation, ClinicalAgent, Origin, Question, RunSummary
from eval.retrieval.sets.guidelines import GuidelineQuestion, fingerprints

QUESTIONS_FILE = Path(__file__).parent / "guideline_agent_questions.jsonl"
_ANSWERS = 2  # the grade of a recommendation that answers the question, rather than a part of it


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


class GuidelineAgentResult(BaseModel):
    """One asked question."""

    model_config = ConfigDict(frozen=True)

    id: str
    #: Position of the first citation that answers, from 1; None where none does. Of an answer in sentences only what
    #: they rest on counts.
    rank: int | None
    #: It is among all that is shown, what was found beside the answer included.
    shown: bool
    #: The citation shows the strength and the year it must.
    strength_shown: bool
    year_shown: bool
    #: What was cited in all.
    citations: int
    written: bool
    stop_reason: str
    seconds: float

    @property
    def right(self) -> bool:
        """The right recommendation is cited, with its strength and its date."""
        return self.rank is not None and self.strength_shown and self.year_shown


class GuidelineAgentReport(BaseModel):
    """All results."""

    model_config = ConfigDict(frozen=True)

    results: tuple[GuidelineAgentResult, ...]

    def table(self) -> str:
        """The figures as lines of text."""
        lines = [f"{'question':16} {'right':5} {'rank':>4} {'of':>3} {'shown':5} {'strength':8} {'date':5} stop"]
        for result in self.results:
            told = (result.right, result.shown, result.strength_shown, result.year_shown)
            flags = ["yes" if flag else "no" for flag in told]
            lines.append(
                f"{result.id:16} {flags[0]:5} {result.rank or '-':>4} {result.citations:3} {flags[1]:5} {flags[2]:8} "
                f"{flags[3]:5} "
                f"{result.stop_reason}, {'model-written' if result.written else 'labelled fallback'}"
            )
        right = sum(result.right for result in self.results)
        first = sum(result.right and result.rank == 1 for result in self.results)
        lines.append(f"{right} of {len(self.results)} right, {first} of them first in the list")
        lines.append(f"{sum(result.shown for result in self.results)} have it among all that is shown")
        seconds = sorted(result.seconds for result in self.results)
        lines.append(f"seconds per question: median {seconds[len(seconds) // 2]:.2f}, longest {seconds[-1]:.2f}")
        return "\n".join(lines)


def judge(question: GuidelineAgentQuestion, result: RunSummary) -> GuidelineAgentResult:
    """Score one outcome; a citation answers when it holds the marked words of the marked document."""
    best = [answer for answer in question.answers if answer.grade == _ANSWERS]

    def answers(citation: Citation) -> bool:
        return any(
            citation.document_id == answer.document_id and answer.sha256 in fingerprints(citation.text, answer.words)
            for answer in best
        )

    written = result.answer.kind is AnswerKind.WRITTEN
    counted = result.answer.used if written else result.answer.citations
    ranks = [rank for rank, citation in enumerate(counted, start=1) if answers(citation)]
    cited = counted[ranks[0] - 1] if ranks else None
    return GuidelineAgentResult(
        id=question.id,
        rank=ranks[0] if ranks else None,
        shown=any(answers(citation) for citation in result.answer.citations),
        strength_shown=cited is not None and cited.strength == question.strength,
        year_shown=cited is not None and cited.year == question.year,
        citations=len(counted),
        written=written,
        stop_reason=result.stop_reason,
        seconds=result.duration_ms / 1000,
    )


async def evaluate_guideline_agent(
    agent: ClinicalAgent, questions: Sequence[GuidelineAgentQuestion]
) -> GuidelineAgentReport:
    """Ask every question, one after the other, through the same agent the service uses."""
    results = []
    for question in questions:
        asked = Question(text=question.question)
        result = await agent.ask(asked, origin=Origin("eval/guidelines", split="eval"))
        results.append(judge(question, result))
    return GuidelineAgentReport(results=tuple(results))
