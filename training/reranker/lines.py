"""The data of a run, kept as one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

_Row = TypeVar("_Row", bound=BaseModel)


def write_lines(path: Path, rows: Iterable[BaseModel]) -> None:
    """Write one row a line."""
    path.write_text("".join(row.model_dump_json() + "\n" for row in rows), encoding="utf-8")


def read_lines(path: Path, row: type[_Row]) -> tuple[_Row, ...]:
    """Read what `write_lines` wrote. Raises OSError or ValueError."""
    # Only line feeds end a line: a text may hold the other characters that `splitlines` splits at.
    lines = path.read_text(encoding="utf-8").split("\n")
    return tuple(row.model_validate_json(line) for line in lines if line)
