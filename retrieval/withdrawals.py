"""Withdrawn guidance: documents and passages that must not be shown, from the moment somebody says so.

One append-only file of JSON lines, one line an act: who withdrew or restored what, when and why. It lives
outside the index, so no rebuild loses it, and every process looks at the file's size and time before it
searches, so an act holds at once in services that are already running. A line is written whole and on disk
before the act is confirmed; a half line that a crash left is passed over. A file that cannot be read stops the
search, because showing what was withdrawn would be worse. So does one that is gone or that lacks acts: a small
file beside it holds how many acts there were and a hash of them, written after every act and by every index
build, so a lost file or an old backup is noticed by a process that never saw the whole one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from retrieval.documents import DocumentId, PassageId
from retrieval.errors import CorpusError
from retrieval.files import sync_directory, write_atomically

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


class _Extent(BaseModel):
    """How much was once on record: the file must begin with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = 1
    acts: Annotated[int, Field(ge=0)] = 0
    size: Annotated[int, Field(ge=0)] = 0
    #: Of the first `size` bytes.
    sha256: str = hashlib.sha256(b"").hexdigest()

    @classmethod
    def of(cls, body: bytes) -> _Extent:
        whole = body[: body.rfind(b"\n") + 1]
        return cls(acts=len(_acts(whole)), size=len(whole), sha256=hashlib.sha256(whole).hexdigest())

    def begins(self, body: bytes) -> bool:
        return len(body) >= self.size and hashlib.sha256(body[: self.size]).hexdigest() == self.sha256


class Withdrawals:
    """The file; safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._extent_path = path.with_suffix(".extent.json")
        self._lock = threading.Lock()
        self._seen: tuple[tuple[int, int, int] | None, Withdrawn] = (None, NOTHING_WITHDRAWN)

    def now(self) -> Withdrawn:
        """What is withdrawn now; the same object as long as nothing changed.

        Raises:
            CorpusError: the file cannot be read, or lacks acts that were once on record.
        """
        with _boundary("read"):
            try:
                state = self._path.stat()
            except FileNotFoundError:
                # Read before and now gone: somebody's mistake must not bring withdrawn guidance back.
                if self._seen[0] is not None:
                    raise CorpusError(_lost(len(self._seen[1].acts), gone=True)) from None
                self._check(self._extent(), None)
                return NOTHING_WITHDRAWN
            stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
            seen = self._seen
            if seen[0] == stamp:
                return seen[1]
            with self._lock:
                # Before the file: acts that are added meanwhile are then more than is asked for, never fewer.
                extent = self._extent()
                body = self._path.read_bytes()
                self._check(extent, body)
                # The stamp is from before the reading: a line written meanwhile is seen the next time.
                self._seen = (stamp, Withdrawn(_acts(body)))
                return self._seen[1]

    def add(self, act: Withdrawal) -> None:
        """Put an act on record; it holds everywhere when this returns.

        Raises:
            CorpusError: it could not be written whole, or the file lacks acts that were once on record.
        """
        line = act.model_dump_json().encode() + b"\n"
        with _boundary("write"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._path.exists():
                self._check(self._extent(), None)
            with self._locked() as file:
                body = file.read()
                self._check(self._extent(), body)
                if body and not body.endswith(b"\n"):
                    line = b"\n" + line
                written = file.write(line)
                os.fsync(file.fileno())
                # The first act makes the file, and a name that is not on disk is lost with the power.
                sync_directory(self._path.parent)
                if written != len(line):
                    raise CorpusError("could not write the record of withdrawn guidance: the disk is full")
                self._keep_extent(body + line)

    def secure(self) -> Withdrawn:
        """`now`, and note how much is on record, so that a loss is noticed from here on.

        Raises:
            CorpusError: as `now`; or the note could not be written.
        """
        now = self.now()
        with _boundary("write"):
            if self._path.exists():
                with self._locked() as file:
                    body = file.read()
                    self._check(self._extent(), body)
                    self._keep_extent(body)
        return now

    def accept_loss(self) -> int:
        """Take the file as it is now for the whole record; only a person can decide that.

        Returns:
            How many acts are missing at least; 0 where none is known to be.

        Raises:
            CorpusError: it cannot be read or written.
        """
        with _boundary("write"):
            before = self._extent(or_nothing=True)
            if not self._path.exists():
                if self._extent_path.exists():
                    self._keep_extent(b"")
                return before.acts
            with self._locked() as file:
                body = file.read()
                self._keep_extent(body)
            return max(before.acts - _Extent.of(body).acts, 0)

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        """The file at its beginning, while nobody else writes."""
        with self._path.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            yield file

    def _check(self, extent: _Extent, body: bytes | None) -> None:
        if not extent.begins(body or b""):
            raise CorpusError(_lost(extent.acts, gone=body is None))

    def _extent(self, *, or_nothing: bool = False) -> _Extent:
        try:
            return _Extent.model_validate_json(self._extent_path.read_bytes())
        except FileNotFoundError:
            return _Extent()
        except ValidationError as error:
            if or_nothing:
                return _Extent()
            raise CorpusError(
                f"{self._extent_path.name}, which says how much withdrawn guidance is on record, is damaged. "
                f"Restore it and {WITHDRAWALS_FILE} from a backup, or, where {WITHDRAWALS_FILE} is whole, run "
                "`clinsearch corpus withdrawn --accept-loss`."
            ) from error

    def _keep_extent(self, body: bytes) -> None:
        with write_atomically(self._extent_path) as file:
            file.write(_Extent.of(body).model_dump_json().encode() + b"\n")


def _acts(body: bytes) -> tuple[Withdrawal, ...]:
    # What follows the last line break is a line being written or cut off by a crash.
    acts = []
    for number, line in enumerate(body.split(b"\n")[:-1], start=1):
        try:
            acts.append(Withdrawal.model_validate_json(line))
        except ValidationError as error:
            if _torn(line):
                continue
            raise CorpusError(f"the record of withdrawn guidance is damaged in line {number}") from error
    return tuple(acts)


def _lost(acts: int, *, gone: bool) -> str:
    what = "is gone" if gone else "lacks acts or was changed"
    return (
        f"The record of withdrawn guidance ({WITHDRAWALS_FILE}) {what}: {acts} were on record. Nothing is searched, "
        "because withdrawn guidance could come back. Restore the file from a backup that has them all; or run "
        "`clinsearch corpus withdrawn --accept-loss` and withdraw again what must not be shown."
    )


@contextmanager
def _boundary(action: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CorpusError(f"could not {action} the record of withdrawn guidance: {error.strerror}") from error


def _torn(line: bytes) -> bool:
    """Whether a line is the beginning of an act that a crash cut off; such an act was never confirmed."""
    return not line.rstrip().endswith(b"}")
