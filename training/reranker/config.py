"""What a training run of the reranker does: one small record, part of the adapter's card.

Read from a TOML file where one is given; every value has a default, and the defaults are those of the adapter
that ships. Nothing else decides the result besides the questions, the library and the index that is searched.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.config_file import read_config_file

_Share = Annotated[float, Field(ge=0, le=1)]


class RerankerConfig(BaseModel):
    """Settings of data and training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1

    #: Hits of the search that negatives are taken from.
    hits: Annotated[int, Field(ge=2, le=100)] = 60
    #: Passages of a group that are no answer.
    negatives: Annotated[int, Field(ge=1)] = 5
    #: For written questions most of them are drawn from this many first hits, and this many from those after them.
    near_hits: Annotated[int, Field(ge=1)] = 8
    far_negatives: Annotated[int, Field(ge=0)] = 2
    #: Where the first hits were read: at most this many that answer in part, and this many that were not read.
    partly: Annotated[int, Field(ge=0)] = 2
    far_judged: Annotated[int, Field(ge=0)] = 1
    #: Answers of a group, where several were judged to be one.
    answers: Annotated[int, Field(ge=1)] = 2

    #: Tokens of question and passage together after which the passage is cut, in training and in use.
    trained_tokens: Annotated[int, Field(ge=32, le=512)] = 128
    max_tokens: Annotated[int, Field(ge=32, le=512)] = 128
    rank: Annotated[int, Field(ge=1, le=128)] = 32
    alpha: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 4e-4
    head_learning_rate: Annotated[float, Field(gt=0)] = 5e-4
    #: Of the score of "none of these", and where that score starts.
    none_learning_rate: Annotated[float, Field(gt=0)] = 5e-3
    none_start: float = 10.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup_share: _Share = 0.06
    #: The learning rates fall to this share of themselves.
    floor_share: _Share = 0.05
    groups_per_step: Annotated[int, Field(ge=1)] = 8
    epochs: Annotated[int, Field(ge=1)] = 1

    #: How much of what was learnt may be kept; what serves the development questions best is.
    kept_shares: Annotated[tuple[_Share, ...], Field(min_length=1)] = (0.5, 0.75, 1.0)
    #: Candidates that are reranked where the adapter is measured.
    candidates: Annotated[int, Field(ge=2, le=100)] = 30
    checkpoint_steps: Annotated[int, Field(ge=1)] = 20
    threads: Annotated[int, Field(ge=1, le=64)] = 2

    @model_validator(mode="after")
    def _possible(self) -> RerankerConfig:
        if self.far_negatives > self.negatives:
            raise ValueError("no more negatives can come from far hits than there are")
        if self.partly + self.far_judged > self.negatives:
            raise ValueError("no more passages that answer in part or were not read can be taken than there are")
        if self.candidates > self.hits:
            raise ValueError("no more candidates can be reranked than hits are kept")
        return self

    @property
    def of_data(self) -> dict[str, int]:
        """The settings that the data follows from, besides the questions."""
        return self.model_dump(
            include={
                "seed",
                "hits",
                "negatives",
                "near_hits",
                "far_negatives",
                "partly",
                "far_judged",
                "answers",
                "candidates",
            }
        )


def read_config(path: Path | None) -> RerankerConfig:
    """The config in a TOML file; the defaults where there is no file.

    Raises:
        TrainingConfigError: it cannot be read, or a value is unknown or out of range.
    """
    if path is None:
        return RerankerConfig()
    return read_config_file(path, RerankerConfig)
