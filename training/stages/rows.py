"""The rows that `clinsearch rollouts export --format sft-tokens` writes, as a trainer takes them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from training.errors import TrainingDataError
from training.export.supervised import IGNORED

_Row = TypeVar("_Row")


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
    return checked_rows(path, "sft-tokens", TokenRow.model_validate_json, lambda row: _refusal(row, max_tokens))


def checked_rows(
    path: Path, format: str, parse: Callable[[str], _Row], refusal: Callable[[_Row], str | None]
) -> list[_Row]:
    """Every row of a file in one format of `rollouts export`; `refusal` says why a row may not be trained on.

    Raises:
        TrainingDataError: the file cannot be read or is empty, or a row is broken or refused.
    """
    rows = []
    for number, line in lines(path):
        try:
            row = parse(line)
        except ValueError as error:
            raise TrainingDataError(
                f"{path.name} line {number} is not a row of `clinsearch rollouts export --format {format}`."
            ) from error
        why = refusal(row)
        if why is not None:
            raise TrainingDataError(f"{path.name} line {number}: {why}.")
        rows.append(row)
    if not rows:
        raise TrainingDataError(f"{path.name} has no rows.")
    return rows


def describe(path: Path, rows: Sequence[TokenRow]) -> DataFile:
    """The file for the card."""
    return data_file(
        path,
        [row.provenance for row in rows],
        tokens=sum(len(row.input_ids) for row in rows),
        loss_tokens=sum(label != IGNORED for row in rows for label in row.labels),
    )


def data_file(path: Path, origins: Sequence[Origin], *, tokens: int, loss_tokens: int) -> DataFile:
    """What the card says of a file whose rows come from `origins`."""
    return DataFile(
        name=path.name,
        sha256=file_sha256(path),
        rows=len(origins),
        tokens=tokens,
        loss_tokens=loss_tokens,
        licences=Counter(origin.licence or "none stated" for origin in origins),
        sources=Counter(origin.question_source for origin in origins),
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
