"""Reading a TOML file of settings into its model, with one sentence for whatever is wrong with it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from training.errors import TrainingConfigError

_Config = TypeVar("_Config", bound=BaseModel)


def read_config_file(path: Path, kind: type[_Config]) -> _Config:
    """The settings in a file.

    Raises:
        TrainingConfigError: it cannot be read, or a value is unknown or out of range.
    """
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TrainingConfigError(f"The config {path.name} cannot be read: {type(error).__name__}.") from error
    except ValidationError as error:
        raise TrainingConfigError(f"In the config {path.name}, {first_fault(error)}.") from error


def first_fault(error: ValidationError) -> str:
    """Where the first wrong value stands, and why it is wrong."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
