"""The records in memory: for tests, and for a service wired without a database. Gone with the process."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from agent import Answer, Clock, Judgement, RolloutId, RunSummary, SystemClock, new_rollout_id
from agent.question import MAX_TURNS
from service.records.base import folded, search_words, title_of
from service.records.cursor import cursor_of, position_of
from service.records.errors import RecordsFullError, UnknownConversationError, UnknownRunError
from service.records.models import (
    EMPTY_KEPT,
    MAX_CONVERSATIONS,
    MAX_PAGE,
    MAX_TURNS_KEPT,
    Begun,
    Consent,
    Conversation,
    ConversationId,
    ConversationInfo,
    ConversationPage,
    Feedback,
    OwnerId,
    Pending,
    StoredTurn,
    TurnState,
    thumbs_judgement,
    too_many_conversations,
    too_many_turns,
    withdrawal_judgement,
)


@dataclass
class _Turn:
    stored: StoredTurn
    consented: bool
    replaced: bool = False


@dataclass
class _Held:
    owner: OwnerId
    info: ConversationInfo
    turns: list[_Turn] = field(default_factory=list)

    @property
    def shown(self) -> tuple[StoredTurn, ...]:
        return tuple(turn.stored for turn in self.turns if not turn.replaced)

    @property
    def told(self) -> ConversationInfo:
        return self.info.model_copy(update={"turns": len(self.shown)})

    def holds(self, word: str) -> bool:
        texts = [self.info.title or ""]
        for turn in self.shown:
            texts += [turn.question, turn.answer.text if turn.answer else ""]
        return any(word in folded(text) for text in texts)


class MemoryRecords:
    """Keeps the contract of `Records` as long as the process lives."""

    def __init__(self, clock: Clock | None = None, *, max_conversations: int = MAX_CONVERSATIONS) -> None:
        self._max_conversations = max_conversations
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._conversations: dict[ConversationId, _Held] = {}
        self._consents: dict[OwnerId, Consent] = {}
        self._pending: dict[int, Pending] = {}
        self._numbers = count(1)

    def create(self, owner: OwnerId, title: str | None = None) -> ConversationInfo:
        with self._lock:
            now = self._now()
            mine = [held for held in self._conversations.values() if held.owner == owner]
            for held in mine:
                if not held.turns and held.info.updated_at < now - EMPTY_KEPT:
                    del self._conversations[held.info.id]
            if sum(held.owner == owner for held in self._conversations.values()) >= self._max_conversations:
                raise RecordsFullError(too_many_conversations(self._max_conversations))
            info = ConversationInfo(
                id=ConversationId(new_rollout_id()), title=title, created_at=now, updated_at=now, turns=0
            )
            self._conversations[info.id] = _Held(owner, info)
            return info

    def page(self, owner: OwnerId, *, query: str = "", limit: int = 30, cursor: str | None = None) -> ConversationPage:
        before = position_of(cursor) if cursor is not None else None
        words = search_words(query)
        limit = min(limit, MAX_PAGE)
        with self._lock:
            found = [
                held.told
                for held in self._conversations.values()
                if held.owner == owner and held.shown and all(held.holds(word) for word in words)
            ]
        found.sort(key=lambda info: (info.updated_at, info.id), reverse=True)
        rest = [info for info in found if before is None or (info.updated_at, info.id) < before]
        part = rest[:limit]
        more = len(rest) > len(part)
        return ConversationPage(conversations=tuple(part), next_cursor=cursor_of(part[-1]) if more else None)

    def get(self, owner: OwnerId, conversation_id: ConversationId) -> Conversation:
        with self._lock:
            held = self._held(owner, conversation_id)
            return Conversation(**held.told.model_dump(), asked=held.shown)

    def rename(self, owner: OwnerId, conversation_id: ConversationId, title: str) -> ConversationInfo:
        with self._lock:
            held = self._held(owner, conversation_id)
            held.info = held.info.model_copy(update={"title": title})
            return held.told

    def delete(self, owner: OwnerId, conversation_id: ConversationId) -> None:
        with self._lock:
            held = self._held(owner, conversation_id)
            del self._conversations[conversation_id]
            for turn in held.turns:
                self._tell(turn.stored.rollout_id)

    def begin_turn(
        self, owner: OwnerId, conversation_id: ConversationId, rollout_id: RolloutId, question: str
    ) -> Begun:
        with self._lock:
            held = self._held(owner, conversation_id)
            if len(held.turns) >= MAX_TURNS_KEPT:
                raise RecordsFullError(too_many_turns())
            last = next((turn for turn in reversed(held.turns) if not turn.replaced), None)
            if last and last.stored.state is not TurnState.ANSWERED and last.stored.question == question:
                last.replaced = True
            earlier = tuple(turn for turn in held.shown if turn.state is TurnState.ANSWERED)[-MAX_TURNS:]
            consent = self._consents.get(owner)
            agreed = consent is not None and consent.agreed
            now = self._now()
            turn = StoredTurn(rollout_id=rollout_id, state=TurnState.ASKED, asked_at=now, question=question)
            held.turns.append(_Turn(turn, agreed))
            title = held.info.title or title_of(question)
            held.info = held.info.model_copy(update={"title": title, "updated_at": now})
            return Begun(earlier=earlier, training_consent=agreed)

    def finish_turn(self, rollout_id: RolloutId, result: RunSummary) -> bool:
        return self._end(rollout_id, TurnState.ANSWERED, {"result": result, "shown": None})

    def end_turn(self, rollout_id: RolloutId, state: TurnState, shown: Answer | None = None) -> bool:
        return self._end(rollout_id, state, {"shown": shown})

    def rate(self, owner: OwnerId, rollout_id: RolloutId, feedback: Feedback | None) -> None:
        with self._lock:
            found = self._turn(rollout_id)
            if found is None or found[0].owner != owner or found[1].stored.state is not TurnState.ANSWERED:
                raise UnknownRunError
            turn = found[1]
            turn.stored = turn.stored.model_copy(update={"feedback": feedback})
            now = self._now()
            self._tell(rollout_id, thumbs_judgement(rollout_id, now, feedback))

    def consent(self, owner: OwnerId) -> Consent | None:
        with self._lock:
            return self._consents.get(owner)

    def decide(self, owner: OwnerId, *, training: bool, version: str) -> Consent:
        with self._lock:
            now = self._now()
            self._consents[owner] = consent = Consent(training=training, version=version, decided_at=now)
            for held in self._conversations.values() if not training else ():
                for turn in held.turns if held.owner == owner else ():
                    if turn.consented:
                        turn.consented = False
                        self._tell(turn.stored.rollout_id, withdrawal_judgement(turn.stored.rollout_id, now))
            return consent

    def pending(self, limit: int = 1000) -> tuple[Pending, ...]:
        with self._lock:
            return tuple(self._pending.values())[:limit]

    def settle(self, done: Collection[int]) -> None:
        with self._lock:
            for number in done:
                self._pending.pop(number, None)

    def close(self) -> None:
        return None

    def _now(self) -> datetime:
        return self._clock.now()

    def _held(self, owner: OwnerId, conversation_id: ConversationId) -> _Held:
        held = self._conversations.get(conversation_id)
        if held is None or held.owner != owner:
            raise UnknownConversationError
        return held

    def _turn(self, rollout_id: RolloutId) -> tuple[_Held, _Turn] | None:
        for held in self._conversations.values():
            for turn in held.turns:
                if turn.stored.rollout_id == rollout_id:
                    return held, turn
        return None

    def _end(self, rollout_id: RolloutId, state: TurnState, update: dict[str, object]) -> bool:
        with self._lock:
            found = self._turn(rollout_id)
            if found is None:
                return False
            held, turn = found
            if turn.stored.state is TurnState.ANSWERED:
                return True
            turn.stored = turn.stored.model_copy(update={"state": state, **update})
            turn.replaced = turn.replaced and state is not TurnState.ANSWERED
            held.info = held.info.model_copy(update={"updated_at": self._now()})
            return True

    def _tell(self, rollout_id: RolloutId, judgement: Judgement | None = None) -> None:
        number = next(self._numbers)
        self._pending[number] = Pending(id=number, at=self._now(), judgement=judgement, rollout_id=rollout_id)
