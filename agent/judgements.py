"""What people said of finished runs, joined to them by rollout id when they are read.

Segments of a journal are written once, so a thumb that comes a minute or a month later, and an agreement to train that
is taken back, stand beside them: one append-only file, `judgements.jsonl`, a line each, on disk before the writer is
told so. A half line that a crash left was never confirmed and is cut off by the next writer. No words of a person are
in it: comments stay where conversations are kept.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from agent.errors import JournalError
from agent.rollout import Rollout, RolloutId
from agent.version import PRODUCER
from retrieval.files import sync_directory

#: Its name in a journal's directory.
JUDGEMENTS_FILE = "judgements.jsonl"
JUDGEMENT_SCHEMA: Literal["judgement.v1"] = "judgement.v1"
Thumbs = Literal["up", "down"]


class Judgement(BaseModel):
    """One thing said of one run; of two of a kind the later holds, whatever their order in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, populate_by_name=True)

    schema_: Literal["judgement.v1"] = Field(default=JUDGEMENT_SCHEMA, alias="schema")
    rollout_id: RolloutId
    at: AwareDatetime
    #: "consent_withdrawn": whoever asked no longer agrees that the run is trained on. It is never given back.
    kind: Literal["thumbs", "consent_withdrawn"]
    #: None takes an earlier thumb back.
    thumbs: Thumbs | None = None
    #: Codes of a closed list, see the service's feedback.
    reasons: tuple[str, ...] = ()
    producer: str = PRODUCER


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds of a run now."""

    thumbs: Thumbs | None = None
    consent_withdrawn: bool = False


Standings = Mapping[RolloutId, Standing]


def append_judgements(directory: Path, judgements: Sequence[Judgement]) -> None:
    """Write judgements; they are on disk when this returns. Safe to call from several processes.

    Raises:
        JournalError: they could not be written whole.
    """
    lines = b"".join(judgement.model_dump_json().encode() + b"\n" for judgement in judgements)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / JUDGEMENTS_FILE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _cut_torn_end(descriptor)
            written = os.write(descriptor, lines)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)  # releases the lock
        sync_directory(directory)
    except OSError as error:
        raise JournalError(f"{JUDGEMENTS_FILE}: cannot be written ({error.strerror})") from error
    if written != len(lines):
        raise JournalError(f"{JUDGEMENTS_FILE}: the disk took only part of a line; free some space")


def read_judgements(directory: Path) -> Standings:
    """What holds of each run that was judged; empty where nothing was said. A torn last line is ignored.

    Raises:
        JournalError: the file cannot be read, or a whole line is not a judgement.
    """
    try:
        body = (directory / JUDGEMENTS_FILE).read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise JournalError(f"{JUDGEMENTS_FILE}: cannot be read ({error.strerror})") from error
    return standings(_judgements(body))


def standings(judgements: Iterable[Judgement]) -> Standings:
    """What holds of each run after all that was said."""
    thumbs: dict[RolloutId, tuple[datetime, Thumbs | None]] = {}
    withdrawn: set[RolloutId] = set()
    for judgement in judgements:
        if judgement.kind == "consent_withdrawn":
            withdrawn.add(judgement.rollout_id)
            continue
        at, _ = thumbs.get(judgement.rollout_id, (datetime.min.replace(tzinfo=UTC), None))
        if judgement.at >= at:
            thumbs[judgement.rollout_id] = (judgement.at, judgement.thumbs)
    return {
        rollout_id: Standing(thumbs.get(rollout_id, (None, None))[1], rollout_id in withdrawn)
        for rollout_id in {*thumbs, *withdrawn}
    }


def judged(rollouts: Iterable[Rollout], held: Standings) -> Iterator[Rollout]:
    """The runs with what people said of them: `labels.thumbs`, and no training where that was taken back."""
    for rollout in rollouts:
        standing = held.get(rollout.rollout_id)
        if standing is None:
            yield rollout
            continue
        update: dict[str, object] = {"labels": rollout.labels.model_copy(update={"thumbs": standing.thumbs})}
        if standing.consent_withdrawn:
            update["provenance"] = rollout.provenance.model_copy(update={"training_consent": False})
        yield rollout.model_copy(update=update)


def _cut_torn_end(descriptor: int) -> None:
    """Remove what follows the last line break: nobody was told that it was written."""
    size = os.fstat(descriptor).st_size
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return
    body = os.pread(descriptor, size, 0)
    os.ftruncate(descriptor, body.rfind(b"\n") + 1)


def _judgements(body: bytes) -> Iterator[Judgement]:
    for number, line in enumerate(body.split(b"\n")[:-1], start=1):
        try:
            yield Judgement.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            raise JournalError(f"{JUDGEMENTS_FILE} line {number}: {first['msg']}") from error
