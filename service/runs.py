"""Runs, the same for every way into the service: one slot each, ended when the client goes away, counted when done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import Request

from agent import ClinicalAgent, ErrorEvent, Event, Origin, Question, QuestionError, RolloutId, RunSummary
from agent.events import DoneEvent
from agent.origin import FROM_SERVICE
from service.container import Service
from service.first_words import FirstWord
from service.problems import CLIENT_CLOSED, ProblemError
from service.schemas import QuestionBody
from service.searching import check_source

logger = logging.getLogger("clinsearch.http")


def question_of(service: Service, body: QuestionBody) -> Question:
    """The question as the agent takes it, of a source that exists. Raises ProblemError."""
    try:
        question = body.to_question()
    except QuestionError as error:
        raise ProblemError(422, error.code, str(error)) from error
    check_source(service, body.source, body.audience)
    return question


def check_slots(service: Service) -> None:
    """Refuse a question while as many are answered as the deployment allows. Raises ProblemError."""
    if service.slots.locked():
        raise ProblemError(
            503, "too_many_runs", "Too many questions are being answered. Try again in a few seconds.", retry_after_s=5
        )


async def run_whole(
    service: Service,
    agent: ClinicalAgent,
    question: Question,
    request: Request,
    rollout_id: RolloutId | None = None,
    origin: Origin = FROM_SERVICE,
) -> RunSummary:
    """Run to the end, unless the client goes away first. Raises ProblemError where it does."""
    async with service.slots:
        run = asyncio.create_task(
            agent.ask(question, rollout_id=rollout_id, origin=origin, begin=service.first_words.none().begin)
        )
        gone = asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait({run, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not run.done():
                raise ProblemError(CLIENT_CLOSED, "client_closed_request", "The client closed the connection.")
            result = run.result()
        finally:
            for task in (run, gone):
                task.cancel()
            await asyncio.gather(run, gone, return_exceptions=True)
    service.metrics.observe(result)
    return result


async def run_events(
    service: Service,
    agent: ClinicalAgent,
    question: Question,
    rollout_id: RolloutId | None = None,
    origin: Origin = FROM_SERVICE,
    *,
    first_word: FirstWord | None = None,
) -> AsyncGenerator[Event]:
    """The events of a run; closing the stream ends the run. The last one is `done` or `error`.

    The slot is taken when the stream starts, so that a response nobody reads holds none. `first_word` is of whoever is
    sent the events as they come.
    """
    first_word = first_word or service.first_words.none()
    if service.slots.locked():
        # It may be long until this one has a slot; those that have one do not wait for it.
        first_word.over()
    stream = agent.stream(question, rollout_id=rollout_id, origin=origin, begin=first_word.begin)
    async with service.slots, aclosing(stream) as events:
        try:
            async for event in events:
                if isinstance(event, DoneEvent):
                    service.metrics.observe(event.result)
                yield event
        except Exception as error:  # noqa: BLE001 - the boundary of a stream, whose status line is already sent
            logger.error("%s in a streamed run", type(error).__name__)
            yield ErrorEvent(code="internal_error", message="The service failed on this question. Ask it again.")


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
