"""What a reader is given and what it gives back.

A reader knows one publisher's format. It gets a file's bytes, never a path to open, so that the same
reader reads a file on disk and a member of an archive. It yields documents and, for what it leaves out,
a reason; it raises `ReaderError` where the file as a whole cannot be read. It cuts nothing into passages.
"""

from __future__ import annotations

import json
import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

from retrieval.blocks import ParsedDocument
from retrieval.documents import SourceId
from retrieval.errors import ReaderError

GUIDELINES = SourceId("guidelines")
PATIENT_INFORMATION = SourceId("patient_information")
PUBLIC_HEALTH_REPORTS = SourceId("public_health_reports")
CODES = SourceId("codes")

_HEAD = 4096


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a corpus, out of whatever it was packed in."""

    #: Path inside what was added, with forward slashes: "pack/guideline-7.xml".
    name: str
    data: bytes

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name)

    @property
    def suffix(self) -> str:
        """Lower-case suffix of the last name, with its dot."""
        return self.path.suffix.lower()

    @property
    def head(self) -> str:
        """The beginning of the file, for detection; undecodable bytes are replaced."""
        return self.data[:_HEAD].decode("utf-8", "replace").lstrip("\ufeff")

    def text(self) -> str:
        """The whole file as text: UTF-8, or what its byte order mark says.

        Raises:
            ReaderError: it is not text in UTF-8 or UTF-16.
        """
        encoding = "utf-16" if self.data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            return self.data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError as error:
            raise ReaderError(f"is not {encoding.removesuffix('-sig').upper()} text") from error

    def json(self) -> Any:
        """The file as JSON.

        Raises:
            ReaderError: it is not JSON.
        """
        try:
            return json.loads(self.text())
        except (ValueError, RecursionError) as error:
            raise ReaderError("is not valid JSON") from error


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not read, and why, as a clause: "has no answer"."""

    name: str
    why: str


ReadItem = ParsedDocument | Skipped


class Reader(Protocol):
    """Reads one format."""

    @property
    def name(self) -> str:
        """The name that `--reader` takes."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same file could be read differently."""
        ...

    def matches(self, file: SourceFile) -> bool:
        """Whether this looks like the reader's format; cheap, reads the beginning only."""
        ...

    def read(self, file: SourceFile) -> Iterator[ReadItem]:
        """The documents of a file.

        Raises:
            ReaderError: the file cannot be read as this format.
        """
        ...


def slug(text: str) -> str:
    """A name as part of an id: lower-case letters, digits, dots and hyphens."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-.") or "untitled"


_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATES = (
    re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<number>\d\d)(?:-(?P<day>\d\d))?\b"),
    re.compile(rf"\b(?P<year>(?:19|20)\d\d)\s+{_MONTH}(?:\s+(?P<day>\d{{1,2}}))?\b", re.IGNORECASE),
    re.compile(rf"\b{_MONTH}\s+(?:(?P<day>\d{{1,2}}),?\s+)?(?P<year>(?:19|20)\d\d)\b", re.IGNORECASE),
    re.compile(rf"\b(?P<day>\d{{1,2}})\s+{_MONTH}\s+(?P<year>(?:19|20)\d\d)\b", re.IGNORECASE),
    re.compile(r"\b(?P<year>(?:19|20)\d\d)\b"),
)


def dates_in(text: str) -> list[str]:
    """Dates in a text, as partial ISO 8601 dates in the order they stand; impossible days are left out."""
    found: dict[int, str] = {}
    taken: list[tuple[int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            parts = match.groupdict()
            month = int(parts["number"]) if parts.get("number") else _MONTHS.get((parts.get("month") or "")[:3].lower())
            day = int(parts["day"]) if parts.get("day") else None
            taken.append(match.span())
            date = parts["year"]
            if month and 1 <= month <= 12:
                date += f"-{month:02d}"
                if day and 1 <= day <= monthrange(int(parts["year"]), month)[1]:
                    date += f"-{day:02d}"
            found[match.start()] = date
    return [found[position] for position in sorted(found)]
