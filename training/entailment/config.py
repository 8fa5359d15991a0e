"""What a training run of the entailment scorer does: one small record, part of the adapter's card.

Read from a TOML file where one is given; every value has a default, and the defaults are those of the adapter that
ships. Nothing else decides the result besides the sentences and the library.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from training.config_file import read_config_file

_Share = Annotated[float, Field(ge=0, le=1)]


class EntailmentConfig(BaseModel):
    """Settings of data and training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1

    #: Of the statements, how many are faithful sentences as they stand.
    verbatim_share: _Share = 0.4
    #: Of the faithful sentences with a number, how many are wrong ones with another number too.
    number_share: _Share = 0.3
    #: Of the faithful sentences, how many are wrong ones beside another statement of the document too.
    elsewhere_share: _Share = 0.2

    #: Layers of the base, from below, that stay as they are; their output is computed once.
    kept_layers: Annotated[int, Field(ge=0, le=6)] = 3
    #: Tokens of sentence and premise together, in training and in use.
    trained_tokens: Annotated[int, Field(ge=32, le=512)] = 160
    max_tokens: Annotated[int, Field(ge=32, le=512)] = 192
    learning_rate: Annotated[float, Field(gt=0)] = 8e-5
    head_learning_rate: Annotated[float, Field(gt=0)] = 6e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup_share: _Share = 0.06
    #: Labels are 1 and 0 less this.
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.02
    pairs_per_step: Annotated[int, Field(ge=1)] = 32
    epochs: Annotated[int, Field(ge=1)] = 3
    #: Share of the wrong sentences that meet an objection which may be shown, see `deciding`.
    most_wrong: _Share = 0.02
    checkpoint_steps: Annotated[int, Field(ge=1)] = 100
    threads: Annotated[int, Field(ge=1, le=64)] = 2


def read_config(path: Path | None) -> EntailmentConfig:
    """The config in a TOML file; the defaults where there is no file.

    Raises:
        TrainingConfigError: it cannot be read, or a value is unknown or out of range.
    """
    return EntailmentConfig() if path is None else read_config_file(path, EntailmentConfig)
