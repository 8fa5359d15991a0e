"""A question inside a conversation: kept before its run begins, its history read from the records, its answer kept
before the client is told that it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from agent import (
    Answer,
    AnswerKind,
    Citation,
    DoneEvent,
    ErrorEvent,
    Event,
    EvidenceEvent,
    NoticesEvent,
    Origin,
    Question,
    RolloutId,
    RunSummary,
    Sentence,
    SentenceEvent,
    Turn,
    new_rollout_id,
)
from agent.events import Failure
from agent.question import MAX_ANSWER_CHARS, has_control_characters
from service.conversations.calling import in_thread
from service.conversations.standing import as_it_stands
from service.problems import ProblemError
from service.records import ConversationId, OwnerId, StoredTurn, TurnState

if TYPE_CHECKING:
    from service.container import Service

T = TypeVar("T")
NOT_KEPT = Failure(code="not_kept", message="This answer could not be kept in the conversation.")
_MAX_PASSAGES = 20


async def begin_turn(service: Service, owner: OwnerId, conversation_id: ConversationId, question: Question) -> Talk:
    """Keep a question, and give it the conversation so far. Raises ProblemError."""
    rollout_id = new_rollout_id()
    begun = await in_thread(service.records.begin_turn, owner, conversation_id, rollout_id, question.text)
    history = await in_thread(_history, service, begun.earlier)
    return Talk(service, rollout_id, question.model_copy(update={"history": history}), begun.training_consent)


class Talk:
    """One turn of a conversation, from its question to its end."""

    def __init__(self, service: Service, rollout_id: RolloutId, question: Question, training_consent: bool) -> None:
        self._service = service
        self.rollout_id = rollout_id
        #: With the history that the records hold.
        self.question = question
        self.origin = Origin(training_consent=training_consent)
        self._sentences: list[Sentence] = []
        self._citations: list[Citation] = []
        self._said = NoticesEvent(notices=(), disclaimers=())

    async def whole(self, run: Awaitable[RunSummary]) -> RunSummary:
        """The outcome of a run, kept; one that fails or is given up is noted."""
        state: TurnState | None = TurnState.FAILED
        try:
            result = await run
            state = None
        except (ProblemError, asyncio.CancelledError):
            state = TurnState.STOPPED
            raise
        finally:
            if state is not None:
                await self._end(state)
        return await self._finish(result)

    async def kept(self, events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        """The events of a run, its answer kept before `done` is sent. Closing it closes them and notes the stop."""
        state: TurnState | None = TurnState.STOPPED
        try:
            async with aclosing(events):
                async for event in events:
                    match event:
                        case NoticesEvent():
                            self._said = event
                        case EvidenceEvent():
                            self._citations.append(event.citation)
                        case SentenceEvent():
                            self._sentences.append(event.sentence)
                        case ErrorEvent():
                            state = TurnState.FAILED
                        case DoneEvent():
                            state = None
                            event = DoneEvent(result=await self._finish(event.result))
                    yield event
        finally:
            if state is not None:
                await self._end(state)

    async def _finish(self, result: RunSummary) -> RunSummary:
        try:
            there = await self._unhurried(in_thread(self._service.records.finish_turn, self.rollout_id, result))
        except ProblemError:
            # The clinician still gets the answer; the loss is told, not hidden.
            return result.model_copy(update={"failures": (*result.failures, NOT_KEPT)})
        if not there:
            await self._erase()
        return result

    async def _end(self, state: TurnState) -> None:
        shown = None
        if self._sentences:
            used = {number for sentence in self._sentences for number in sentence.citations}
            shown = Answer(
                kind=AnswerKind.WRITTEN,
                notices=self._said.notices,
                disclaimers=self._said.disclaimers,
                sentences=tuple(self._sentences),
                citations=tuple(citation for citation in self._citations if citation.number in used),
            )
        try:
            there = await self._unhurried(in_thread(self._service.records.end_turn, self.rollout_id, state, shown))
        except ProblemError:
            return  # the question is kept, and stands as one that was not answered
        if not there:
            await self._erase()

    async def _erase(self) -> None:
        """The conversation was deleted while the run went on: its record goes too."""
        await self._unhurried(in_thread(self._service.delivery.everything))

    async def _unhurried(self, call: Coroutine[None, None, T]) -> T:
        """A call that is carried through even where whoever waits for it is cancelled."""
        return await asyncio.shield(self._service.chore(call))


def _history(service: Service, earlier: tuple[StoredTurn, ...]) -> tuple[Turn, ...]:
    turns = []
    for turn in earlier:
        if turn.answer is None:
            continue
        answer = as_it_stands(turn.answer, service.agent.searcher)
        rests_on = answer.used or answer.citations
        turns.append(
            Turn(
                question=turn.question,
                answer=_printable(answer.text)[:MAX_ANSWER_CHARS],
                passage_ids=tuple(citation.passage_id for citation in rests_on)[:_MAX_PASSAGES],
            )
        )
    return tuple(turns)


def _printable(text: str) -> str:
    """A guideline's text may hold characters that a question may not."""
    return "".join(character for character in text if not has_control_characters(character))
