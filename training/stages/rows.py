"""The rows that `clinsearch rollouts export --format sft-tokens` writes, as a trainer takes them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.export.supervised import IGNORED
from training.stages.errors import TrainingDataError


class Origin(BaseModel):
    """What a row says of where it came from."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    model: str
    prompt_sha256: str
    template_sha256: str | None = None
    question_source: str
    licence: str | None
    training_consent: bool


class TokenRow(BaseModel):
    """One row: ids of prompt and samples, and labels that are -100 wherever nothing was sampled."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    provenance: Origin


class DataFile(BaseModel):
    """What the card says of one file that was trained on."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str
    rows: Annotated[int, Field(ge=0)]
    tokens: Annotated[int, Field(ge=0)]
    loss_tokens: Annotated[int, Field(ge=0)]
    licences: Mapping[str, int]
    sources: Mapping[str, int]


def read_token_rows(path: Path, max_tokens: int) -> list[TokenRow]:
    """Every row of a file.

    Raises:
        TrainingDataError: it cannot be read, is empty, or has a row that is broken, too long, trains nothing or that
            nobody agreed to.
    """
    rows = []
    for number, line in lines(path):
        try:
            row = TokenRow.model_validate_json(line)
        except ValidationError as error:
            raise TrainingDataError(
                f"{path.name} line {number} is not a row of `clinsearch rollouts export --format sft-tokens`."
            ) from error
        why = _refusal(row, max_tokens)
        if why is not None:
            raise TrainingDataError(f"{path.name} line {number}: {why}.")
        rows.append(row)
    if not rows:
        raise TrainingDataError(f"{path.name} has no rows.")
    return rows


def describe(path: Path, rows: Sequence[TokenRow]) -> DataFile:
    """The file for the card."""
    return DataFile(
        name=path.name,
        sha256=file_sha256(path),
        rows=len(rows),
        tokens=sum(len(row.input_ids) for row in rows),
        loss_tokens=sum(label != IGNORED for row in rows for label in row.labels),
        licences=Counter(row.provenance.licence or "none stated" for row in rows),
        sources=Counter(row.provenance.question_source for row in rows),
    )


def mixed(own: Sequence[TokenRow], earlier: Sequence[TokenRow], share: float) -> list[TokenRow]:
    """All of `own` and so many of `earlier` that they are `share` of the whole, chosen by hash of what they hold."""
    wanted = min(len(earlier), round(len(own) * share / (1 - share))) if share < 1 else len(earlier)
    by_hash = sorted(earlier, key=lambda row: hashlib.sha256(json.dumps(row.input_ids).encode()).digest())
    return [*own, *by_hash[:wanted]]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, from 1; empty ones are left out. Raises TrainingDataError: it cannot be read."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingDataError(f"{path.name} cannot be read: {type(error).__name__}.") from error


def _refusal(row: TokenRow, max_tokens: int) -> str | None:
    if len(row.input_ids) != len(row.labels):
        return "ids and labels differ in number"
    if len(row.input_ids) > max_tokens:
        return f"{len(row.input_ids)} tokens, more than max_tokens = {max_tokens}; export it with --max-tokens"
    if all(label == IGNORED for label in row.labels):
        return "no token of it was sampled, so there is nothing to learn"
    if any(label not in (IGNORED, token) for token, label in zip(row.input_ids, row.labels, strict=True)):
        return "a label is another token than the one in its place"
    if not row.provenance.training_consent:
        return "its training was not agreed to"
    return None
