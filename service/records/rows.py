"""Between rows and records: an answer is stored with its citations as rows of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from agent import Answer, RolloutId, RunSummary
from agent.version import PRODUCER
from service.records.base import folded
from service.records.models import Feedback, StoredTurn, TurnState
from service.records.tables import CitationRow, MessageRow


def answer_row(question: MessageRow, at: datetime) -> MessageRow:
    """An empty answer to a question."""
    return MessageRow(
        conversation_id=question.conversation_id,
        position=question.position,
        role="answer",
        rollout_id=question.rollout_id,
        at=at,
        text="",
        folded="",
        producer=PRODUCER,
    )


def put_answer(row: MessageRow, *, result: RunSummary | None, shown: Answer | None) -> None:
    """Write an answer into its row, whole or as far as it was shown, in place of what was there."""
    answer = result.answer if result is not None else shown
    assert answer is not None
    bare = answer.model_copy(update={"citations": ()})
    whole = result.model_copy(update={"answer": bare}) if result is not None else None
    row.result = whole.model_dump(mode="json") if whole is not None else None
    row.shown = bare.model_dump(mode="json") if whole is None else None
    row.text, row.folded = answer.text, folded(answer.text)
    row.citations = [
        CitationRow(
            number=citation.number,
            passage_id=citation.passage_id,
            document_id=citation.document_id,
            body=citation.model_dump(mode="json"),
        )
        for citation in answer.citations
    ]


def stored_turn(question: MessageRow, answer: MessageRow | None) -> StoredTurn:
    """A turn as it was stored."""
    result: RunSummary | None = None
    shown: Answer | None = None
    if answer is not None and answer.result is not None:
        result = RunSummary.model_validate(
            {**answer.result, "answer": _with_citations(answer.result["answer"], answer)}
        )
    elif answer is not None and answer.shown is not None:
        shown = Answer.model_validate(_with_citations(answer.shown, answer))
    assert question.state is not None
    return StoredTurn(
        rollout_id=RolloutId(question.rollout_id),
        state=TurnState(question.state),
        asked_at=question.at,
        question=question.text,
        result=result,
        shown=shown,
        feedback=_feedback(answer),
    )


def _with_citations(answer: dict[str, Any], row: MessageRow) -> dict[str, Any]:
    return {**answer, "citations": [citation.body for citation in row.citations]}


def _feedback(answer: MessageRow | None) -> Feedback | None:
    if answer is None or answer.feedback is None:
        return None
    row = answer.feedback
    return Feedback.model_validate({"thumbs": row.thumbs, "reasons": row.reasons, "comment": row.comment})
