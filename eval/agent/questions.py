"""Questions to evaluate the agent with, and what is known of each: what is not known is None and counts nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.batch import BadLine, BatchTask, read_tasks
from eval.retrieval.errors import OutputError, SetInvalidError, SetMissingError
from retrieval import PassageId
from retrieval.documents import sha256_of
from retrieval.files import write_atomically
from training.questions import QuestionKind, TrainingQuestion

#: Kinds whose answer the corpora hold, though a question of the third must be completed first.
ANSWERED_KINDS = frozenset(
    {QuestionKind.ANSWERABLE, QuestionKind.MULTI_HOP, QuestionKind.UNDERSPECIFIED, QuestionKind.CONVERSATIONAL}
)


@dataclass(frozen=True, slots=True)
class AgentQuestion:
    """One question by the key of its task; see `agent.Question.task_key`."""

    key: str
    id: str
    #: The whole row of a question made for training and testing, with its kind; None for any other row.
    made: TrainingQuestion | None
    #: Whether the corpora hold its answer; None where nobody said, or where no answer is wanted.
    answerable: bool | None
    #: Passages that answer it; None where nobody said, never empty.
    gold: tuple[PassageId, ...] | None
    #: Words that an answer must contain; None where none are stated.
    must_have: tuple[str, ...] | None
    #: Asked by a clinician, or written from the corpora; None where nobody said.
    real: bool | None
    #: Whether it lacks what decides the answer; None where nobody said.
    needs_context: bool | None = None
    #: Name of the set it belongs to, where a file holds several.
    of_set: str | None = None
    #: Passages that the conversation before it rests on.
    earlier: frozenset[PassageId] = frozenset()

    @property
    def kind(self) -> QuestionKind | None:
        """What a good run does with it, None where nobody said."""
        return self.made.kind if self.made is not None else None


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str | None = None
    kind: QuestionKind | None = None
    answerable: bool | None = None
    gold: tuple[PassageId, ...] = Field(default=())
    must_have: tuple[str, ...] = ()
    real: bool | None = None
    needs_context: bool | None = None
    of_set: str | None = None


def read_questions(path: Path) -> tuple[AgentQuestion, ...]:
    """The questions of a JSONL file in its order, each once.

    A row holds `question`, and `id`, `answerable`, `gold`, `must_have` and `needs_context` where they are known; or it
    is a row of a file of training questions.

    Raises:
        SetMissingError, SetInvalidError: there is no file; a row is wrong, by its line.
    """
    if not path.is_file():
        raise SetMissingError(f"There is no file of questions at {path}.")
    found: dict[str, AgentQuestion] = {}
    named: dict[str, str] = {}
    for task in read_tasks(path):
        if isinstance(task, BadLine):
            raise SetInvalidError(f"{path.name} line {task.line}: {task.why}.")
        try:
            question = _question(task)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise SetInvalidError(f"{path.name} line {task.line}: {where or 'row'}: {first['msg']}.") from error
        if named.setdefault(question.id, task.key) != task.key:
            raise SetInvalidError(f"{path.name} line {task.line}: another question has the id {question.id}.")
        found.setdefault(task.key, question)
    return tuple(found.values())


def _question(task: BatchTask) -> AgentQuestion:
    key, values = task.key, task.row
    row = _Row.model_validate(values)
    made = None
    answerable = row.answerable
    if row.kind is not None:
        known = TrainingQuestion.model_fields
        made = TrainingQuestion.model_validate({name: value for name, value in values.items() if name in known})
        able = {QuestionKind.UNANSWERABLE: False, QuestionKind.NO_SEARCH: None}
        answerable = able.get(row.kind, True)
    return AgentQuestion(
        key=key,
        id=row.id or key[:12],
        made=made,
        answerable=answerable,
        gold=row.gold or None,
        must_have=row.must_have or None,
        real=row.real if made is None else made.real,
        needs_context=row.needs_context if made is None else made.kind is QuestionKind.UNDERSPECIFIED,
        of_set=row.of_set,
        earlier=frozenset(name for turn in task.question.history for name in turn.passage_ids),
    )


def chosen_keys(questions: Sequence[AgentQuestion], *, limit: int | None, reliability: int | None) -> frozenset[str]:
    """Keys of the questions to ask: all, the first `limit`, or `reliability` answerable ones with gold passages.

    The latter are those whose hashed ids come first: always the same of one file, whatever its order.
    """
    if reliability is not None:
        able = [question for question in questions if question.answerable and question.gold]
        able.sort(key=lambda question: sha256_of(["reliability", question.id]))
        return frozenset(question.key for question in able[:reliability])
    return frozenset(question.key for question in questions[:limit])


def write_questions(source: Path, target: Path, keys: frozenset[str]) -> None:
    """Copy the rows of these questions, marked so that their runs are never trained on.

    Raises OutputError.
    """
    tasks = (task for task in read_tasks(source) if not isinstance(task, BadLine))
    write_marked(target, (task.row for task in tasks if task.key in keys))


def write_marked(target: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows of questions, marked so that their runs are never trained on; returns how many there are.

    Raises OutputError.
    """
    count = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(target) as file:
            for row in rows:
                marked = {**row, "split": "eval", "training_consent": False}
                file.write(json.dumps(marked, ensure_ascii=False).encode() + b"\n")
                count += 1
    except OSError as error:
        raise OutputError(f"{target.name} could not be written: {error.strerror}.") from error
    return count
