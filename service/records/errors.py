"""Errors of the records: conversations, feedback and consent.

RecordsError
├── RecordsUnavailableError    the database cannot be opened, read or written
├── UnknownConversationError   there is no such conversation of this person
├── UnknownRunError            there is no such finished run of this person to judge
└── RecordsFullError           a limit is reached; the message says what to delete

Whether something exists is told only to whom it belongs: another person's conversation is an unknown one.
"""

from __future__ import annotations


class RecordsError(Exception):
    """Base of everything this package raises on purpose."""

    code = "records_error"


class RecordsUnavailableError(RecordsError):
    """The database cannot be opened, read or written; the message says what to do."""

    code = "records_unavailable"


class UnknownConversationError(RecordsError):
    """There is no such conversation of this person."""

    code = "conversation_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such conversation; it may have been deleted.")


class UnknownRunError(RecordsError):
    """There is no such finished run of this person to judge."""

    code = "run_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such answer in your conversations; it may have been deleted.")


class RecordsFullError(RecordsError):
    """A limit is reached; the message says what to do."""

    code = "records_full"
