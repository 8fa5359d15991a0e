"""The manifest of a prepared model: what was prepared from what, written beside the weights."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.caution import Caution

MANIFEST_NAME = "model.json"


class ModelManifest(BaseModel):
    """Provenance of a prepared model directory; hashes are SHA-256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: Literal[1] = 1
    base: str
    #: None where the server takes the weights from a hub or a directory of its own: nothing was hashed here.
    base_sha256: str | None
    adapter: str | None = None
    adapter_sha256: str | None = None
    #: None where the served model keeps its own chat template.
    template_sha256: str | None
    prepared_at: datetime
    #: True once an adapter trained for this project's action protocol is merged in or served with it.
    trained: bool
    #: Of the adapter, see `AgentSettings.caution`.
    caution: Caution = Caution()

    @property
    def adapter_version(self) -> str | None:
        """The adapter with the start of its hash, as records of runs name it; None without one."""
        return None if self.adapter is None else f"{self.adapter}@{(self.adapter_sha256 or '')[:12]}"

    def same_inputs(self, other: ModelManifest) -> bool:
        """True when both were prepared from the same things."""
        return self.model_copy(update={"prepared_at": other.prepared_at}) == other


def read_model_manifest(model_dir: Path) -> ModelManifest | None:
    """The manifest in a model directory, or None when there is none that this version understands."""
    try:
        return ModelManifest.model_validate_json((model_dir / MANIFEST_NAME).read_bytes())
    except (OSError, ValidationError):
        return None
