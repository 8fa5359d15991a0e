"""Health, readiness and metrics."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from service.routes.common import service_of
from service.schemas import Readiness

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[Literal["status"], Literal["ok"]]:
    """The process is up."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> Readiness:
    """Questions can be asked; `model` says whether the model server answers too."""
    agent = service_of(request).agent
    model = await agent.client.ready()
    return Readiness(
        status="ready" if model else "ready_without_model",
        model=model,
        index_version=agent.searcher.index_version,
        policy_sha256=agent.policy.sha256,
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "As Prometheus reads."}},
)
async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    return Response(service_of(request).metrics.render(), media_type=CONTENT_TYPE_LATEST)
