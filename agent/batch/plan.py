"""What a directory of batch rollouts was made with; a different call may not mix its runs in."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.batch.errors import BatchError
from agent.batch.tasks import Shard

PLAN_FILE = "batch.json"


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
    #: Temperature, budgets and everything else the loop was told, by name.
    agent: Mapping[str, Any]


@contextmanager
def hold_plan(directory: Path, plan: BatchPlan, shard: Shard) -> Iterator[None]:
    """Write the plan, or check it against the one there, and keep other processes off this shard.

    Raises:
        BatchError: the directory was made with other settings, or another process works on this shard.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / PLAN_FILE
        lock = os.open(directory / f"shard-{shard.index}-of-{shard.count}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise BatchError(f"The directory {directory.name} cannot be used for rollouts: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BatchError(
                f"Another process writes shard {shard.index}/{shard.count} of {directory.name}."
            ) from error
        _check(path, plan)
        yield
    finally:
        os.close(lock)


def _check(path: Path, plan: BatchPlan) -> None:
    try:
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
    return {**values, **values.pop("agent")}
