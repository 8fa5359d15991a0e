"""The two CDS services: how discovery describes them, and what each does with a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Literal

from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict

from retrieval import RetrievalError
from service.cds.cards import Cards, card
from service.cds.finding import find, name_of_code
from service.cds.patient import EGFR_CODES, CodedPatient, read_patient
from service.cds.requests import OrderSelectRequest, PatientViewRequest
from service.cds.subjects import NameOfCode, Subject, of_conditions, of_orders
from service.container import Service
from service.runs import check_slots
from service.searching import unavailable

Hook = Literal["patient-view", "order-select"]

_OF_PATIENT = "patient={{context.patientId}}"
_PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": f"Condition?{_OF_PATIENT}&clinical-status=active",
    "allergies": f"AllergyIntolerance?{_OF_PATIENT}&clinical-status=active",
    "egfr": f"Observation?{_OF_PATIENT}&code={','.join(EGFR_CODES)}&_sort=-date&_count=1",
}


class CdsService(BaseModel):
    """One service, as discovery names it."""

    model_config = ConfigDict(frozen=True)

    hook: Hook
    title: str
    description: str
    id: str
    prefetch: dict[str, str]


class Discovery(BaseModel):
    """The response of GET /cds-services."""

    model_config = ConfigDict(frozen=True)

    services: tuple[CdsService, ...]


PATIENT_VIEW = CdsService(
    hook="patient-view",
    title="Guideline recommendations for the problem list",
    description="Recommendations of clinical guidelines on the patient's active coded problems, whole and with their "
    "source. patient and conditions are needed in the prefetch; allergies and egfr are compared where they are sent.",
    id="clinsearch-patient-view",
    prefetch=_PREFETCH,
)
ORDER_SELECT = CdsService(
    hook="order-select",
    title="Guideline recommendations on the selected medicine",
    description="Recommendations of clinical guidelines that name the selected medicine, for the problem it is ordered "
    "for or the active coded problems. patient and conditions are needed in the prefetch; allergies and egfr are "
    "compared where they are sent.",
    id="clinsearch-order-select",
    prefetch=_PREFETCH,
)
DISCOVERY = Discovery(services=(PATIENT_VIEW, ORDER_SELECT))


async def on_patient_view(service: Service, request: PatientViewRequest, today: date) -> Cards:
    """Cards for the patient whose record was opened. Raises ProblemError."""
    patient = read_patient(request.prefetch, request.context.patient_id, today)
    check_slots(service)
    async with service.slots:
        return await _cards(service, PATIENT_VIEW, await _named(service, partial(of_conditions, patient)), patient)


async def on_order_select(service: Service, request: OrderSelectRequest, today: date) -> Cards:
    """Cards for the medicines that were selected. Raises ProblemError."""
    context = request.context
    patient = read_patient(request.prefetch, context.patient_id, today)
    check_slots(service)
    subjects = partial(of_orders, context.draft_orders, context.selections, patient, context.patient_id)
    async with service.slots:
        return await _cards(service, ORDER_SELECT, await _named(service, subjects), patient)


async def _named(service: Service, subjects: Callable[[NameOfCode], tuple[Subject, ...]]) -> tuple[Subject, ...]:
    """The subjects, made in a thread: a code without a name is looked up. Raises ProblemError."""
    try:
        return await run_in_threadpool(subjects, partial(name_of_code, service))
    except RetrievalError as error:
        raise unavailable(error) from error


async def _cards(service: Service, of: CdsService, subjects: tuple[Subject, ...], patient: CodedPatient) -> Cards:
    found = await find(service, subjects, patient)
    service.metrics.cds_cards.labels(of.hook).inc(len(found))
    return Cards(cards=tuple(card(item, patient) for item in found))
