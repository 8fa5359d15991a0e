"""What a stage reads and where it writes, as one record that a worker process can be given."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from training.stages.config import Stage, StageConfig


class Base(BaseModel):
    """The model that is trained on: where it is, what it is called, and the hash of what it was made from."""

    model_config = ConfigDict(frozen=True)

    path: str
    name: str
    sha256: str | None


class StageFiles(BaseModel):
    """Files of one stage."""

    model_config = ConfigDict(frozen=True)

    data: Path
    output: Path
    dev: Path | None = None
    #: The adapter to start from.
    init: Path | None = None
    #: Self-distillation: rows of the earlier stage, of which a share is mixed in.
    earlier: Path | None = None


class StageRun(BaseModel):
    """One run of one stage."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    files: StageFiles
    base: Base
    config: StageConfig


class Trained(BaseModel):
    """What a run took, for the card."""

    model_config = ConfigDict(frozen=True)

    steps: int
    #: In steps, over all calls that the run took.
    seconds: float
    tokens: int
    #: Of all processes together.
    peak_memory_gb: float
    hardware: str
    dev_loss_before: float | None
    dev_loss: float | None
