"""What CDS Hooks 2.0 sends: hook requests and feedback on cards.

Required fields are those of the specification; unknown ones are ignored. `fhirServer` and `fhirAuthorization` are among
these on purpose: nothing is fetched, so an access token is not even read.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from service.cds.fhir import Coding

_Name = Annotated[str, Field(min_length=1, max_length=200)]
#: Cards that feedback comes on at once.
MAX_FEEDBACK = 200


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class PatientViewContext(_Wire):
    """https://cds-hooks.hl7.org/hooks/patient-view/STU1/patient-view/"""

    user_id: _Name
    patient_id: _Name
    encounter_id: _Name | None = None


class OrderSelectContext(PatientViewContext):
    """https://cds-hooks.hl7.org/hooks/order-select/STU1/order-select/"""

    #: "MedicationRequest/103": which of the drafts were just selected.
    selections: tuple[_Name, ...] = Field(min_length=1, max_length=100)
    #: A Bundle of every unsigned order.
    draft_orders: JsonValue


class _HookRequest(_Wire):
    #: A UUID, as the specification has it; taken as it comes and not kept.
    hook_instance: _Name
    #: By the keys that discovery names. A key that is missing was not fetched; null says that there is nothing.
    prefetch: dict[str, JsonValue] | None = None


class PatientViewRequest(_HookRequest):
    """A patient's record was opened."""

    hook: Literal["patient-view"]
    context: PatientViewContext


class OrderSelectRequest(_HookRequest):
    """Orders were selected, before they are signed."""

    hook: Literal["order-select"]
    context: OrderSelectContext


class AcceptedSuggestion(_Wire):
    """A suggestion that was taken."""

    id: _Name


class OverrideReason(_Wire):
    """Why a card was dismissed. What people write beside it is not read: it may be about the patient."""

    reason: Coding | None = None


class CardFeedback(_Wire):
    """What became of one card."""

    card: _Name
    outcome: Literal["accepted", "overridden"]
    accepted_suggestions: tuple[AcceptedSuggestion, ...] = ()
    override_reason: OverrideReason | None = None
    outcome_timestamp: AwareDatetime

    @model_validator(mode="after")
    def _accepted_what(self) -> Self:
        if self.outcome == "accepted" and not self.accepted_suggestions:
            raise ValueError("acceptedSuggestions is required where the outcome is accepted")
        return self


class FeedbackRequest(_Wire):
    """Feedback on cards of one service."""

    feedback: tuple[CardFeedback, ...] = Field(min_length=1, max_length=MAX_FEEDBACK)
