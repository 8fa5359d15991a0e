"""Training examples: a question with passages that answer it to different degrees.

Grades are the gains of MEDIQA's scale: 3 answers it, 2 answers in part, 1 is about the same thing, 0 does not help.
Kept as JSON lines in the run's folder, which holds corpus text and is no part of the project.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Origin = Literal["medquad", "nigeria", "mmwr", "mediqa"]


class Group(BaseModel):
    """One question with graded passages, the texts as the reranker reads them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Origin
    question: str
    passages: Annotated[tuple[str, ...], Field(min_length=2)]
    #: One a passage, 0 .. 3.
    grades: tuple[int, ...]


def write_groups(path: Path, groups: Iterable[Group]) -> None:
    """Write one group a line."""
    path.write_text("".join(group.model_dump_json() + "\n" for group in groups), encoding="utf-8")


def read_groups(path: Path) -> tuple[Group, ...]:
    """Read what `write_groups` wrote. Raises OSError or ValueError."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return tuple(Group.model_validate_json(line) for line in lines if line)


def groups_hash(groups: Iterable[Group]) -> str:
    """SHA-256 (hex) of the groups in their order: two runs with one hash trained on the same thing."""
    digest = hashlib.sha256()
    for group in groups:
        digest.update(group.model_dump_json().encode())
    return digest.hexdigest()
