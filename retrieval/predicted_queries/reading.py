"""Predicted queries as they lie on disk: lines that name a passage and what it is likely to be asked for with."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from retrieval.documents import PassageId, sha256_of
from retrieval.errors import CorpusError
from retrieval.expansion import expanded

#: What each passage is likely to be asked for with; never an empty tuple.
PredictedQueries = Mapping[PassageId, tuple[str, ...]]

NO_PREDICTED_QUERIES: PredictedQueries = {}
#: Those that come with the package, one file a corpus.
PACKAGED_PREDICTED_QUERIES = tuple(sorted((Path(__file__).parent / "queries").glob("*.jsonl")))


class PredictedFor(BaseModel):
    """One line: a passage and its queries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Of what a reader cut it ends in a hash of headings and text, so queries of a text that was changed meet no
    #: passage any more; of the starter guidelines it is a name: who changes its text reads its queries again.
    passage: PassageId
    queries: Annotated[
        tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=400)], ...],
        Field(min_length=1, max_length=16),
    ]


def read_predicted_queries(paths: Iterable[Path] = PACKAGED_PREDICTED_QUERIES) -> PredictedQueries:
    """The queries of every file; of a passage that several lines name, all of them, each once.

    A last line that a stopped run did not finish is passed over.

    Raises:
        CorpusError: a file cannot be read, or a line is not as `PredictedFor` has it; the message names both.
    """
    read: dict[PassageId, tuple[str, ...]] = {}
    for path in paths:
        try:
            *lines, unfinished = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(
                f"The predicted queries in {path.name} cannot be read: {type(error).__name__}."
            ) from error
        for number, line in enumerate([*lines, unfinished] if _is_json(unfinished) else lines, start=1):
            if not line.strip():
                continue
            try:
                one = PredictedFor.model_validate_json(line)
            except ValidationError as error:
                raise CorpusError(
                    f"{path.name} line {number} holds no predicted queries: "
                    '{"passage": "...", "queries": ["...", ...]} is expected.'
                ) from error
            read[one.passage] = tuple(dict.fromkeys((*read.get(one.passage, ()), *one.queries)))
    return read


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def predicted_hash(predicted: PredictedQueries, passages: Collection[PassageId]) -> str | None:
    """SHA-256 (hex) of the queries that passages of a collection have, as they are encoded; None where none has any."""
    used = sorted((passage, list(map(expanded, predicted[passage]))) for passage in passages if passage in predicted)
    return sha256_of(used) if used else None
