"""Past answers that cited a passage: who has to be told when guidance is withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.journal import read_journal
from agent.rollout import RolloutId
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
            citation.passage_id
            for citation in (rollout.answer.citations if rollout.answer is not None else ())
            if citation.passage_id in passages or (act.kind == "document" and citation.document_id == act.id)
        )
        if cited:
            yield CitingAnswer(rollout_id=rollout.rollout_id, created_at=rollout.created_at, passage_ids=cited)
