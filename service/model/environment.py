"""The model server's own environment, as the set-up script leaves it beside the source tree.

It is separate because the server's dependencies do not fit the product's. This module only finds it
and says whether it was made for a GPU; it never imports from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from service.model.errors import ModelEnvironmentError

Device = Literal["cpu", "gpu"]

DEFAULT_PLACE = Path(__file__).resolve().parents[2] / ".venv-model"


class _Stamp(BaseModel):
    """The part that matters here of what the set-up script writes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Device
    done: Literal["model"]


@dataclass(frozen=True)
class ModelEnvironment:
    """A Python with vLLM in it."""

    python: Path
    device: Device


def find_model_environment(place: Path = DEFAULT_PLACE) -> ModelEnvironment | None:
    """The environment at `place`, or None where none was finished."""
    try:
        stamp = _Stamp.model_validate_json((place / "clinsearch.json").read_bytes())
    except (OSError, ValidationError):
        return None
    python = place / "bin" / "python"
    return ModelEnvironment(python=python, device=stamp.kind) if python.exists() else None


def need_model_environment(place: Path = DEFAULT_PLACE) -> ModelEnvironment:
    """Like `find_model_environment`.

    Raises:
        ModelEnvironmentError: none was finished.
    """
    environment = find_model_environment(place)
    if environment is None:
        raise ModelEnvironmentError(
            "The model server is not installed: run `make up`, or set CLINSEARCH_MODEL_URL to another server."
        )
    return environment
