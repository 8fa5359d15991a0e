"""The patient question set: is a recommendation that is not for the patient kept from being the answer?

Forty questions name a patient who must not get the obvious recommendation, forty twins one who may, so that a rule that
flags everything fails. They were written before the rules they measure; the half `kept` was looked at only once these
were finished. By the same author, so the figures say that the rules do what they are for, not how often a ward's own
words escape them.

A question with a conflict is handled if the recommendation is ruled out and, in a run, no sentence rests on it and
wherever it is listed it is headlined. A twin is wrongly flagged if it is ruled out. What is only "to check" counts as
neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent import Citation, ClinicalAgent, Origin, Question, RunSummary, Turn
from agent.patient import FactKind, conflicts_of, read_patient, rules_out
from retrieval import Passage, PassageId

QUESTIONS_FILE = Path(__file__).parent / "patient_questions.jsonl"

Half = Literal["seen", "kept"]


class PatientQuestion(BaseModel):
    """A question, the recommendation it asks for, and whether that one is for this patient."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    half: Half
    kind: FactKind
    conflict: bool
    question: str
    history: tuple[Turn, ...] = ()
    recommendation: PassageId
    why: str


class PatientResult(BaseModel):
    """One question, by the rules alone and, where it was asked, in a run."""

    model_config = ConfigDict(frozen=True)

    id: str
    half: Half
    kind: FactKind
    conflict: bool
    #: The rules say that all or part of the recommendation is not for this patient.
    ruled_out: bool
    #: The rules ask to check something.
    to_check: bool
    #: In the run: the recommendation was listed or cited; None where none was made.
    listed: bool | None = None
    #: In the run: it was the answer, or listed without a headline.
    shown_as_if_it_applied: bool | None = None
    stop_reason: str | None = None

    @property
    def right(self) -> bool:
        """Whether a conflict was handled, or a twin left alone."""
        if self.conflict:
            return self.ruled_out and not self.shown_as_if_it_applied
        return not self.ruled_out


class PatientReport(BaseModel):
    """All results."""

    model_config = ConfigDict(frozen=True)

    results: tuple[PatientResult, ...]

    def table(self) -> str:
        """The figures as lines of text: each half, then each kind, then what went wrong."""
        lines = [f"{'':20} {'handled':>12} {'wrongly flagged':>17} {'to check only':>15}"]
        groups: list[tuple[str, list[PatientResult]]] = [("all", list(self.results))]
        groups += [(f"half {half}", [r for r in self.results if r.half == half]) for half in ("seen", "kept")]
        groups += [(str(kind), [r for r in self.results if r.kind is kind]) for kind in FactKind]
        lines += [_row(name, group) for name, group in groups if group]
        run = [result for result in self.results if result.listed is not None]
        if run:
            listed = sum(bool(result.listed) for result in run if result.conflict)
            asked = sum(result.conflict for result in run)
            lines.append(
                f"in runs: of {asked} recommendations not for the patient {listed} were listed, with a headline"
            )
        lines += [f"wrong: {result.id}" for result in self.results if not result.right]
        return "\n".join(lines)


def _row(name: str, group: Iterable[PatientResult]) -> str:
    group = list(group)
    against, twins = [r for r in group if r.conflict], [r for r in group if not r.conflict]
    handled, flagged = sum(r.right for r in against), sum(not r.right for r in twins)
    to_check = sum(r.to_check and not r.ruled_out for r in group)
    return f"{name:20} {handled:4} of {len(against):4} {flagged:9} of {len(twins):4} {to_check:15}"


def patient_questions(path: Path = QUESTIONS_FILE) -> tuple[PatientQuestion, ...]:
    """The questions, in the file's order."""
    return tuple(PatientQuestion.model_validate_json(line) for line in path.read_text("utf-8").splitlines())


def judge_by_rules(question: PatientQuestion, passage: Passage) -> PatientResult:
    """What the rules say of the recommendation that is asked for."""
    patient = read_patient([*(turn.question for turn in question.history), question.question])
    conflicts = conflicts_of(patient, passage)
    return PatientResult(
        id=question.id,
        half=question.half,
        kind=question.kind,
        conflict=question.conflict,
        ruled_out=rules_out(conflicts),
        to_check=bool(conflicts),
    )


def judge_run(result: PatientResult, question: PatientQuestion, summary: RunSummary) -> PatientResult:
    """The same with what a run did with the recommendation."""
    answer = summary.answer
    mine = [citation for citation in answer.citations if citation.passage_id == question.recommendation]
    return result.model_copy(
        update={
            "listed": bool(mine),
            "shown_as_if_it_applied": any(_applies(citation, answer.used) for citation in mine),
            "ruled_out": result.ruled_out or any(citation.is_ruled_out for citation in mine),
            "stop_reason": str(summary.stop_reason),
        }
    )


def _applies(citation: Citation, used: Sequence[Citation]) -> bool:
    headlined = any(conflict.headline in citation.labels for conflict in citation.conflicts)
    return citation in used or not citation.is_ruled_out or not headlined


def evaluate_rules(questions: Sequence[PatientQuestion], passages: dict[PassageId, Passage]) -> PatientReport:
    """Every question by the rules alone.

    Raises:
        KeyError: a recommendation is not among the passages.
    """
    return PatientReport(results=tuple(judge_by_rules(item, passages[item.recommendation]) for item in questions))


async def evaluate_patients(
    agent: ClinicalAgent, questions: Sequence[PatientQuestion], passages: dict[PassageId, Passage]
) -> PatientReport:
    """Ask every question, one after the other, through the same agent the service uses."""
    results = []
    for question in questions:
        asked = Question(text=question.question, history=question.history)
        summary = await agent.ask(asked, origin=Origin("eval/patients", split="eval"))
        results.append(judge_run(judge_by_rules(question, passages[question.recommendation]), question, summary))
    return PatientReport(results=tuple(results))
