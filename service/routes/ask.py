"""POST /v1/ask: one question, as JSON or as a stream of events."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from agent import RunSummary
from service import sse
from service.routes.common import agent_of, question_of, service_of
from service.runs import check_slots, run_events, run_whole
from service.schemas import AskBody, ModelInfo, ModelList

router = APIRouter(tags=["ask"])


@router.post(
    "/v1/ask",
    response_model=RunSummary,
    responses={200: {"content": {sse.MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "The run's outcome."}},
)
async def ask(request: Request, body: AskBody) -> RunSummary | StreamingResponse:
    """Ask a clinical question. With `Accept: text/event-stream` the run is streamed as it happens."""
    service = service_of(request)
    question = question_of(service, body)
    agent = agent_of(service, body.model)
    check_slots(service)
    if sse.MEDIA_TYPE in request.headers.get("accept", ""):
        return StreamingResponse(
            sse.kept_alive(sse.encoded(run_events(service, agent, question))),
            media_type=sse.MEDIA_TYPE,
            headers=sse.HEADERS,
        )
    return await run_whole(service, agent, question, request)


@router.get("/v1/models")
async def models(request: Request) -> ModelList:
    """The models that a question may ask for with `model`."""
    service = service_of(request)
    return ModelList(
        data=tuple(
            ModelInfo(id=name, default=agent is service.agent, trained=agent.client.identity.trained)
            for name, agent in service.agents.items()
        )
    )
