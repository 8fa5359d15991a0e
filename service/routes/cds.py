"""CDS Hooks 2.0 (https://cds-hooks.hl7.org/2.0/): discovery, two services, feedback. Off unless settings turn it on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from service.cds.cards import OVERRIDES, Cards
from service.cds.requests import FeedbackRequest, OrderSelectRequest, PatientViewRequest
from service.cds.services import (
    DISCOVERY,
    ORDER_SELECT,
    PATIENT_VIEW,
    CdsService,
    Discovery,
    on_order_select,
    on_patient_view,
)
from service.routes.common import PROBLEM, service_of

_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {**PROBLEM, "description": "No token, or not one that holds."},
    403: {**PROBLEM, "description": "A page of an origin that settings do not name."},
}
_NOT_GIVEN: dict[int | str, dict[str, Any]] = {
    412: {**PROBLEM, "description": "Prefetched data that the service needs was not sent."}
}

router = APIRouter(prefix="/cds-services", tags=["CDS Hooks"], responses=_REFUSED)


@router.get("")
async def discovery() -> Discovery:
    """The services, the hooks they are for, and what should be prefetched."""
    return DISCOVERY


@router.post(f"/{PATIENT_VIEW.id}", responses=_NOT_GIVEN, response_model_exclude_none=True)
async def patient_view(request: Request, body: PatientViewRequest) -> Cards:
    """Recommendations on the patient's active problems."""
    return await on_patient_view(service_of(request), body, datetime.now(UTC).date())


@router.post(f"/{ORDER_SELECT.id}", responses=_NOT_GIVEN, response_model_exclude_none=True)
async def order_select(request: Request, body: OrderSelectRequest) -> Cards:
    """Recommendations that name the selected medicine."""
    return await on_order_select(service_of(request), body, datetime.now(UTC).date())


@router.post(f"/{PATIENT_VIEW.id}/feedback", status_code=200, response_class=Response)
async def patient_view_feedback(request: Request, body: FeedbackRequest) -> Response:
    """What became of cards. It is counted; nothing of it is kept."""
    return _counted(request, PATIENT_VIEW, body)


@router.post(f"/{ORDER_SELECT.id}/feedback", status_code=200, response_class=Response)
async def order_select_feedback(request: Request, body: FeedbackRequest) -> Response:
    """What became of cards. It is counted; nothing of it is kept."""
    return _counted(request, ORDER_SELECT, body)


def _counted(request: Request, of: CdsService, body: FeedbackRequest) -> Response:
    counter = service_of(request).metrics.cds_feedback
    for item in body.feedback:
        reason = item.override_reason.reason if item.override_reason else None
        code = reason.code if reason else None
        # A closed set: clients may add reasons of their own.
        counter.labels(of.hook, item.outcome, code if code in OVERRIDES else "other" if code else "none").inc()
    return Response()
