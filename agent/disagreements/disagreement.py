"""What is said of two recommendations that disagree."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class DifferenceKind(StrEnum):
    """On what two recommendations disagree; the value is how it is said to people, after "They differ on"."""

    DIRECTION = "whether to do it"
    CHOICE = "the drug of first choice"
    DOSE = "the dose"
    DURATION = "how long"
    AGE = "from or up to which age"
    INTERVAL = "how often"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Difference(_Record):
    """One point of disagreement, in the words of both."""

    kind: DifferenceKind
    #: The statement of the first recommendation that says so, as it stands there; of the second.
    first: str
    second: str


class Disagreement(_Record):
    """Two citations of one answer that disagree; `first` is the one listed before."""

    #: Display numbers of the citations, from 1.
    first: int
    second: int
    differences: tuple[Difference, ...] = Field(min_length=1)
