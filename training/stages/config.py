"""What one stage does: a small TOML file that ships beside this module, and part of the adapter's card.

Nothing else decides the result besides the data, the base model and the adapter the stage starts from.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from training.config_file import read_config_file

_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=1)]

#: These may differ between two calls of one run: they decide nothing of its weights.
NOT_OF_THE_RUN = frozenset({"processes", "threads", "checkpoint_minutes", "dev_rows", "dev_checks"})


class Stage(StrEnum):
    """The stages, in the order they build on each other."""

    SFT = "sft"
    SELFDISTILL = "selfdistill"
    DPO = "dpo"


class StageConfig(BaseModel):
    """Settings of one stage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 20261121
    #: Low-rank updates of every linear layer but the head; ignored where the stage starts from an adapter.
    rank: Annotated[int, Field(ge=1, le=256)] = 32
    alpha: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0, lt=1)]
    #: Linear warm-up, then a cosine to a tenth.
    warmup_share: _Share = 0.05
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    epochs: Annotated[float, Field(gt=0)] = 1.0
    #: Ends earlier than the epochs would; 0 for no limit.
    max_steps: Annotated[int, Field(ge=0)] = 0
    #: Rows (or pairs) an update is made from, and how many of them are computed at once. One at a time needs no
    #: padding and least memory, and a CPU gains nothing from more; a GPU does, with rows of like length together.
    rows_per_step: _Count = 8
    rows_at_once_cpu: _Count = 1
    rows_at_once_gpu: _Count = 8
    #: A longer row is refused, never cut.
    max_tokens: Annotated[int, Field(ge=64)] = 4096
    #: How many first tokens of each reply weigh more in the loss, and how much: what is decided is said there.
    opening_tokens: Annotated[int, Field(ge=0)] = 0
    opening_weight: Annotated[float, Field(gt=0)] = 1.0
    #: Self-distillation: share of the trained rows that are taken from the earlier stage's data, against forgetting.
    earlier_share: _Share = 0.0
    #: DPO: how strongly the policy is held to where it started, and the weight of plain likelihood of the chosen one.
    beta: Annotated[float, Field(gt=0)] = 0.1
    likelihood_weight: Annotated[float, Field(ge=0)] = 0.0
    #: Held-out rows the loss is measured on, and how often in the course of a run besides the end.
    dev_rows: _Count = 32
    dev_checks: Annotated[int, Field(ge=0)] = 2
    checkpoint_minutes: Annotated[float, Field(gt=0)] = 3.0
    #: On a CPU: processes that share the rows of a step (0: one a core), and threads of each (0: one; with a single
    #: process, as many as there are cores).
    processes: Annotated[int, Field(ge=0, le=64)] = 0
    threads: Annotated[int, Field(ge=0, le=256)] = 0

    def of_the_run(self) -> dict[str, object]:
        """What decides the weights, as plain values."""
        return self.model_dump(mode="json", exclude=set(NOT_OF_THE_RUN))


def read_stage_config(stage: Stage, path: Path | None = None) -> StageConfig:
    """The config in a TOML file; the one that ships for this stage where none is named.

    Raises:
        TrainingConfigError: it cannot be read, or a value is unknown or out of range.
    """
    return read_config_file(path or Path(__file__).with_name(f"{stage}.toml"), StageConfig)
