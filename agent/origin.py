"""Where a question came from: what a run records about it besides its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Split = Literal["prod", "train", "eval"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Provenance of one asking of a question."""

    #: Who asks: "service", "cli", or the name of a file of questions.
    question_source: str = "service"
    #: Whether the run may be trained on; never assumed.
    training_consent: bool = False
    licence: str | None = None
    split: Split = "prod"
    #: Counts askings of the same question in one batch, from 0.
    rep: int = 0
    #: Sampling seed of this run; None leaves the deployment's.
    seed: int | None = None
    #: Task key of the first turn, where the run is part of a batch; its turns share it.
    episode: str | None = None


FROM_SERVICE = Origin()
