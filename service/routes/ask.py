"""POST /v1/ask: one question, as JSON or as a stream of events."""

from __future__ import annotations

from fastapi import APIRouter, Request

from agent import RunSummary, new_rollout_id
from service import sse
from service.conversations import begin_turn
from service.identity import known_owner, owner_of
from service.problems import ProblemError
from service.records import ConversationId, OwnerId
from service.routes.common import PERSONAL, PROBLEM, agent_of, service_of
from service.routes.events import STREAM, stream_of
from service.runs import check_slots, question_of, run_events, run_whole
from service.schemas import AskBody, ModelInfo, ModelList

router = APIRouter(tags=["ask"])


@router.post(
    "/v1/ask",
    response_model=RunSummary,
    responses={
        200: {"content": STREAM, "description": "The run's outcome, or its events."},
        **PERSONAL,
        404: {**PROBLEM, "description": "There is no such conversation of yours."},
        409: {**PROBLEM, "description": "The conversation is full; begin a new one."},
    },
)
async def ask(request: Request, body: AskBody) -> RunSummary | sse.EventStream:
    """Ask a clinical question. With `Accept: text/event-stream` the run is streamed as it happens.

    A stream names its run in X-Rollout-ID; GET /v1/events/schema says what its events look like.

    With a `conversation_id` the question is kept before anything is sent, and the answer before `done` is; what could
    not be kept is among `failures` as `not_kept`.
    """
    service = service_of(request)
    question = question_of(service, body)
    agent = agent_of(service, body.model)
    streamed = sse.MEDIA_TYPE in request.headers.get("accept", "")
    if body.resumable and not streamed:
        raise ProblemError(
            422, "not_streamed", "Only a stream can be resumed. Send Accept: text/event-stream, or leave out resumable."
        )
    owner: OwnerId | None
    if body.conversation_id is None:
        check_slots(service)
        if not streamed:
            return await run_whole(service, agent, question, request)
        owner, rollout_id = known_owner(request, service.settings), new_rollout_id()
        first_word = service.first_words.expected()
        events = run_events(service, agent, question, rollout_id, first_word=first_word)
    else:
        owner = owner_of(request, service.settings)
        check_slots(service)
        talk = await begin_turn(service, owner, ConversationId(body.conversation_id), question)
        known = (talk.rollout_id, talk.origin)
        if not streamed:
            return await talk.whole(run_whole(service, agent, talk.question, request, *known))
        rollout_id = talk.rollout_id
        first_word = service.first_words.expected()
        events = talk.kept(run_events(service, agent, talk.question, *known, first_word=first_word))
    run = service.live.begin(rollout_id, owner, sse.encoded(events), resumable=body.resumable)
    return stream_of(run, 0, first_word)


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
