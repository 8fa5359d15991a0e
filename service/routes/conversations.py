"""Conversations: begin, list and search, open, rename, delete. Each is seen by whoever began it and by nobody else."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from agent.question import Printable
from retrieval import HomeRegion
from service.container import Service
from service.conversations import as_it_stands, in_thread
from service.identity import owner_of
from service.problems import ProblemError
from service.records import Conversation, ConversationId, ConversationInfo, ConversationPage, StoredTurn
from service.records.cursor import CURSOR_PATTERN
from service.records.models import MAX_PAGE, MAX_SEARCH_CHARS
from service.routes.common import PERSONAL, PROBLEM, service_of
from service.schemas import NewConversationBody, TitleBody, Ulid

router = APIRouter(tags=["conversations"], responses=PERSONAL)
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {**PROBLEM, "description": "There is no such conversation of yours."}}
ConversationPath = Annotated[Ulid, Path(description="As the list gives it.")]


@router.post(
    "/v1/conversations",
    status_code=201,
    responses={409: {**PROBLEM, "description": "As many conversations as are kept; delete some."}},
)
async def begin(request: Request, body: NewConversationBody) -> ConversationInfo:
    """Begin a conversation. It is listed once something was asked in it, and forgotten after a day if nothing is."""
    service = service_of(request)
    return await in_thread(service.records.create, owner_of(request, service.settings), body.title)


@router.get("/v1/conversations")
async def conversations(
    request: Request,
    q: Annotated[
        Printable,
        Query(max_length=MAX_SEARCH_CHARS, description="Only those in which every one of these words stands."),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 30,
    cursor: Annotated[
        str | None, Query(pattern=CURSOR_PATTERN, description="`next_cursor` of the page before.")
    ] = None,
) -> ConversationPage:
    """Your conversations, last used first, a page at a time."""
    service = service_of(request)
    owner = owner_of(request, service.settings)
    try:
        return await in_thread(service.records.page, owner, query=q, limit=limit, cursor=cursor)
    except ValueError as error:
        raise ProblemError(422, "invalid_request", f"The request does not fit its schema. cursor: {error}.") from error


@router.get("/v1/conversations/{conversation_id}", responses=_UNKNOWN)
async def conversation(
    request: Request,
    conversation_id: ConversationPath,
    home_region: Annotated[
        HomeRegion | None,
        Query(description='Where you work, a country code such as "GB": guidance from elsewhere is labelled.'),
    ] = None,
) -> Conversation:
    """One conversation, whole. What was withdrawn since is left out, and every source says how it stands now."""
    service = service_of(request)
    found = await in_thread(service.records.get, owner_of(request, service.settings), ConversationId(conversation_id))
    turns = await in_thread(_as_they_stand, service, found.asked, home_region)
    return found.model_copy(update={"asked": turns})


@router.patch("/v1/conversations/{conversation_id}", responses=_UNKNOWN)
async def rename(request: Request, conversation_id: ConversationPath, body: TitleBody) -> ConversationInfo:
    """Give a conversation another title."""
    service = service_of(request)
    owner = owner_of(request, service.settings)
    return await in_thread(service.records.rename, owner, ConversationId(conversation_id), body.title)


@router.delete("/v1/conversations/{conversation_id}", status_code=204, responses=_UNKNOWN)
async def delete(request: Request, conversation_id: ConversationPath) -> Response:
    """Delete a conversation with its questions, answers and feedback, in the records of runs too."""
    service = service_of(request)
    owner = owner_of(request, service.settings)
    await in_thread(service.records.delete, owner, ConversationId(conversation_id))
    await in_thread(service.delivery.everything)
    return Response(status_code=204)


def _as_they_stand(
    service: Service, turns: tuple[StoredTurn, ...], home_region: HomeRegion | None
) -> tuple[StoredTurn, ...]:
    searcher = service.agent.searcher
    standing = []
    for turn in turns:
        update: dict[str, object] = {}
        if turn.result is not None:
            answer = as_it_stands(turn.result.answer, searcher, home_region)
            update = {"result": turn.result.model_copy(update={"answer": answer})}
        elif turn.shown is not None:
            update = {"shown": as_it_stands(turn.shown, searcher, home_region)}
        standing.append(turn.model_copy(update=update))
    return tuple(standing)
