"""Guideline questions for the agent: does its answer cite the right recommendation, with its grade and date?

Four sets. The ten `old` ones belong to the test half of the guideline questions; retrieval was improved after they had
been read. The twenty `new` ones were written later, by a language model from recommendations in documents that no
question is trained on, before any search was tried on them; the reranker of `docs/adr/0013` was chosen between with
them in sight. The twenty-nine `later` ones were written in the same way before the query adapter (`docs/adr/0035`) was
ever searched with: they say what a question not seen before gains. The thirty `latest` ones were written, by a model
that had seen none of the predicted queries of `docs/adr/0037`, before any search used those; their documents were drawn
by lot from all with graded recommendations, so the reranker and the query adapter learnt from some of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent import AnswerKind, Citation, ClinicalAgent, Origin, Question, RunSummary
from eval.retrieval.sets.guidelines import AnswerMark, GuidelineQuestion, fingerprints

_HERE = Path(__file__).parent
AgentSet = Literal["old", "new", "later", "latest"]
QUESTIONS_FILES: Mapping[AgentSet, Path] = {
    "old": _HERE / "guideline_agent_questions.jsonl",
    "new": _HERE / "guideline_agent_questions_new.jsonl",
    "later": _HERE / "guideline_agent_questions_later.jsonl",
    "latest": _HERE / "guideline_agent_questions_latest.jsonl",
}
_ANSWERS = 2  # the grade of a recommendation that answers the question, rather than a part of it


class RightAnswer(BaseModel):
    """A recommendation that answers, and what its citation must show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: AnswerMark
    #: As the corpus's reader gives it: "Grade B", "I statement", "Strong Against".
    strength: str
    #: Of publication.
    year: int = Field(ge=1990, le=2100)


class GuidelineAgentQuestion(GuidelineQuestion):
    """A guideline question with what the citation must show."""

    #: Of every one of `answers`.
    strength: str
    year: int = Field(ge=1990, le=2100)
    #: Other recommendations that answer the same, each with a strength and year of its own.
    also: tuple[RightAnswer, ...] = ()

    @property
    def right(self) -> tuple[RightAnswer, ...]:
        """Every recommendation that answers the question, rather than a part of it."""
        best = [answer for answer in self.answers if answer.grade == _ANSWERS]
        return (
            *(RightAnswer(answer=answer, strength=self.strength, year=self.year) for answer in best),
            *self.also,
        )


def guideline_agent_questions(which: AgentSet = "old") -> tuple[GuidelineAgentQuestion, ...]:
    """The questions of a set, in the file's order."""
    lines = QUESTIONS_FILES[which].read_text(encoding="utf-8").splitlines()
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

    def answer_of(citation: Citation) -> RightAnswer | None:
        return next((right for right in question.right if _holds(citation, right.answer)), None)

    written = result.answer.kind is AnswerKind.WRITTEN
    counted = result.answer.used if written else result.answer.citations
    ranks = [rank for rank, citation in enumerate(counted, start=1) if answer_of(citation)]
    cited = counted[ranks[0] - 1] if ranks else None
    right = answer_of(cited) if cited is not None else None
    return GuidelineAgentResult(
        id=question.id,
        rank=ranks[0] if ranks else None,
        shown=any(answer_of(citation) for citation in result.answer.citations),
        strength_shown=cited is not None and right is not None and cited.strength == right.strength,
        year_shown=cited is not None and right is not None and cited.year == right.year,
        citations=len(counted),
        written=written,
        stop_reason=result.stop_reason,
        seconds=result.duration_ms / 1000,
    )


def _holds(citation: Citation, answer: AnswerMark) -> bool:
    return citation.document_id == answer.document_id and answer.sha256 in fingerprints(citation.text, answer.words)


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
