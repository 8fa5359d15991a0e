"""Conversations, feedback and consent, kept where a killed process loses nothing it confirmed."""

from service.records.base import Records
from service.records.errors import (
    RecordsError,
    RecordsFullError,
    RecordsUnavailableError,
    UnknownConversationError,
    UnknownRunError,
)
from service.records.memory import MemoryRecords
from service.records.models import (
    Consent,
    Conversation,
    ConversationId,
    ConversationInfo,
    ConversationPage,
    Feedback,
    OwnerId,
    Pending,
    Reason,
    StoredTurn,
    TurnState,
)
from service.records.sql import SqlRecords, open_records

__all__ = [
    "Consent",
    "Conversation",
    "ConversationId",
    "ConversationInfo",
    "ConversationPage",
    "Feedback",
    "MemoryRecords",
    "OwnerId",
    "Pending",
    "Reason",
    "Records",
    "RecordsError",
    "RecordsFullError",
    "RecordsUnavailableError",
    "SqlRecords",
    "StoredTurn",
    "TurnState",
    "UnknownConversationError",
    "UnknownRunError",
    "open_records",
]
