"""The records as a protocol: one implementation keeps them in a database, one in memory, and both keep one contract.

Everything is somebody's: each call names the owner, and what belongs to another is as if it were not there. A call that
returned has kept what it was given, whatever happens to the process next. Calls block; whoever serves many people makes
them in a thread.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Protocol

from agent import Answer, RolloutId, RunSummary
from service.records.models import (
    MAX_SEARCH_WORDS,
    Begun,
    Consent,
    Conversation,
    ConversationId,
    ConversationInfo,
    ConversationPage,
    Feedback,
    OwnerId,
    Pending,
    TurnState,
)

#: Longest title made from a question, in characters.
_MADE_TITLE_CHARS = 80


class Records(Protocol):
    """Conversations, feedback and consent. Every call may raise RecordsUnavailableError."""

    def create(self, owner: OwnerId, title: str | None = None) -> ConversationInfo:
        """Begin a conversation. Raises RecordsFullError."""

    def page(self, owner: OwnerId, *, query: str = "", limit: int = 30, cursor: str | None = None) -> ConversationPage:
        """Conversations in which something was asked, last used first; with `query` those that hold all of its words.

        Raises ValueError where the cursor is not one that a page gave.
        """

    def get(self, owner: OwnerId, conversation_id: ConversationId) -> Conversation:
        """One conversation, whole. Raises UnknownConversationError."""

    def rename(self, owner: OwnerId, conversation_id: ConversationId, title: str) -> ConversationInfo:
        """Give it a title. Raises UnknownConversationError."""

    def delete(self, owner: OwnerId, conversation_id: ConversationId) -> None:
        """Delete it with its turns, citations and feedback, and have its runs erased.

        Raises UnknownConversationError.
        """

    def begin_turn(
        self, owner: OwnerId, conversation_id: ConversationId, rollout_id: RolloutId, question: str
    ) -> Begun:
        """Keep a question before its run begins.

        The same question again, after one that came to nothing, takes its place.

        Raises:
            UnknownConversationError, RecordsFullError
        """

    def finish_turn(self, rollout_id: RolloutId, result: RunSummary) -> bool:
        """Keep the answer of a run; False where its conversation was deleted meanwhile (its run is to be erased)."""

    def end_turn(self, rollout_id: RolloutId, state: TurnState, shown: Answer | None = None) -> bool:
        """Note that a run was stopped or failed; without effect on one that was answered. False as `finish_turn`."""

    def rate(self, owner: OwnerId, rollout_id: RolloutId, feedback: Feedback | None) -> None:
        """Keep feedback on an answer in place of what was there; None takes it back. Raises UnknownRunError."""

    def consent(self, owner: OwnerId) -> Consent | None:
        """What this person decided last; None where they were never asked."""

    def decide(self, owner: OwnerId, *, training: bool, version: str) -> Consent:
        """Keep a decision. One against training also takes back what was agreed to for earlier runs."""

    def pending(self, limit: int = 1000) -> tuple[Pending, ...]:
        """What the journal of runs has yet to be told, oldest first."""

    def settle(self, done: Collection[int]) -> None:
        """These were told."""

    def close(self) -> None:
        """Let go of files and connections."""


def folded(text: str) -> str:
    """Text as it is compared in a search: letters in one form, whatever their case."""
    return unicodedata.normalize("NFKC", text).casefold()


def search_words(query: str) -> tuple[str, ...]:
    """The words to look for, folded; the first few of many."""
    return tuple(dict.fromkeys(folded(query).split()))[:MAX_SEARCH_WORDS]


def title_of(question: str) -> str:
    """A title made of a question: its first words on one line."""
    line = " ".join(question.split())
    if len(line) <= _MADE_TITLE_CHARS:
        return line
    cut = line[:_MADE_TITLE_CHARS]
    return f"{cut.rpartition(' ')[0] or cut}…"
