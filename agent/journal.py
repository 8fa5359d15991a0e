"""The rollout journal: append-only JSONL segments in a directory.

Writer contract: every writer opens a segment of its own with O_APPEND, one `write` per line; a line
counts as finished once that call returned. Data is synced to disk every few lines or seconds and on
close. The reader ignores a torn last line, so killing the process at any byte loses no finished
record. Segments are never rewritten, but to take out the words of a deleted conversation
(`agent.erasing`). What people say of runs later stands beside them (`agent.judgements`).
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from agent.clock import Clock, SystemClock
from agent.erasing import Erased, erase_runs, without_words
from agent.errors import JournalError
from agent.judgements import Judgement, append_judgements, judged, read_judgements
from agent.rollout import SEGMENT_PATTERN, Rollout, RolloutId, new_rollout_id

#: Bytes after which a new segment begins; small enough to copy and open.
SEGMENT_BYTES = 64 * 1024 * 1024
SYNC_EVERY_LINES = 16
SYNC_EVERY_SECONDS = 2.0


class RolloutSink(Protocol):
    """Where finished runs go."""

    def append(self, rollout: Rollout) -> None:
        """Keep a run. Raises JournalError when it could not be kept."""


class RunArchive(RolloutSink, Protocol):
    """Where finished runs go, and what is done to them later."""

    def judge(self, judgements: Sequence[Judgement]) -> None:
        """Put what people said beside the runs. Raises JournalError when it could not be kept."""

    def erase(self, ids: Collection[RolloutId]) -> Erased:
        """Take the words out of these runs. Raises JournalError."""


class MemoryJournal:
    """Keeps runs in a list; for tests and for runs nobody wants on disk."""

    def __init__(self) -> None:
        self.rollouts: list[Rollout] = []
        self.judgements: list[Judgement] = []

    def append(self, rollout: Rollout) -> None:
        self.rollouts.append(rollout)

    def judge(self, judgements: Sequence[Judgement]) -> None:
        self.judgements.extend(judgements)

    def erase(self, ids: Collection[RolloutId]) -> Erased:
        found = frozenset(rollout.rollout_id for rollout in self.rollouts if rollout.rollout_id in ids)
        self.rollouts[:] = [without_words(run) if run.rollout_id in found else run for run in self.rollouts]
        return Erased(found, 0)


class Journal:
    """Writes segments. One instance may be shared by the threads of one process, not by processes.

    Args:
        directory: made when missing.
        write: the system call; a swap point for tests that cut it short.
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        write: Callable[[int, bytes], int] = os.write,
    ) -> None:
        self._directory = directory
        self._clock = clock or SystemClock()
        self._segment_bytes = segment_bytes
        self._write = write
        self._descriptor: int | None = None
        self._size = 0
        self._unsynced = 0
        self._synced_at = self._clock.monotonic()
        self._names: list[str] = []
        self._lock = threading.RLock()

    @property
    def segments(self) -> tuple[str, ...]:
        """File names of the segments this writer has begun."""
        return tuple(self._names)

    def append(self, rollout: Rollout) -> None:
        """Write one run as one line.

        Raises:
            JournalError: the line could not be written whole (disk full, no permission).
        """
        try:
            line = rollout.model_dump_json().encode() + b"\n"
        except PydanticSerializationError as error:
            raise JournalError(f"{self._directory.name}: the record holds text that is not Unicode") from error
        with self._lock:
            self._append(line)

    def _append(self, line: bytes) -> None:
        try:
            if self._descriptor is not None and self._size + len(line) > self._segment_bytes:
                self.close()
            descriptor = self._descriptor if self._descriptor is not None else self._open()
            written = self._write(descriptor, line)
            self._size += written
            if written != len(line):
                # The torn line stays where it is and ends its segment; the next record starts a new one.
                self.close()
                raise JournalError(f"{self._directory.name}: the disk took only part of a record; free some space")
            self._unsynced += 1
            due = self._clock.monotonic() - self._synced_at >= SYNC_EVERY_SECONDS
            if self._unsynced >= SYNC_EVERY_LINES or due:
                self._sync(descriptor)
        except OSError as error:
            raise JournalError(f"{self._directory.name}: cannot write rollouts ({error.strerror})") from error

    def judge(self, judgements: Sequence[Judgement]) -> None:
        """Put what people said beside the segments; it is on disk when this returns. Raises JournalError."""
        append_judgements(self._directory, judgements)

    def erase(self, ids: Collection[RolloutId]) -> Erased:
        """Take the words out of these runs in every segment that no other process is writing.

        The segment in progress is closed for it; what is appended meanwhile goes into another. Raises JournalError.
        """
        try:
            self.close()
        except OSError as error:
            raise JournalError(f"{self._directory.name}: cannot write rollouts ({error.strerror})") from error
        return erase_runs(self._directory, ids)

    def close(self) -> None:
        """Sync and close the segment; the next append opens another."""
        with self._lock:
            if self._descriptor is not None:
                descriptor, self._descriptor = self._descriptor, None
                try:
                    self._sync(descriptor)
                finally:
                    os.close(descriptor)  # releases the lock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> int:
        self._directory.mkdir(parents=True, exist_ok=True)
        name = f"rollouts-{new_rollout_id()}.jsonl"
        while self._names and name <= self._names[-1]:
            # Two ids of one millisecond are in no order; segments are read by name and must stay in the order written.
            name = f"rollouts-{new_rollout_id()}.jsonl"
        path = self._directory / name
        # Readable by the owner only: a rollout holds what a clinician typed.
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._size = 0
        self._names.append(path.name)
        return self._descriptor

    def _sync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        self._unsynced = 0
        self._synced_at = self._clock.monotonic()


def read_journal(directory: Path) -> Iterator[Rollout]:
    """Every finished run, oldest segment first. A torn last line of a segment is ignored.

    Raises:
        JournalError: a whole line is not a `rollout.v1` record.
    """
    for path in sorted(directory.glob(SEGMENT_PATTERN)):
        yield from read_segment(path)


def read_judged(segments: Sequence[Path]) -> Iterator[Rollout]:
    """The finished runs of segments of one journal, with what people said of them since. Raises JournalError."""
    said = read_judgements(segments[0].parent)
    for segment in segments:
        yield from judged(read_segment(segment), said)


def read_segment(path: Path) -> Iterator[Rollout]:
    """The finished runs of one file; see `read_journal`."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return  # torn: the process died while writing it
                try:
                    yield Rollout.model_validate_json(line)
                except ValidationError as error:
                    first = error.errors(include_input=False, include_url=False)[0]
                    where = ".".join(str(part) for part in first["loc"])
                    raise JournalError(f"{path.name} line {number}: {where or 'record'}: {first['msg']}") from error
    except OSError as error:
        raise JournalError(f"{path.name}: cannot read rollouts ({error.strerror})") from error
