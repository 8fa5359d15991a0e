"""A file of questions, read one line at a time, so its size does not matter.

Each line is a JSON object with `question` and optionally `history`, `filters`, `question_source`,
`licence`, `training_consent` and `split`; other fields are handed on unread, so a file may carry gold passages
or a hidden case. `.xz` files are read as they are.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.batch.errors import BatchError
from agent.errors import QuestionError
from agent.origin import Split
from agent.question import Question, Turn, clean_question
from retrieval import SearchFilters

#: A question with ten long earlier turns is far below this; a longer line is not a question.
_MAX_LINE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` (from 0) of `count` disjoint parts of a file, by the hash of the task."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise BatchError(f"A shard is written i/n with i from 0 to n-1, not {self.index}/{self.count}.")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From "i/n". Raises BatchError."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
        if match is None:
            raise BatchError(f"A shard is written i/n, for example 0/4, not {text[:20]!r}.")
        return cls(int(match[1]), int(match[2]))

    def holds(self, task_key: str) -> bool:
        """Whether a task belongs to this part."""
        return int(task_key[:15], 16) % self.count == self.index


ALL_SHARDS = Shard(0, 1)


@dataclass(frozen=True, slots=True)
class BatchTask:
    """One question to ask, and what its runs record about where it came from."""

    line: int
    question: Question
    question_source: str
    licence: str | None
    training_consent: bool
    split: Split
    #: The whole line as it stands.
    row: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The same for every asking of this question; see `Question.task_key`."""
        return self.question.task_key


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no question that can be asked."""

    line: int
    why: str


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    question: str
    history: tuple[Turn, ...] = Field(default=(), strict=False)
    filters: SearchFilters = Field(default=SearchFilters(), strict=False)
    question_source: str | None = None
    licence: str | None = None
    training_consent: bool = False
    split: Split = "train"


def read_tasks(path: Path, shard: Shard = ALL_SHARDS) -> Iterator[BatchTask | BadLine]:
    """The tasks of one shard in the file's order; bad lines are handed over by shard 0 alone.

    Raises:
        BatchError: the file cannot be read.
    """
    for number, line in _lines(path):
        task = _task(number, line, path.name)
        if isinstance(task, BadLine):
            if shard.index == 0:
                yield task
        elif shard.holds(task.key):
            yield task


def count_lines(path: Path) -> int:
    """Lines that hold anything. Raises BatchError."""
    return sum(1 for _ in _lines(path))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with _open(path) as file:
            number = 0
            while line := file.readline(_MAX_LINE_BYTES):
                number += 1
                if len(line) == _MAX_LINE_BYTES and not line.endswith(b"\n"):
                    raise BatchError(f"{path.name} line {number} is longer than {_MAX_LINE_BYTES:,} bytes.")
                if line.strip():
                    yield number, line
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise BatchError(f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _open(path: Path) -> IO[bytes]:
    return lzma.open(path, "rb") if path.suffix == ".xz" else path.open("rb")


def _task(number: int, line: bytes, name: str) -> BatchTask | BadLine:
    try:
        value = json.loads(line)
        row = _Row.model_validate(value)
        question = Question(text=clean_question(row.question), history=row.history, filters=row.filters)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return BadLine(number, f"{where or 'row'}: {first['msg']}")
    except QuestionError as error:
        return BadLine(number, str(error))
    except (ValueError, RecursionError):
        return BadLine(number, "is not a JSON object")
    return BatchTask(
        line=number,
        question=question,
        question_source=row.question_source or name,
        licence=row.licence,
        training_consent=row.training_consent,
        split=row.split,
        row=value,
    )
