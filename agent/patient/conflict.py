"""Conflicts: what a recommendation says that rules it out for a patient, with the words of both."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from retrieval import PassageId


class FactKind(StrEnum):
    """Which part of the patient a conflict is about."""

    ALLERGY = "allergy"
    PREGNANCY = "pregnancy"
    BREAST_FEEDING = "breast_feeding"
    RENAL = "renal"
    HEPATIC = "hepatic"
    AGE = "age"
    SEX = "sex"
    CURRENT_DRUG = "current_drug"
    CONDITION = "condition"


class Weight(StrEnum):
    """What a conflict means for the recommendation."""

    #: It does not apply to this patient.
    WHOLE = "whole"
    #: One of the things that it offers does not.
    PART = "part"
    #: It may not: what is said leaves it open, or the recommendation asks for caution.
    CHECK = "check"


_LEADS = {
    Weight.WHOLE: "Does not apply to this patient",
    Weight.PART: "Part of this does not apply to this patient",
    Weight.CHECK: "Check for this patient",
}
_ORDER = list(Weight)


class Conflict(BaseModel):
    """One fact of the patient against one statement of a recommendation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FactKind
    weight: Weight
    #: "penicillin allergy".
    fact: str
    #: "the recommendation is amoxicillin".
    against: str
    question_words: str
    recommendation_words: str
    #: The recommendation says itself what is given instead: it answers for this patient, with the part that is not.
    #: Decides the order within a run; neither sent nor recorded.
    provided_for: SkipJsonSchema[bool] = Field(default=False, exclude=True)

    @property
    def headline(self) -> str:
        """What is shown above the recommendation."""
        return (
            f"{_LEADS[self.weight]}: {self.fact} ({self.against}). "
            f"Question: “{self.question_words}”. Recommendation: “{self.recommendation_words}”."
        )


class PassageConflicts(BaseModel):
    """The conflicts of one passage, as a run records them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage_id: PassageId
    conflicts: tuple[Conflict, ...]


def rules_out(conflicts: tuple[Conflict, ...]) -> bool:
    """Whether a recommendation with these may not be given as the answer: all or part of it is not for the patient."""
    return any(item.weight is not Weight.CHECK for item in conflicts)


def severity(conflicts: tuple[Conflict, ...]) -> int:
    """0 where nothing is ruled out, or what is given instead is said; 1 where a part is, 2 where all is.

    The order in which recommendations are shown: all that are ruled out have their headline.
    """
    weights = {item.weight for item in conflicts if not (item.provided_for and item.weight is Weight.PART)}
    return 2 if Weight.WHOLE in weights else int(Weight.PART in weights)


def applies(conflicts: tuple[Conflict, ...]) -> bool:
    """Whether a recommendation with these says something for the patient: it fits, or says what is given instead."""
    return severity(conflicts) == 0


def weightiest(conflicts: list[Conflict]) -> tuple[Conflict, ...]:
    """The weightiest conflict of each kind, those that rule out most first; of like ones what is not provided for."""
    found: dict[FactKind, Conflict] = {}
    for item in sorted(conflicts, key=lambda item: (_ORDER.index(item.weight), item.provided_for)):
        found.setdefault(item.kind, item)
    return tuple(sorted(found.values(), key=lambda item: _ORDER.index(item.weight)))
