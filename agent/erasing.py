"""Taking a person's words out of recorded runs, when they delete the conversation that the runs belong to.

A run keeps its line, without anything that was typed, asked of the index, prompted, sampled or answered: it still says
when there was a run, how it ended and which passages it showed, so that answers that showed guidance which is withdrawn
later can still be counted. Such a run is never trained on.

A segment is written anew beside the old one and takes its place whole, so a crash leaves one or the other. One that a
writer has open (it holds the lock) is passed over and reported.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from agent.errors import JournalError
from agent.rollout import SEGMENT_PATTERN, Rollout, RolloutId
from retrieval.files import write_atomically
from retrieval.filters import NO_FILTERS

_ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Erased:
    """What a call of `erase_runs` came to."""

    #: Runs found, whose words are gone now.
    found: frozenset[RolloutId]
    #: Segments that another writer has open; runs may be in them.
    passed_over: int


def without_words(rollout: Rollout) -> Rollout:
    """The record of a run with nothing in it that a person or a model wrote."""
    answer, guard = rollout.answer, rollout.guard
    if answer is not None:
        citations = tuple(citation.without_patient() for citation in answer.citations)
        answer = answer.model_copy(update={"sentences": (), "label": None, "notices": (), "citations": citations})
    if guard is not None:
        guard = guard.model_copy(update={"refused": None, "notices": ()})
    return rollout.model_copy(
        update={
            "erased": True,
            # Which rules spoke up says what was asked; under which policy does not.
            "guard": guard,
            # A hash of a short question can be guessed.
            "task_key": _ERASED,
            "filters": NO_FILTERS,
            "messages": (),
            "steps": (),
            "retrieval": tuple(entry.model_copy(update={"queries": ()}) for entry in rollout.retrieval),
            "verdicts": tuple(verdict.model_copy(update={"text": "", "detail": None}) for verdict in rollout.verdicts),
            "answer": answer,
            "patient": None,
            "patient_conflicts": (),
            "provenance": rollout.provenance.model_copy(update={"training_consent": False, "episode": None}),
        }
    )


def erase_runs(directory: Path, ids: Collection[RolloutId]) -> Erased:
    """Take the words out of these runs wherever a closed segment holds them.

    Raises:
        JournalError: a segment cannot be read or written.
    """
    found: set[RolloutId] = set()
    passed_over = 0
    wanted = {rollout_id.encode(): rollout_id for rollout_id in ids}
    try:
        for draft in directory.glob(f".{SEGMENT_PATTERN}.draft"):
            draft.unlink()  # left by a crash; its segment is as it was
        for path in sorted(directory.glob(SEGMENT_PATTERN)) if wanted else ():
            in_segment = _erase_from(path, wanted)
            if in_segment is None:
                passed_over += 1
            else:
                found |= in_segment
    except OSError as error:
        raise JournalError(f"{directory.name}: runs cannot be erased ({error.strerror})") from error
    return Erased(frozenset(found), passed_over)


def _erase_from(path: Path, wanted: dict[bytes, RolloutId]) -> set[RolloutId] | None:
    """The runs erased from one segment; None where it is being written."""
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        body = file.read()
        if not any(rollout_id in body for rollout_id in wanted):
            return set()
        found: set[RolloutId] = set()
        with write_atomically(path) as draft:
            os.fchmod(draft.fileno(), 0o600)
            for line in body.splitlines(keepends=True):
                draft.write(_without_words(line, wanted, found))
        return found


def _without_words(line: bytes, wanted: dict[bytes, RolloutId], found: set[RolloutId]) -> bytes:
    if not any(rollout_id in line for rollout_id in wanted):
        return line
    if not line.endswith(b"\n"):
        return b""  # torn: no record, but it may hold what was typed
    with suppress(ValidationError):  # a line that is no record is for `rollouts validate` to name
        rollout = Rollout.model_validate_json(line)
        if rollout.rollout_id in wanted.values():
            found.add(rollout.rollout_id)
            return without_words(rollout).model_dump_json().encode() + b"\n"
    return line
