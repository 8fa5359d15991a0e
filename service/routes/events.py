"""A stream of POST /v1/ask whose connection was lost: going on with it, ending it, and what its events look like."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response

from agent import RolloutId
from service import sse
from service.container import Service
from service.event_schema import ITEM, event_schema
from service.first_words import FirstWord
from service.identity import known_owner, refuse_other_origins
from service.live import LiveRun
from service.problems import ProblemError
from service.routes.common import PROBLEM, service_of
from service.schemas import Ulid

router = APIRouter(tags=["ask"])

SCHEMA_TYPE = "application/schema+json"
_SCHEMA = json.dumps(event_schema(), ensure_ascii=False, indent=2).encode()
#: Headers of a stream: which run it is, and how long it can be resumed after it broke.
RUN_HEADER, RESUME_HEADER = "X-Rollout-ID", "X-Resume-Seconds"
#: In OpenAPI 3.1 the schema of an event stream is read as that of each event.
STREAM: dict[str, Any] = {sse.MEDIA_TYPE: {"schema": ITEM}}
_OTHERS: dict[int | str, dict[str, Any]] = {
    403: {**PROBLEM, "description": "A page of another origin asked."},
    404: {**PROBLEM, "description": "There is no such stream of yours, or no longer."},
}
RunInPath = Annotated[Ulid, Path(description=f"Of the run, as {RUN_HEADER} of its stream gave it.")]


def stream_of(run: LiveRun, after: int, first_word: FirstWord | None = None) -> sse.EventStream:
    """The events of a run after number `after` as a response."""
    headers: dict[str, str] = {RUN_HEADER: run.rollout_id}
    if run.resumable:
        headers[RESUME_HEADER] = f"{run.hold_s:g}"
    return sse.EventStream(sse.kept_alive(run.read(after)), headers, first_word=first_word)


@router.get(
    "/v1/ask/{rollout_id}/events",
    status_code=200,
    response_class=sse.EventStream,
    responses={
        200: {"content": STREAM, "description": "The events that follow, up to `done` or `error`."},
        204: {"description": "Nothing follows: that was the last one."},
        410: {**PROBLEM, "description": "What follows is no longer kept."},
        **_OTHERS,
    },
)
async def resume(
    request: Request,
    rollout_id: RunInPath,
    last_event_id: Annotated[
        int, Header(alias="Last-Event-ID", ge=0, description="Id of the last event received; left out: none was.")
    ] = 0,
) -> Response:
    """Go on with a stream of POST /v1/ask that was asked for with `resumable` and whose connection was lost.

    Every event after Last-Event-ID is sent, each once, up to the end. Only who asked can do so, within X-Resume-Seconds
    of the loss. Where the old connection is still open, it is closed.
    """
    service = service_of(request)
    run = _find(service, request, rollout_id)
    if run is None or not run.resumable:
        raise ProblemError(
            404,
            "stream_not_found",
            f"There is no such stream of yours to go on with: one waits for {service.settings.resume_s:g} s after its "
            "connection was lost, and not over a restart. Look in the conversation, if it was asked in one, "
            "or ask again.",
        )
    if last_event_id > run.last:
        raise ProblemError(
            422,
            "unknown_event",
            f"This stream has not sent an event {last_event_id} yet. Send the id of the last event that you received, "
            "or no Last-Event-ID for all of them.",
            param="Last-Event-ID",
        )
    if last_event_id < run.dropped:
        raise ProblemError(
            410,
            "events_gone",
            "This stream was too long for all of its events to be kept, and those that follow are gone. "
            "Look in the conversation, if it was asked in one, or ask again.",
        )
    if run.ended and last_event_id == run.last:
        # What tells an EventSource to stop coming back.
        return Response(status_code=204)
    return stream_of(run, last_event_id)


@router.delete("/v1/ask/{rollout_id}", status_code=204, responses=_OTHERS)
async def stop(request: Request, rollout_id: RunInPath) -> None:
    """End a streamed run that nobody wants any more: its model call is given up and its stream closed.

    What a conversation was shown of it stays there. Nothing is left to go on with.
    """
    run = _find(service_of(request), request, rollout_id)
    if run is None:
        raise ProblemError(404, "stream_not_found", "There is no such stream of yours. It may be over already.")
    await run.stop()


@router.get(
    "/v1/events/schema",
    response_class=Response,
    responses={200: {"content": {SCHEMA_TYPE: {"schema": {"type": "object"}}}, "description": "The JSON Schema."}},
)
async def schema() -> Response:
    """What the events of a stream look like, as JSON Schema (2020-12)."""
    return Response(_SCHEMA, media_type=SCHEMA_TYPE)


def _find(service: Service, request: Request, rollout_id: str) -> LiveRun | None:
    refuse_other_origins(request)
    return service.live.find(RolloutId(rollout_id), known_owner(request, service.settings))
