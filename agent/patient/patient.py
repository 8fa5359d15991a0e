"""The patient as a question and its conversation tell of them: only what is said, each fact with the words that say it.

What is not said is None or empty, never "no": a question that names no allergy is not a patient without one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

#: In a record always in the same order.
Names = Annotated[frozenset[str], PlainSerializer(sorted, return_type=list[str], when_used="json")]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    #: As the clinician wrote it.
    words: str


class Range(BaseModel):
    """From `low` up to `high`, without it; None has no end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float = 0.0
    high: float | None = None

    def meets(self, other: Range) -> bool:
        """Whether any number lies in both."""
        return (other.high is None or self.low < other.high) and (self.high is None or other.low < self.high)

    def within(self, other: Range) -> bool:
        """Whether all of this lies in the other."""
        return other.low <= self.low and (other.high is None or (self.high is not None and self.high <= other.high))


class Age(_Fact):
    """In years. Where only "child" or "woman" is said, it is what the word allows and `stated` is False."""

    years: Range
    stated: bool = True

    @property
    def told(self) -> str:
        """It as a headline has it: "aged 4", "age: 58M"."""
        return self.words if self.words.casefold().startswith("age") else f"age: {self.words}"


class Sex(_Fact):
    female: bool


class Pregnancy(_Fact):
    holds: bool
    #: Completed weeks, as a range; None where they are not said.
    weeks: Range | None = None


class BreastFeeding(_Fact):
    holds: bool


class Renal(_Fact):
    """Filtration in ml/min (per 1.73 m2 for an eGFR); a stage of kidney disease is the range it stands for (KDIGO)."""

    filtration: Range
    measure: Literal["egfr", "clearance", "either"]
    dialysis: bool = False


class Liver(StrEnum):
    """How the liver is, as far as it is said."""

    NORMAL = "normal"
    #: Liver disease of unknown or lesser degree, cirrhosis among it.
    DISEASE = "disease"
    #: Acute or active hepatitis.
    ACTIVE = "active"
    #: Child-Pugh C, decompensated, failing, or called severe.
    SEVERE = "severe"


class Hepatic(_Fact):
    state: Liver


class Allergy(_Fact):
    """`names` are drugs or classes as `agent.patient.names` knows them."""

    names: Names
    #: None where the reaction is not described.
    severe: bool | None = None
    #: An intolerance is no allergy: something to look into.
    intolerance: bool = False


class CurrentDrug(_Fact):
    names: Names


class Condition(_Fact):
    name: str


class Patient(BaseModel):
    """Everything that was said of the patient."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    age: Age | None = None
    sex: Sex | None = None
    pregnancy: Pregnancy | None = None
    breast_feeding: BreastFeeding | None = None
    renal: Renal | None = None
    hepatic: Hepatic | None = None
    allergies: tuple[Allergy, ...] = ()
    #: The words that deny any allergy ("NKDA"); None where none do.
    no_allergies: str | None = None
    #: Drugs and classes that the patient is said not to be allergic to.
    tolerated: Names = frozenset()
    drugs: tuple[CurrentDrug, ...] = ()
    conditions: tuple[Condition, ...] = ()
    #: Conditions that are said not to be there.
    denied: Names = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether anything was said of the patient."""
        return self != NOBODY

    @property
    def is_pregnant(self) -> bool:
        """Whether the patient was said to be pregnant."""
        return self.pregnancy is not None and self.pregnancy.holds


NOBODY = Patient()
