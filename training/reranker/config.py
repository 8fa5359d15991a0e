"""What a training run of the reranker does: one small record, part of the adapter's card.

Read from a TOML file where one is given; every value has a default, and the defaults are those of the adapter
that ships. Nothing else decides the result besides the corpora and the question sets it is kept apart from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from training.config_file import read_config_file

_Share = Annotated[float, Field(ge=0, le=1)]


class RerankerConfig(BaseModel):
    """Settings of data and training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 20261121

    #: Questions taken from each corpus at most, after decontamination.
    medquad_questions: Annotated[int, Field(ge=0)] = 900
    #: Of MedQuAD, at most this many of one form ("What causes * ?"): a few forms make up most of it.
    questions_of_a_form: Annotated[int, Field(ge=1)] = 60
    nigeria_questions: Annotated[int, Field(ge=0)] = 400
    mmwr_questions: Annotated[int, Field(ge=0)] = 200
    #: Passages of the same page that answer another question: "related", grade 1.
    related: Annotated[int, Field(ge=0)] = 1
    #: Passages of other pages that the product's own hybrid search puts high: grade 0.
    mined: Annotated[int, Field(ge=1)] = 3
    #: They are drawn from these ranks (from 1) of the search.
    mined_from: Annotated[int, Field(ge=1)] = 1
    mined_to: Annotated[int, Field(ge=1)] = 30
    #: How often a question names the condition by another of its names, and how often a passage goes without title.
    synonym_share: _Share = 0.3
    untitled_share: _Share = 0.2
    #: How often a question is put in a hurried clinician's few words.
    terse_share: _Share = 0.5
    #: Of the questions with a page of their own, kept out of training to choose the weight of the stage.
    held_out_questions: Annotated[int, Field(ge=0)] = 200

    #: What training takes of the data: the first groups, and the first passages of each (the answer comes first).
    trained_groups: Annotated[int, Field(ge=1)] = 1500
    trained_passages: Annotated[int, Field(ge=2)] = 5
    #: Tokens of question and passage together after which the passage is cut, in training and in use.
    trained_tokens: Annotated[int, Field(ge=32, le=512)] = 112
    max_tokens: Annotated[int, Field(ge=32, le=512)] = 160
    rank: Annotated[int, Field(ge=1, le=128)] = 32
    alpha: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 1.5e-4
    head_learning_rate: Annotated[float, Field(gt=0)] = 5e-4
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup_share: _Share = 0.06
    groups_per_step: Annotated[int, Field(ge=1)] = 8
    #: Passes over the questions from the corpora, then over the graded answers with half as many corpus groups.
    epochs: Annotated[int, Field(ge=1)] = 1
    graded_epochs: Annotated[int, Field(ge=0)] = 2
    #: How much of what was learnt may be kept; the one that serves a development set best is.
    kept_shares: Annotated[tuple[_Share, ...], Field(min_length=1)] = (0.25, 0.5, 1.0)
    #: Candidates that are reranked where the adapter is measured.
    candidates: Annotated[int, Field(ge=2, le=100)] = 20
    checkpoint_steps: Annotated[int, Field(ge=1)] = 20
    threads: Annotated[int, Field(ge=1, le=64)] = 1


def read_config(path: Path | None) -> RerankerConfig:
    """The config in a TOML file; the defaults where there is no file.

    Raises:
        TrainingConfigError: it cannot be read, or a value is unknown or out of range.
    """
    if path is None:
        return RerankerConfig()
    return read_config_file(path, RerankerConfig)
