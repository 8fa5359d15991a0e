"""What a directory of batch rollouts was made with; a different call may not mix its runs in."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.batch.errors import BatchError
from agent.batch.tasks import Shard

PLAN_FILE = "batch.json"
_DIVISION_FILE = "shards.lock"


class BatchPlan(BaseModel):
    """Everything that changes what a run would hold. How many and how fast is not part of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    adapter: str | None
    policy: str
    seed: int
    prompt_sha256: str
    #: The sources stand in the prompt with their descriptions.
    sources_sha256: str
    index_version: str
    home_region: str | None
    #: Temperature, budgets and everything else the loop was told, by name. Limits of time are kept but not compared:
    #: they follow the machine.
    agent: Mapping[str, Any]


@contextmanager
def hold_plan(directory: Path, plan: BatchPlan, shard: Shard, *, wait_s: float = 0.0) -> Iterator[None]:
    """Write the plan, or check it against the one there, and keep other processes off this shard.

    `wait_s` is how long to wait for a process that holds the shard, for example one that is just dying.

    Raises:
        BatchError: the directory was made with other settings, or another process works on this shard or divides
            the same file into another number of shards.
    """
    locks: list[int] = []
    try:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for name in (f"shard-{shard.index}-of-{shard.count}.lock", _DIVISION_FILE):
                locks.append(os.open(directory / name, os.O_RDWR | os.O_CREAT, 0o600))
            _hold_shard(locks[0], directory, shard, time.monotonic() + wait_s)
            _hold_division(locks[1], directory, shard.count)
        except OSError as error:
            raise BatchError(
                f"The directory {directory.name} cannot be used for rollouts: {error.strerror}."
            ) from error
        check_plan(directory, plan)
        yield
    finally:
        for lock in locks:
            os.close(lock)


def _hold_shard(lock: int, directory: Path, shard: Shard, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()} on {socket.gethostname()}".encode(), 0)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                who = os.pread(lock, 300, 0).decode(errors="replace")
                raise BatchError(
                    f"Another process ({who}) writes shard {shard.index}/{shard.count} of {directory.name}."
                ) from error
        time.sleep(0.1)


def _hold_division(lock: int, directory: Path, count: int) -> None:
    """Agree with the processes at work on the number of shards: parts of different divisions overlap."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.pwrite(lock, f"{count:<20}".encode(), 0)
    except BlockingIOError:
        pass  # others are at work
    # Not atomic after the exclusive lock, so what stands there is read again by everyone.
    fcntl.flock(lock, fcntl.LOCK_SH)
    held = os.pread(lock, 20, 0).decode().strip()
    if held != str(count):
        raise BatchError(
            f"Another process works on {directory.name} in {held} shards, and not in {count}: let it end first, or "
            "use the same number."
        )


def check_plan(directory: Path, plan: BatchPlan) -> None:
    """Write the plan, or check it against the one there.

    Raises:
        BatchError: the directory was made with other settings, or cannot be used.
    """
    path = directory / PLAN_FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # Made whole or not at all: shards on several machines may start at once.
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(plan.model_dump_json(indent=2), encoding="utf-8")
        try:
            os.link(temporary, path)
        except FileExistsError:
            held = BatchPlan.model_validate_json(path.read_bytes())
            before, now = _settings(held), _settings(plan)
            if before != now:
                told = ", ".join(
                    f"{name} {before.get(name)!r} and not {now.get(name)!r}"
                    for name in sorted(before | now)
                    if before.get(name) != now.get(name)
                )
                raise BatchError(
                    f"{path.parent.name} was begun with {told}. Use the same settings, or another directory."
                ) from None
        finally:
            temporary.unlink()
    except (OSError, ValidationError) as error:
        raise BatchError(f"{path.name} in {path.parent.name} cannot be used; name another directory.") from error


def _settings(plan: BatchPlan) -> dict[str, Any]:
    values = plan.model_dump(mode="json")
    agent = values.pop("agent")
    agent.pop("call_timeout_s", None)
    agent.pop("search_timeout_s", None)
    if isinstance(budget := agent.get("budget"), dict):
        agent["budget"] = {name: value for name, value in budget.items() if name != "wall_clock_s"}
    return {**values, **agent}
