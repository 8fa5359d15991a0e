"""The condition question set: does the right condition come first when a clinician asks?

One question per starter condition, written from the condition names alone by someone who had not
seen the recommendations, and never used for tuning. A question counts as right when a citation among
the first three belongs to its condition. Answers the model wrote and labelled fallbacks are counted
apart, because only the first say anything about the model.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent import AnswerKind, ClinicalAgent, Origin, Question, RunSummary

QUESTIONS_FILE = Path(__file__).parent / "condition_questions.jsonl"
FIRST = 3


class ConditionQuestion(BaseModel):
    """A question and the starter file that answers it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    question: str


class ConditionResult(BaseModel):
    """One asked question; `rank` is the first citation of the right condition, None when there is none."""

    model_config = ConfigDict(frozen=True)

    id: str
    rank: int | None
    written: bool
    stop_reason: str
    seconds: float

    @property
    def right(self) -> bool:
        return self.rank is not None and self.rank <= FIRST


class ConditionReport(BaseModel):
    """All results; shares are over all questions asked."""

    model_config = ConfigDict(frozen=True)

    results: tuple[ConditionResult, ...]

    @property
    def share_right(self) -> float:
        """Share with the right condition among the first three citations, in [0, 1]."""
        return sum(result.right for result in self.results) / len(self.results)

    def table(self) -> str:
        """The figures as lines of text."""
        lines = []
        for name, group in (
            ("all", self.results),
            ("model-written", tuple(r for r in self.results if r.written)),
            ("labelled fallback", tuple(r for r in self.results if not r.written)),
        ):
            right = sum(result.right for result in group)
            share = f"{right / len(group):.1%}" if group else "-"
            lines.append(f"{name:18} {right:3} of {len(group):3} right in the first {FIRST}   {share}")
        stops = Counter(result.stop_reason for result in self.results)
        lines.append("stop reasons: " + ", ".join(f"{name} {count}" for name, count in stops.most_common()))
        seconds = sorted(result.seconds for result in self.results)
        lines.append(f"seconds per question: median {seconds[len(seconds) // 2]:.2f}, longest {seconds[-1]:.2f}")
        lines += [f"missed: {result.id} (rank {result.rank})" for result in self.results if not result.right]
        return "\n".join(lines)


def condition_questions(path: Path = QUESTIONS_FILE) -> tuple[ConditionQuestion, ...]:
    """The questions, in the file's order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(ConditionQuestion.model_validate(json.loads(line)) for line in lines)


def judge(question: ConditionQuestion, result: RunSummary) -> ConditionResult:
    """Score one outcome. A starter passage's id begins with "starter/<condition id>/"."""
    prefix = f"starter/{question.id}/"
    ranks = [i for i, c in enumerate(result.answer.citations, start=1) if c.passage_id.startswith(prefix)]
    return ConditionResult(
        id=question.id,
        rank=min(ranks, default=None),
        written=result.answer.kind is AnswerKind.WRITTEN,
        stop_reason=result.stop_reason,
        seconds=result.duration_ms / 1000,
    )


async def evaluate_conditions(agent: ClinicalAgent, questions: Sequence[ConditionQuestion]) -> ConditionReport:
    """Ask every question, one after the other, through the same agent the service uses."""
    results = []
    for question in questions:
        result = await agent.ask(Question(text=question.question), origin=Origin("eval/conditions", split="eval"))
        results.append(judge(question, result))
    return ConditionReport(results=tuple(results))
