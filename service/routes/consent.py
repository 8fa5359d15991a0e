"""GET and PUT /v1/consent: whether a person's questions may be trained on. Off until they say yes."""

from __future__ import annotations

from fastapi import APIRouter, Request

from service.conversations import in_thread
from service.identity import owner_of
from service.problems import ProblemError
from service.records.models import CONSENT_VERSION
from service.routes.common import PERSONAL, PROBLEM, service_of
from service.schemas import ConsentBody, ConsentInfo

router = APIRouter(tags=["consent"], responses=PERSONAL)


@router.get("/v1/consent")
async def consent(request: Request) -> ConsentInfo:
    """What you decided, and the wording that people are asked on."""
    service = service_of(request)
    return ConsentInfo.of(await in_thread(service.records.consent, owner_of(request, service.settings)))


@router.put(
    "/v1/consent",
    responses={409: {**PROBLEM, "description": "The wording has changed; read it again before you decide."}},
)
async def decide(request: Request, body: ConsentBody) -> ConsentInfo:
    """Decide. A no also takes back what you agreed to earlier: none of it goes into a later training."""
    service = service_of(request)
    owner = owner_of(request, service.settings)
    if body.version != CONSENT_VERSION:
        raise ProblemError(409, "consent_wording_changed", "The wording has changed. Read it again, then decide.")
    decided = await in_thread(service.records.decide, owner, training=body.training, version=body.version)
    await in_thread(service.delivery.judgements)
    return ConsentInfo.of(decided)
