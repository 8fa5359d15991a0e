"""Verdicts: what the gate decides on a sentence, and why."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class WithheldReason(StrEnum):
    """Why a sentence was not shown."""

    NO_CITATION = "no_citation"
    UNKNOWN_KEY = "unknown_key"
    NUMBER_NOT_IN_PASSAGE = "number_not_in_passage"
    DRUG_NOT_IN_PASSAGE = "drug_not_in_passage"
    POPULATION_DIFFERS = "population_differs"
    ROUTE_DIFFERS = "route_differs"
    NEGATION_DIFFERS = "negation_differs"
    STRENGTH_DIFFERS = "strength_differs"
    CONDITION_DROPPED = "condition_dropped"
    WORDS_NOT_IN_PASSAGE = "words_not_in_passage"
    SUPPORT_TOO_LOW = "support_too_low"
    #: It rests on a recommendation that the patient of the question does not fit; said by the run, not by the gate.
    NOT_FOR_PATIENT = "not_for_patient"


class Verdict(BaseModel):
    """The gate's decision on one sentence; `support` is in [0, 1], None where it was not reached."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    keys: tuple[str, ...]
    shown: bool
    reason: WithheldReason | None = None
    #: What exactly was missing ("7 d", "key qqq"), or what a scorer overruled; for the log, not for the clinician.
    detail: str | None = None
    support: float | None = None
