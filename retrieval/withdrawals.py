"""Withdrawn guidance: documents and passages that must not be shown, from the moment somebody says so.

One append-only file of JSON lines, one line an act: who withdrew or restored what, when and why. It lives
outside the index, so no rebuild loses it, and every process looks at the file's size and time before it
searches, so an act holds at once in services that are already running. A line is written whole and on disk
before the act is confirmed; a half line that a crash left is passed over. A file that cannot be read stops the
search, because showing what was withdrawn would be worse.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from retrieval.documents import DocumentId, PassageId
from retrieval.errors import CorpusError
from retrieval.files import sync_directory

#: Its name in a data directory.
WITHDRAWALS_FILE = "withdrawals.jsonl"

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


class Withdrawal(BaseModel):
    """One act: a document or a passage was withdrawn, or restored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = 1
    act: Literal["withdraw", "restore"] = "withdraw"
    kind: Literal["document", "passage"]
    id: str
    why: Reason
    who: str
    at: datetime
    #: The passages it held then, so that their ids still say why they are gone.
    passages: tuple[PassageId, ...] = ()


class Withdrawn:
    """What is withdrawn at one moment."""

    def __init__(self, acts: tuple[Withdrawal, ...] = ()) -> None:
        self.acts = acts
        standing = {}
        for act in acts:
            standing[act.kind, act.id] = act
        held = tuple(act for act in standing.values() if act.act == "withdraw")
        self.standing = held
        self.documents: Mapping[DocumentId, Withdrawal] = MappingProxyType(
            {DocumentId(act.id): act for act in held if act.kind == "document"}
        )
        passages = {name: act for act in held for name in act.passages}
        passages.update({PassageId(act.id): act for act in held if act.kind == "passage"})
        self.passages: Mapping[PassageId, Withdrawal] = MappingProxyType(passages)

    def __bool__(self) -> bool:
        return bool(self.documents or self.passages)

    def of(self, passage_id: PassageId, document_id: DocumentId | None = None) -> Withdrawal | None:
        """Why a passage is withdrawn, by itself or with its document; None where it is not."""
        act = self.passages.get(passage_id)
        return act if act is not None or document_id is None else self.documents.get(document_id)


NOTHING_WITHDRAWN = Withdrawn()


class Withdrawals:
    """The file; safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int] | None, Withdrawn] = (None, NOTHING_WITHDRAWN)

    def now(self) -> Withdrawn:
        """What is withdrawn now; the same object as long as nothing changed.

        Raises:
            CorpusError: the file cannot be read.
        """
        try:
            state = self._path.stat()
        except FileNotFoundError:
            # Read before and now gone: somebody's mistake must not bring withdrawn guidance back.
            if self._seen[0] is not None:
                raise CorpusError("The record of withdrawn guidance is gone. Put the file back.") from None
            return NOTHING_WITHDRAWN
        except OSError as error:
            raise CorpusError(f"could not read the record of withdrawn guidance: {error.strerror}") from error
        stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
        seen = self._seen
        if seen[0] == stamp:
            return seen[1]
        with self._lock:
            # The stamp is from before the reading: a line written meanwhile is seen the next time.
            self._seen = (stamp, Withdrawn(self._read()))
            return self._seen[1]

    def add(self, act: Withdrawal) -> None:
        """Put an act on record; it holds everywhere when this returns.

        Raises:
            CorpusError: it could not be written whole.
        """
        line = act.model_dump_json().encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        line = b"\n" + line
                written = file.write(line)
                os.fsync(file.fileno())
            # The first act makes the file, and a name that is not on disk is lost with the power.
            sync_directory(self._path.parent)
        except OSError as error:
            raise CorpusError(f"could not write the record of withdrawn guidance: {error.strerror}") from error
        if written != len(line):
            raise CorpusError("could not write the record of withdrawn guidance: the disk is full")

    def _read(self) -> tuple[Withdrawal, ...]:
        try:
            lines = self._path.read_bytes().split(b"\n")
        except OSError as error:
            raise CorpusError(f"could not read the record of withdrawn guidance: {error.strerror}") from error
        # What follows the last line break is a line being written or cut off by a crash.
        acts = []
        for number, line in enumerate(lines[:-1], start=1):
            try:
                acts.append(Withdrawal.model_validate_json(line))
            except ValidationError as error:
                if _torn(line):
                    continue
                raise CorpusError(f"the record of withdrawn guidance is damaged in line {number}") from error
        return tuple(acts)


def _torn(line: bytes) -> bool:
    """Whether a line is the beginning of an act that a crash cut off; such an act was never confirmed."""
    return not line.rstrip().endswith(b"}")
