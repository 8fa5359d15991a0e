"""Training examples: a question with passages that answer it to different degrees, or with none that does.

Kept as JSON lines in the run's folder, which holds corpus text and is no part of the project.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from training.reranker.questions import Origin

#: Under this are counted the groups of written questions whose first hits were read one by one.
READ_COUNT = "groups of written questions whose first hits were judged"


class Group(BaseModel):
    """One question with graded passages, the texts as the reranker reads them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Origin
    question: str
    passages: Annotated[tuple[str, ...], Field(min_length=2)]
    #: One a passage: 3 answers, 1 answers in part or, of unjudged questions, is of the document that answers, 0 is any
    #: other. All 0: nothing answers.
    grades: tuple[int, ...]


def groups_hash(groups: Iterable[Group]) -> str:
    """SHA-256 (hex) of the groups in their order: two runs with one hash trained on the same thing."""
    digest = hashlib.sha256()
    for group in groups:
        digest.update(group.model_dump_json().encode())
    return digest.hexdigest()
