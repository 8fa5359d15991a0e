"""The little of FHIR R4 that is read: what is not named here is ignored, and what is may be missing.

Field names and codes: https://hl7.org/fhir/R4/. Nothing is ever fetched.
"""

from __future__ import annotations

import re
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from service.problems import ProblemError

ICD10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10 = frozenset({ICD10_CM, "http://hl7.org/fhir/sid/icd-10"})
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

_PATIENT = re.compile(r"(?:^|/)Patient/([A-Za-z0-9.-]{1,64})(?:/_history/|$)")


class FhirModel(BaseModel):
    """Read as FHIR writes it; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Coding(FhirModel):
    """A code of one system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(FhirModel):
    """One meaning, in codes and in words."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None

    def codes(self, *systems: str) -> frozenset[str]:
        """Its codes in these systems, without dots and in capitals."""
        return frozenset(
            item.code.replace(".", "").upper() for item in self.coding if item.code and item.system in systems
        )

    def has(self, *codes: str) -> bool:
        """Whether it is one of these codes of whatever system: for FHIR's own short lists."""
        return any(item.code in codes for item in self.coding)


class Reference(FhirModel):
    """A pointer to another resource."""

    reference: str | None = None
    display: str | None = None

    @property
    def patient_id(self) -> str | None:
        """The id of the patient that it points to; None for anything else."""
        match = _PATIENT.search(self.reference or "")
        return match[1] if match else None


class Quantity(FhirModel):
    """A number with its unit; `comparator` is "<" or "<=", ">" or ">=" where the value is a bound."""

    value: float | None = None
    comparator: str | None = None


class Resource(FhirModel):
    """Any resource. `about` is the patient it is about, where it says so."""

    kind: ClassVar[str]
    id: str | None = None
    subject: Reference | None = None
    #: AllergyIntolerance and some orders call it so.
    patient: Reference | None = None

    @property
    def about(self) -> str | None:
        """Id of its patient, where it names one."""
        named = self.subject or self.patient
        return named.patient_id if named else None


class Patient(Resource):
    """Demographics."""

    kind = "Patient"
    gender: str | None = None
    #: YYYY, YYYY-MM or YYYY-MM-DD.
    birth_date: str | None = None

    @property
    def about(self) -> str | None:
        return self.id


class Stated(Resource):
    """What a list of problems or allergies holds."""

    clinical_status: CodeableConcept = CodeableConcept()
    verification_status: CodeableConcept = CodeableConcept()
    code: CodeableConcept = CodeableConcept()

    @property
    def stands(self) -> bool:
        """Neither past nor taken back; without a status it stands."""
        past = self.clinical_status.has("inactive", "remission", "resolved")
        return not past and not self.verification_status.has("refuted", "entered-in-error")


class Condition(Stated):
    """A problem or diagnosis."""

    kind = "Condition"
    category: tuple[CodeableConcept, ...] = ()
    recorded_date: str | None = None
    onset_date_time: str | None = None
    abatement_date_time: str | None = None


class AllergyIntolerance(Stated):
    """An allergy, or the statement that there is none."""

    kind = "AllergyIntolerance"


class Observation(Resource):
    """A measurement."""

    kind = "Observation"
    status: str | None = None
    code: CodeableConcept = CodeableConcept()
    value_quantity: Quantity | None = None
    effective_date_time: str | None = None


class MedicationRequest(Resource):
    """A medicine that is being ordered."""

    kind = "MedicationRequest"
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()


R = TypeVar("R", bound=Resource)


def resources(value: JsonValue, wanted: type[R], field: str) -> tuple[R, ...] | None:
    """The resources of one type in a resource or bundle; None where an OperationOutcome stands in its place.

    Raises:
        ProblemError: a resource is not written as FHIR writes it; `field` is named, and no value.
    """
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise _unreadable(field)
    kind = value.get("resourceType")
    if kind == "OperationOutcome":
        return None
    if kind != "Bundle":
        return (_read(value, wanted, field),)
    entries = value.get("entry", [])
    if not isinstance(entries, list):
        raise _unreadable(field)
    found = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        # A search may bring other resources along.
        if isinstance(resource, dict) and resource.get("resourceType") == wanted.kind:
            found.append(_read(resource, wanted, field))
    return tuple(found)


def _read(value: dict[str, JsonValue], wanted: type[R], field: str) -> R:
    if value.get("resourceType") != wanted.kind:
        raise _unreadable(field)
    try:
        return wanted.model_validate(value)
    except ValidationError as error:
        raise _unreadable(field) from error


def _unreadable(field: str) -> ProblemError:
    return ProblemError(422, "fhir_unreadable", f"{field} is not what FHIR R4 has there.", param=field)
