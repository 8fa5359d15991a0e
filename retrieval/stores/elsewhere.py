"""What a store keeps outside its folder: the collection of a generation on a Qdrant server, named in `server.json`.

Apart from the server store, so that it can be named without that store's client, and after the operator left it.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

RECORD_FILE = "server.json"


class ServerRecord(BaseModel):
    """`server.json`: which collection holds a generation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    url: str
    collection: str
    points: int
    dimension: int


def kept_elsewhere(directory: Path) -> ServerRecord | None:
    """What the store in `directory` keeps on a server; None where it keeps nothing there or does not say what."""
    try:
        return ServerRecord.model_validate_json((directory / RECORD_FILE).read_bytes())
    except (OSError, ValidationError):
        return None
