"""Server-sent events read from bytes, however these are cut: the HTML standard's "event stream interpretation".

Work and memory are linear in what arrives, and one event has a bound: what sends may be hostile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: A piece of a chat completion with the token ids of a full context is a tenth of this.
MAX_EVENT_BYTES = 2**20
_LINE_END = re.compile(rb"\r\n?|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLongError(ValueError):
    """An event is longer than any that a server has reason to send."""


@dataclass(frozen=True)
class ServerSentEvent:
    """An event: its type ("message" where none is given), its data, and the last id that was given."""

    event: str
    data: str
    id: str


class EventStreamReader:
    """Feed pieces of a stream, take whole events out; what has no empty line behind it is no event."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._line = bytearray()
        self._first_line = True
        self._after_return = False
        self._data: list[str] = []
        self._held = 0  # bytes of the event so far, its unfinished line apart
        self._event = ""
        self._id = ""

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        """The events that this piece completes.

        Raises:
            EventTooLongError: an event is longer than allowed.
            UnicodeDecodeError: a line is not UTF-8.
        """
        events: list[ServerSentEvent] = []
        # The second half of a CRLF that was cut in two ends no second line.
        start = 1 if self._after_return and piece.startswith(b"\n") else 0
        if piece:
            self._after_return = piece.endswith(b"\r")
        for end in _LINE_END.finditer(piece, start):
            self._take_in(piece[start : end.start()])
            start = end.end()
            line = bytes(self._line)
            self._line.clear()
            self._held += len(line) + 1
            if (event := self._end_line(line)) is not None:
                events.append(event)
        self._take_in(piece[start:])
        return events

    def _take_in(self, part: bytes) -> None:
        self._line += part
        if self._held + len(self._line) > self._max_event_bytes:
            raise EventTooLongError(f"an event has more than {self._max_event_bytes} bytes")

    def _end_line(self, line: bytes) -> ServerSentEvent | None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            event = ServerSentEvent(self._event or "message", "\n".join(self._data), self._id) if self._data else None
            self._data, self._event, self._held = [], "", 0
            return event
        field, _, value = line.decode().partition(":")
        value = value.removeprefix(" ")
        match field:
            case "data":
                self._data.append(value)
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._id = value
        return None
