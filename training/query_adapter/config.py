"""What a training run of the query adapter does: one small record, part of the adapter's card.

Read from a TOML file where one is given; the defaults are those of the adapter that ships.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from training.config_file import read_config_file

_Share = Annotated[float, Field(ge=0, le=1)]


class QueryAdapterConfig(BaseModel):
    """Settings of training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    rank: Annotated[int, Field(ge=1, le=128)] = 16
    alpha: Annotated[int, Field(ge=1)] = 32
    #: Tokens after which a question is cut, in training and in use.
    max_tokens: Annotated[int, Field(ge=32, le=256)] = 128
    #: Cosines are divided by this before the softmax over all passages.
    temperature: Annotated[float, Field(gt=0, le=1)] = 0.025
    learning_rate: Annotated[float, Field(gt=0)] = 5e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup_steps: Annotated[int, Field(ge=1)] = 20
    #: The learning rate falls to this share of itself.
    floor_share: _Share = 0.02
    questions_per_step: Annotated[int, Field(ge=1)] = 64
    epochs: Annotated[int, Field(ge=1)] = 1
    #: How much of what was learnt may be kept; what serves the development questions best is.
    kept_shares: Annotated[tuple[_Share, ...], Field(min_length=1)] = (0.5, 0.75, 1.0)
    threads: Annotated[int, Field(ge=1, le=64)] = 2


def read_query_config(path: Path | None) -> QueryAdapterConfig:
    """The config in a TOML file; the defaults where there is no file.

    Raises:
        TrainingConfigError: it cannot be read, or a value is unknown or out of range.
    """
    if path is None:
        return QueryAdapterConfig()
    return read_config_file(path, QueryAdapterConfig)
