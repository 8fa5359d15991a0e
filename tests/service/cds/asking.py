"""Hook requests modelled on the examples of the CDS Hooks 2.0 specification (CC BY 4.0, HL7 and Boston Children's
Hospital: https://cds-hooks.hl7.org/2.0/ and its pages on patient-view and order-select), and guidelines they find."""

from __future__ import annotations

from typing import Any

from retrieval import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind, SourceId

PATIENT_VIEW = "/cds-services/clinsearch-patient-view"
ORDER_SELECT = "/cds-services/clinsearch-order-select"
#: Must be read by nobody and be nowhere afterwards.
ACCESS_TOKEN = "some-opaque-fhir-access-token"
NAME = "Wattswade"
JsonObject = dict[str, Any]


def condition(name: str | None, code: str = "R50.9", **more: object) -> JsonObject:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [coding | ({"display": name} if name else {})]},
        "subject": {"reference": "Patient/1288992"},
        **more,
    }


def bundle(*found: JsonObject) -> JsonObject:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": item} for item in found]}


def prefetch(*conditions: JsonObject, **more: object) -> JsonObject:
    patient = {
        "resourceType": "Patient",
        "id": "1288992",
        "active": True,
        "gender": "male",
        "birthDate": "1965-12-23",
        "name": [{"family": NAME}],
    }
    return {"patient": patient, "conditions": bundle(*conditions), **more}


def patient_view(*conditions: JsonObject, **more: object) -> JsonObject:
    return {
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": "https://hooks.smarthealthit.example:9080",
        "hook": "patient-view",
        "fhirAuthorization": {
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/Patient.read patient/Observation.read",
            "subject": "cds-service4",
        },
        "context": {"userId": "Practitioner/example", "patientId": "1288992", "encounterId": "89284"},
        "prefetch": prefetch(*conditions, **more),
    }


def order_select(medicine: str, *conditions: JsonObject, **more: object) -> JsonObject:
    """As the specification's example: a diet and a medicine, both selected, both drafts."""
    diet = {
        "resourceType": "NutritionOrder",
        "id": "pureeddiet-simple",
        "status": "draft",
        "patient": {"reference": "Patient/1288992"},
        "oralDiet": {"type": [{"text": "Pureed diet"}]},
    }
    order = {
        "resourceType": "MedicationRequest",
        "id": "smart-MedicationRequest-103",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {
            "coding": [
                {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "617993", "display": medicine}
            ],
            "text": medicine,
        },
        "subject": {"reference": "Patient/1288992"},
        "dosageInstruction": [{"text": "5 mL bid x 10 days"}],
    }
    other = order | {"id": "not-selected", "medicationCodeableConcept": {"text": "samplomycin"}}
    return {
        "hookInstance": "0e5c2a0f-2b3c-4c3e-9d0f-6a4d2a1f9b11",
        "hook": "order-select",
        "context": {
            "userId": "PractitionerRole/123",
            "patientId": "1288992",
            "encounterId": "89284",
            "selections": ["NutritionOrder/pureeddiet-simple", "MedicationRequest/smart-MedicationRequest-103"],
            "draftOrders": bundle(diet, order, other),
        },
        "prefetch": prefetch(*conditions, **more),
    }


def guideline(name: str, *texts: str, source: str = "guidelines", **more: object) -> CorpusEntry:
    """A guideline with one recommendation for each text."""
    document_id = DocumentId(f"test/{name.replace(' ', '-')}")
    return CorpusEntry(
        document=Document(
            id=document_id,
            source=SourceId(source),
            title=f"Guideline on {name}",
            publisher="Test Society",
            region="GB",
            published="2024-05",
            url="https://example.org/guideline",
            notice="Invented for tests.",
        ),
        passages=tuple(
            Passage.model_validate(
                {
                    "id": PassageId(f"{document_id}/{place}"),
                    "document_id": document_id,
                    "kind": PassageKind.RECOMMENDATION,
                    "section": (name.capitalize(), "treatment"),
                    "text": text,
                    "strength": "Strong",
                    "population": f"Adults with {name}",
                    **more,
                }
            )
            for place, text in enumerate(texts)
        ),
    )


def allergies(*names: str) -> JsonObject:
    return bundle(
        *(
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "code": {"text": name},
                "patient": {"reference": "Patient/1288992"},
            }
            for name in names
        )
    )
