"""The tables behind the records. A change here needs a migration beside `migrations/versions`; a test compares the two.

Everything under a conversation goes with it (ON DELETE CASCADE). Times are whole microseconds since 1970, UTC, because
SQLite keeps no time zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Dialect, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from service.records.cursor import microseconds, moment_of


class Moment(TypeDecorator[datetime]):
    """A time as whole microseconds since 1970, UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else moment_of(value)


class Base(DeclarativeBase):
    """What all tables share."""


class ConversationRow(Base):
    """A conversation; `folded` is its title as it is searched."""

    __tablename__ = "conversations"
    __table_args__ = (Index("conversations_by_use", "owner", "updated_at", "id"),)

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    #: A hash; the table names nobody.
    owner: Mapped[str] = mapped_column(String(64))
    title: Mapped[str | None] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class MessageRow(Base):
    """A question (`state` says what came of it), or the answer to it under the same position."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "position", "role", name="messages_in_order"),
        UniqueConstraint("rollout_id", "role", name="messages_of_run"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    #: "question" or "answer".
    role: Mapped[str] = mapped_column(String(8))
    rollout_id: Mapped[str] = mapped_column(String(26))
    at: Mapped[datetime] = mapped_column(Moment)
    text: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text)
    #: Of a question: how its turn stands, see `TurnState`.
    state: Mapped[str | None] = mapped_column(String(8))
    #: Of a question: asked again after it came to nothing, and not shown.
    replaced: Mapped[bool] = mapped_column(Boolean, default=False)
    #: Of a question: its run may be trained on.
    consented: Mapped[bool] = mapped_column(Boolean, default=False)
    #: Of an answer: the run's summary, or what was shown of one that was stopped; citations are in their own table.
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    shown: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    producer: Mapped[str] = mapped_column(String(64))

    citations: Mapped[list[CitationRow]] = relationship(
        order_by="CitationRow.number", lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )
    feedback: Mapped[FeedbackRow | None] = relationship(lazy="selectin", passive_deletes=True)


class CitationRow(Base):
    """A source as it was shown with an answer."""

    __tablename__ = "citations"
    __table_args__ = (Index("citations_by_passage", "passage_id"),)

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    passage_id: Mapped[str] = mapped_column(Text)
    document_id: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)


class FeedbackRow(Base):
    """What a person thinks of an answer."""

    __tablename__ = "feedback"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    thumbs: Mapped[str] = mapped_column(String(4))
    reasons: Mapped[list[str]] = mapped_column(JSON)
    comment: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)


class ConsentRow(Base):
    """A decision on training; a person's last one holds, earlier ones stay as evidence."""

    __tablename__ = "consents"
    __table_args__ = (Index("consents_by_owner", "owner", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    training: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[str] = mapped_column(String(16))
    decided_at: Mapped[datetime] = mapped_column(Moment)


class PendingRow(Base):
    """Something to tell the journal of runs, kept in the transaction that caused it."""

    __tablename__ = "pending"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    rollout_id: Mapped[str] = mapped_column(String(26))
    judgement: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
