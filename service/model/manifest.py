"""The manifest of a prepared model: what was prepared from what, written beside the weights."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

MANIFEST_NAME = "model.json"


class ModelManifest(BaseModel):
    """Provenance of a prepared model directory; hashes are SHA-256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: Literal[1] = 1
    base: str
    base_sha256: str
    adapter: str | None = None
    adapter_sha256: str | None = None
    template_sha256: str
    prepared_at: datetime
    #: True once an adapter trained for this project's action protocol is merged in.
    trained: bool


def read_model_manifest(model_dir: Path) -> ModelManifest | None:
    """The manifest in a model directory, or None when there is none that this version understands."""
    try:
        return ModelManifest.model_validate_json((model_dir / MANIFEST_NAME).read_bytes())
    except (OSError, ValidationError):
        return None
