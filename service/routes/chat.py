"""POST /v1/chat/completions: a question in OpenAI's shape, for clients that speak it."""

from __future__ import annotations

from fastapi import APIRouter, Request

from service import sse
from service.chat.reply import ChatCompletion
from service.chat.request import ChatBody
from service.chat.writing import Completion
from service.openai_errors import OpenAIError
from service.policy import audience_wanted
from service.routes.common import agent_of, service_of
from service.runs import check_slots, run_events, run_whole

router = APIRouter(tags=["chat"])
#: One event of a streamed answer, as it is published.
_CHUNK_SCHEMA = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {"type": "string", "description": 'A chat.completion.chunk as JSON; "[DONE]" is last.'}},
}


@router.post(
    "/v1/chat/completions",
    response_model=ChatCompletion,
    responses={
        200: {"content": {sse.MEDIA_TYPE: {"schema": _CHUNK_SCHEMA}}, "description": "The answer."},
        "4XX": {
            "model": OpenAIError,
            "description": "The request cannot be carried out (400), that audience is not answered here (403), no such "
            "model (404), too large (413).",
        },
        "5XX": {
            "model": OpenAIError,
            "description": "Busy (503; try again after Retry-After seconds), or the service failed.",
        },
    },
)
async def chat_completions(request: Request, body: ChatBody) -> ChatCompletion | sse.EventStream:
    """Ask in OpenAI's shape. With `stream` each sentence is sent once it is verified.

    The last user message is the question, earlier messages are its history. System messages, sampling parameters and
    token limits are ignored; `clinsearch` holds the stop reason and the run's id.
    """
    service = service_of(request)
    agent = agent_of(service, body.model)
    question = body.to_question()
    audience_wanted(agent, question.audience)
    check_slots(service)
    completion = Completion(model=body.model or service.settings.model_name)
    if body.stream:
        first_word = service.first_words.expected()
        events = run_events(service, agent, question, completion.run_id, first_word=first_word)
        frames = completion.frames(events, include_usage=body.include_usage)
        return sse.EventStream(sse.kept_alive(frames), first_word=first_word)
    return completion.whole(await run_whole(service, agent, question, request, completion.run_id))
