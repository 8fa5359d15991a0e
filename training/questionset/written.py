"""Questions written for this project, in the words of a ward and not of the passage that answers them.

`written.jsonl` holds questions written by language models that read one passage each, and the passages that answer,
named by id, as another reading judged them among what a search found. Who wrote and judged, and how, is in the
decision on questions (docs/adr). They are trained on and never tested with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.actions import Missing
from retrieval import PassageId, SourceId
from training.questions import QuestionKind, TrainingQuestion
from training.questionset.judged import queries_for
from training.questionset.library_words import LibraryWords
from training.questionset.real import read_rows

WRITTEN_FILE = Path(__file__).with_name("written.jsonl")
_KINDS = frozenset(
    {QuestionKind.ANSWERABLE, QuestionKind.UNANSWERABLE, QuestionKind.MULTI_HOP, QuestionKind.UNDERSPECIFIED}
)


class WrittenQuestion(BaseModel):
    """One line of `written.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=5, max_length=400)
    kind: QuestionKind
    #: The source a good search goes to.
    source: SourceId
    #: As in `TrainingQuestion`: any one answers, of two needs both are needed.
    gold: tuple[PassageId, ...] = Field(max_length=5)
    #: What the clinician says when asked for the condition; empty where nothing is missing.
    said: str = ""

    @model_validator(mode="after")
    def _whole(self) -> WrittenQuestion:
        if self.kind not in _KINDS:
            raise ValueError(f"a written question is not of kind {self.kind}")
        if (self.kind is QuestionKind.UNANSWERABLE) == bool(self.gold):
            raise ValueError("an unanswerable question has no gold passage, and every other one has")
        if (self.kind is QuestionKind.UNDERSPECIFIED) != bool(self.said):
            raise ValueError("what the clinician says when asked stands with an underspecified question alone")
        if self.kind is QuestionKind.MULTI_HOP and len(self.gold) != 2:
            raise ValueError("a question with two needs has two gold passages")
        return self


def read_written_questions(path: Path = WRITTEN_FILE) -> tuple[WrittenQuestion, ...]:
    """The written questions, in the file's order.

    Raises:
        RealQuestionsError: the file cannot be read, or a line of it is not as stated above.
    """
    return read_rows(path, WrittenQuestion)


def written_questions(rows: Iterable[WrittenQuestion], library: LibraryWords) -> tuple[list[TrainingQuestion], int]:
    """Those whose gold the library holds, and how many were left out because it does not."""
    found: list[TrainingQuestion] = []
    left_out = 0
    for row in rows:
        gold = tuple(id for id in row.gold if id in library)
        if len(gold) < (2 if row.kind is QuestionKind.MULTI_HOP else bool(row.gold)):
            left_out += 1
            continue
        found.append(_question(row, gold, library))
    return found, left_out


def _question(row: WrittenQuestion, gold: tuple[PassageId, ...], library: LibraryWords) -> TrainingQuestion:
    digest = hashlib.sha256("|".join((row.question, row.said)).encode()).hexdigest()
    said = f"{row.said} {row.question}".strip()
    if row.kind is QuestionKind.MULTI_HOP:
        queries = tuple(next(iter(queries_for(said, (id,), library)), said) for id in gold)
    else:
        queries = queries_for(said, gold, library)
    return TrainingQuestion(
        id=f"written-{digest[:16]}",
        question=row.question,
        kind=row.kind,
        source=row.source,
        gold=gold,
        queries=queries,
        missing=Missing.CONDITION if row.said else None,
        case={Missing.CONDITION: row.said} if row.said else {},
        split="train",
        question_source=f"written/{row.source}",
        licence=_licence(gold, library),
        training_consent=True,
    )


def _licence(gold: tuple[PassageId, ...], library: LibraryWords) -> str:
    """Of the question, which is the project's, and of the passages that a run on it will hold."""
    numbers = [number for id in gold if (number := library.number(id)) is not None]
    named = sorted({library.located[number].document.licence or "unknown" for number in numbers})
    return "; ".join(["written for this project", *named])
