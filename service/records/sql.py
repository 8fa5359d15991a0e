"""The records in a database, through SQLAlchemy: SQLite in one file, or another by its address."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, and_, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from agent import Answer, Clock, Judgement, RolloutId, RunSummary, SystemClock, new_rollout_id
from agent.question import MAX_TURNS
from agent.version import PRODUCER
from service.records.base import folded, search_words, title_of
from service.records.cursor import cursor_of, position_of
from service.records.engine import WRITES, boundary, make_engine, purge
from service.records.errors import RecordsFullError, RecordsUnavailableError, UnknownConversationError, UnknownRunError
from service.records.migrating import migrate
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
    TurnState,
    thumbs_judgement,
    too_many_conversations,
    too_many_turns,
    withdrawal_judgement,
)
from service.records.rows import answer_row, put_answer, stored_turn
from service.records.tables import (
    ConsentRow,
    ConversationRow,
    FeedbackRow,
    MessageRow,
    PendingRow,
)

_QUESTION = MessageRow.role == "question"


def open_records(
    url: str | None, file: Path, clock: Clock | None = None, *, max_conversations: int = MAX_CONVERSATIONS
) -> SqlRecords:
    """The records at `url`, or in the SQLite file; its tables are brought up to date.

    Raises:
        RecordsUnavailableError: it cannot be opened, or a newer version made it.
    """
    engine = make_engine(url, file)
    try:
        migrate(engine)
        purge(engine)
    except RecordsUnavailableError:
        engine.dispose()
        raise
    return SqlRecords(engine, clock, max_conversations=max_conversations)


class SqlRecords:
    """Keeps the contract of `Records` in a database; safe to use from many threads and processes."""

    def __init__(
        self, engine: Engine, clock: Clock | None = None, *, max_conversations: int = MAX_CONVERSATIONS
    ) -> None:
        self._max_conversations = max_conversations
        self._engine = engine
        self._writing = engine.execution_options(**{WRITES: True})
        self._clock = clock or SystemClock()
        #: Set while the log still holds what was deleted.
        self._purge_due = threading.Event()

    def create(self, owner: OwnerId, title: str | None = None) -> ConversationInfo:
        with self._write() as session:
            now = self._clock.now()
            asked = select(MessageRow.id).where(MessageRow.conversation_id == ConversationRow.id).exists()
            mine = ConversationRow.owner == owner
            session.execute(delete(ConversationRow).where(mine, ConversationRow.updated_at < now - EMPTY_KEPT, ~asked))
            held = session.scalar(select(func.count()).select_from(ConversationRow).where(mine)) or 0
            if held >= self._max_conversations:
                raise RecordsFullError(too_many_conversations(self._max_conversations))
            row = ConversationRow(
                id=new_rollout_id(),
                owner=owner,
                title=title,
                folded=folded(title or ""),
                created_at=now,
                updated_at=now,
            )
            session.add(row)
            return _info(row, 0)

    def page(self, owner: OwnerId, *, query: str = "", limit: int = 30, cursor: str | None = None) -> ConversationPage:
        limit = min(limit, MAX_PAGE)
        message = and_(MessageRow.conversation_id == ConversationRow.id, ~MessageRow.replaced)
        turns = select(func.count()).select_from(MessageRow).where(message, _QUESTION).scalar_subquery()
        wanted = select(ConversationRow, turns).where(ConversationRow.owner == owner, turns > 0)
        for word in search_words(query):
            said = select(MessageRow.id).where(message, MessageRow.folded.contains(word, autoescape=True)).exists()
            wanted = wanted.where(or_(ConversationRow.folded.contains(word, autoescape=True), said))
        if cursor is not None:
            at, name = position_of(cursor)
            wanted = wanted.where(tuple_(ConversationRow.updated_at, ConversationRow.id) < (at, name))
        wanted = wanted.order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc()).limit(limit + 1)
        with self._read() as session:
            found = [_info(row, count) for row, count in session.execute(wanted)]
        part = tuple(found[:limit])
        return ConversationPage(conversations=part, next_cursor=cursor_of(part[-1]) if len(found) > limit else None)

    def get(self, owner: OwnerId, conversation_id: ConversationId) -> Conversation:
        with self._read() as session:
            row = self._mine(session, owner, conversation_id)
            messages = session.scalars(
                select(MessageRow)
                .where(MessageRow.conversation_id == row.id)
                .order_by(MessageRow.position, MessageRow.role.desc())
            ).all()
            answers = {message.position: message for message in messages if message.role == "answer"}
            turns = tuple(
                stored_turn(message, answers.get(message.position))
                for message in messages
                if message.role == "question" and not message.replaced
            )
            return Conversation(**_info(row, len(turns)).model_dump(), asked=turns)

    def rename(self, owner: OwnerId, conversation_id: ConversationId, title: str) -> ConversationInfo:
        with self._write() as session:
            row = self._mine(session, owner, conversation_id)
            row.title, row.folded = title, folded(title)
            return _info(row, self._turns(session, row))

    def delete(self, owner: OwnerId, conversation_id: ConversationId) -> None:
        with self._write() as session:
            row = self._mine(session, owner, conversation_id)
            for rollout_id in session.scalars(
                select(MessageRow.rollout_id).where(MessageRow.conversation_id == row.id, _QUESTION)
            ):
                self._tell(session, RolloutId(rollout_id))
            # The database deletes what hangs on it.
            session.execute(delete(ConversationRow).where(ConversationRow.id == row.id))
        self._purge_due.set()
        self._purge()

    def begin_turn(
        self, owner: OwnerId, conversation_id: ConversationId, rollout_id: RolloutId, question: str
    ) -> Begun:
        with self._write() as session:
            row = self._mine(session, owner, conversation_id, for_update=True)
            questions = session.scalars(
                select(MessageRow).where(MessageRow.conversation_id == row.id, _QUESTION).order_by(MessageRow.position)
            ).all()
            if len(questions) >= MAX_TURNS_KEPT:
                raise RecordsFullError(too_many_turns())
            shown = [message for message in questions if not message.replaced]
            if shown and shown[-1].state != TurnState.ANSWERED and shown[-1].text == question:
                shown[-1].replaced = True
            answered = [message for message in shown if message.state == TurnState.ANSWERED][-MAX_TURNS:]
            earlier = tuple(stored_turn(message, self._answer(session, message)) for message in answered)
            agreed = self._agreed(session, owner)
            now = self._clock.now()
            session.add(
                MessageRow(
                    conversation_id=row.id,
                    position=questions[-1].position + 1 if questions else 0,
                    role="question",
                    rollout_id=rollout_id,
                    at=now,
                    text=question,
                    folded=folded(question),
                    state=TurnState.ASKED,
                    consented=agreed,
                    producer=PRODUCER,
                )
            )
            if row.title is None:
                row.title = title_of(question)
                row.folded = folded(row.title)
            row.updated_at = now
            return Begun(earlier=earlier, training_consent=agreed)

    def finish_turn(self, rollout_id: RolloutId, result: RunSummary) -> bool:
        return self._end(rollout_id, TurnState.ANSWERED, result=result)

    def end_turn(self, rollout_id: RolloutId, state: TurnState, shown: Answer | None = None) -> bool:
        return self._end(rollout_id, state, shown=shown)

    def rate(self, owner: OwnerId, rollout_id: RolloutId, feedback: Feedback | None) -> None:
        with self._write() as session:
            question = session.scalar(
                select(MessageRow)
                .join(ConversationRow)
                .where(MessageRow.rollout_id == rollout_id, _QUESTION, ConversationRow.owner == owner)
            )
            if question is None or question.state != TurnState.ANSWERED:
                raise UnknownRunError
            answer = self._answer(session, question)
            assert answer is not None
            now = self._clock.now()
            session.execute(delete(FeedbackRow).where(FeedbackRow.message_id == answer.id))
            if feedback is not None:
                session.add(
                    FeedbackRow(
                        message_id=answer.id,
                        thumbs=feedback.thumbs,
                        reasons=[str(reason) for reason in feedback.reasons],
                        comment=feedback.comment,
                        at=now,
                    )
                )
            self._tell(session, rollout_id, thumbs_judgement(rollout_id, now, feedback))
        self._purge_due.set()  # an earlier comment may be in the log; the next deletion or start empties it

    def consent(self, owner: OwnerId) -> Consent | None:
        with self._read() as session:
            return self._consent(session, owner)

    def decide(self, owner: OwnerId, *, training: bool, version: str) -> Consent:
        with self._write() as session:
            now = self._clock.now()
            session.add(ConsentRow(owner=owner, training=training, version=version, decided_at=now))
            if not training:
                agreed_to = session.scalars(
                    select(MessageRow)
                    .join(ConversationRow)
                    .where(ConversationRow.owner == owner, MessageRow.consented)
                    .order_by(MessageRow.id)
                )
                for question in agreed_to:
                    question.consented = False
                    rollout_id = RolloutId(question.rollout_id)
                    self._tell(session, rollout_id, withdrawal_judgement(rollout_id, now))
            return Consent(training=training, version=version, decided_at=now)

    def pending(self, limit: int = 1000) -> tuple[Pending, ...]:
        with self._read() as session:
            rows = session.scalars(select(PendingRow).order_by(PendingRow.id).limit(limit))
            return tuple(
                Pending(
                    id=row.id,
                    at=row.at,
                    judgement=Judgement.model_validate(row.judgement) if row.judgement is not None else None,
                    rollout_id=RolloutId(row.rollout_id),
                )
                for row in rows
            )

    def settle(self, done: Collection[int]) -> None:
        if done:
            with self._write() as session:
                session.execute(delete(PendingRow).where(PendingRow.id.in_(done)))

    def close(self) -> None:
        with boundary():
            if self._purge_due.is_set():
                self._purge()
            self._engine.dispose()

    def _end(
        self, rollout_id: RolloutId, state: TurnState, *, result: RunSummary | None = None, shown: Answer | None = None
    ) -> bool:
        with self._write() as session:
            question = session.scalar(select(MessageRow).where(MessageRow.rollout_id == rollout_id, _QUESTION))
            if question is None:
                return False
            if question.state == TurnState.ANSWERED:
                return True
            now = self._clock.now()
            question.state = state
            if state is TurnState.ANSWERED:
                question.replaced = False
            row = session.get_one(ConversationRow, question.conversation_id)
            row.updated_at = now
            if result is not None or shown is not None:
                answer = self._answer(session, question)
                if answer is None:
                    answer = answer_row(question, now)
                    session.add(answer)
                    session.flush()
                put_answer(answer, result=result, shown=shown)
            return True

    def _answer(self, session: Session, question: MessageRow) -> MessageRow | None:
        return session.scalar(
            select(MessageRow).where(MessageRow.rollout_id == question.rollout_id, MessageRow.role == "answer")
        )

    def _mine(
        self, session: Session, owner: OwnerId, conversation_id: ConversationId, *, for_update: bool = False
    ) -> ConversationRow:
        wanted = select(ConversationRow).where(ConversationRow.id == conversation_id, ConversationRow.owner == owner)
        row = session.scalar(wanted.with_for_update() if for_update else wanted)
        if row is None:
            raise UnknownConversationError
        return row

    def _turns(self, session: Session, row: ConversationRow) -> int:
        return (
            session.scalar(
                select(func.count())
                .select_from(MessageRow)
                .where(MessageRow.conversation_id == row.id, _QUESTION, ~MessageRow.replaced)
            )
            or 0
        )

    def _consent(self, session: Session, owner: OwnerId) -> Consent | None:
        row = session.scalar(
            select(ConsentRow).where(ConsentRow.owner == owner).order_by(ConsentRow.id.desc()).limit(1)
        )
        return Consent(training=row.training, version=row.version, decided_at=row.decided_at) if row else None

    def _agreed(self, session: Session, owner: OwnerId) -> bool:
        consent = self._consent(session, owner)
        return consent is not None and consent.agreed

    def _tell(self, session: Session, rollout_id: RolloutId, judgement: Judgement | None = None) -> None:
        told = judgement.model_dump(mode="json") if judgement is not None else None
        session.add(PendingRow(at=self._clock.now(), rollout_id=rollout_id, judgement=told))

    def _purge(self) -> None:
        if purge(self._engine):
            self._purge_due.clear()

    @contextmanager
    def _read(self) -> Iterator[Session]:
        with boundary(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def _write(self) -> Iterator[Session]:
        """One transaction, on disk when this ends."""
        with boundary(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session


def _info(row: ConversationRow, turns: int) -> ConversationInfo:
    return ConversationInfo(
        id=ConversationId(row.id), title=row.title, created_at=row.created_at, updated_at=row.updated_at, turns=turns
    )
