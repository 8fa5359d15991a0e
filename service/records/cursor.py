"""Where a page of a list ended: the time and id of its last conversation, in letters a client only hands back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from service.records.models import ConversationId, ConversationInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: Hexadecimal microseconds and a ULID.
CURSOR_PATTERN = r"^[0-9a-f]{1,15}-[0-9A-HJKMNP-TV-Z]{26}$"


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(number: int) -> datetime:
    """The time that so many microseconds since 1970 are."""
    return _EPOCH + number * _MICROSECOND


def cursor_of(last: ConversationInfo) -> str:
    """The cursor of the page that ends with `last`."""
    return f"{microseconds(last.updated_at):x}-{last.id}"


def position_of(cursor: str) -> tuple[datetime, ConversationId]:
    """What a cursor says. Raises ValueError where it is none."""
    if re.fullmatch(CURSOR_PATTERN, cursor) is None:
        raise ValueError("the cursor is not one that a page gave")
    number, _, name = cursor.partition("-")
    try:
        return moment_of(int(number, 16)), ConversationId(name)
    except OverflowError as error:
        raise ValueError("the cursor is not one that a page gave") from error
