"""Past answers that cited a passage: who has to be told when guidance is withdrawn.

A sentence counts from the moment it was streamed: a clinician who closed the page before the end has read it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.journal import read_journal
from agent.rollout import Rollout, RolloutId
from retrieval import PassageId, Withdrawal


class CitingAnswer(BaseModel):
    """An answer that was shown; ids and a time only, since a question may name a patient."""

    model_config = ConfigDict(frozen=True)

    rollout_id: RolloutId
    created_at: str
    passage_ids: tuple[PassageId, ...]


def answers_citing(journal: Path, act: Withdrawal) -> Iterator[CitingAnswer]:
    """The answers in a journal that cited what `act` names, oldest first.

    Raises:
        JournalError: a line of the journal is not a record.
    """
    passages = {*act.passages, act.id}
    for rollout in read_journal(journal):
        cited = tuple(
            passage
            for passage, document in _cited(rollout).items()
            if passage in passages or (act.kind == "document" and document == act.id)
        )
        if cited:
            yield CitingAnswer(rollout_id=rollout.rollout_id, created_at=rollout.created_at, passage_ids=cited)


def _cited(rollout: Rollout) -> dict[PassageId, str]:
    """Passages that the answer lists or that a shown sentence rests on, with their documents."""
    keys = {key for verdict in rollout.verdicts if verdict.shown for key in verdict.keys}
    found: dict[PassageId, str] = {
        PassageId(hit.passage_id): hit.document_id
        for search in rollout.retrieval
        for hit in search.hits
        if hit.key in keys
    }
    if rollout.answer is not None:
        found.update({citation.passage_id: citation.document_id for citation in rollout.answer.citations})
    return found
