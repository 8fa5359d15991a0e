"""POST /v1/feedback: thumbs with reasons and a comment, on an answer of one's own conversation."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from agent import RolloutId
from service.conversations import in_thread
from service.identity import owner_of
from service.routes.common import PERSONAL, PROBLEM, service_of
from service.schemas import FeedbackBody

router = APIRouter(tags=["feedback"], responses=PERSONAL)


@router.post(
    "/v1/feedback",
    status_code=204,
    responses={404: {**PROBLEM, "description": "There is no such finished answer in your conversations."}},
)
async def feedback(request: Request, body: FeedbackBody) -> Response:
    """Say what you think of an answer, or take that back. The thumb and the reasons go to the record of its run."""
    service = service_of(request)
    owner = owner_of(request, service.settings)
    await in_thread(service.records.rate, owner, RolloutId(body.rollout_id), body.feedback)
    service.metrics.feedback.labels(body.feedback.thumbs if body.feedback else "none").inc()
    await in_thread(service.delivery.judgements)
    return Response(status_code=204)
