"""POST /v1/ask: one question, as JSON or as a stream of events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from agent import ClinicalAgent, ErrorEvent, Event, Question, QuestionError, RunSummary
from agent.events import DoneEvent
from service import sse
from service.container import Service
from service.problems import ProblemError
from service.routes.common import agent_of, check_source, service_of
from service.schemas import AskBody, ModelInfo, ModelList

logger = logging.getLogger("clinsearch.http")
router = APIRouter(tags=["ask"])


@router.post(
    "/v1/ask",
    response_model=RunSummary,
    responses={200: {"content": {sse.MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "The run's outcome."}},
)
async def ask(request: Request, body: AskBody) -> RunSummary | StreamingResponse:
    """Ask a clinical question. With `Accept: text/event-stream` the run is streamed as it happens."""
    service = service_of(request)
    try:
        question = body.to_question()
    except QuestionError as error:
        raise ProblemError(422, error.code, str(error)) from error
    check_source(service, body.source)
    agent = agent_of(service, body.model)
    if service.slots.locked():
        raise ProblemError(
            503, "too_many_runs", "Too many questions are being answered. Try again in a few seconds.", retry_after_s=5
        )
    if sse.MEDIA_TYPE in request.headers.get("accept", ""):
        # The slot is taken when the stream starts, so that a response nobody reads holds none.
        return StreamingResponse(
            sse.encoded(_events(service, agent, question)),
            media_type=sse.MEDIA_TYPE,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
    return await _answer(service, agent, question, request)


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


async def _answer(service: Service, agent: ClinicalAgent, question: Question, request: Request) -> RunSummary:
    """Run to the end, unless the client goes away first."""
    async with service.slots:
        run = asyncio.create_task(agent.ask(question))
        gone = asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait({run, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not run.done():
                raise ProblemError(499, "client_closed_request", "The client closed the connection.")
            result = run.result()
        finally:
            for task in (run, gone):
                task.cancel()
            await asyncio.gather(run, gone, return_exceptions=True)
    service.metrics.observe(result)
    return result


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(service: Service, agent: ClinicalAgent, question: Question) -> AsyncIterator[Event]:
    async with service.slots, aclosing(agent.stream(question)) as events:
        try:
            async for event in events:
                if isinstance(event, DoneEvent):
                    service.metrics.observe(event.result)
                yield event
        except Exception as error:  # noqa: BLE001 - the boundary of a stream, whose status line is already sent
            logger.error("%s in a streamed run", type(error).__name__)
            yield ErrorEvent(code="internal_error", message="The service failed on this question. Ask it again.")
