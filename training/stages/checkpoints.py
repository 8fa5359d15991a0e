"""What is on disk while a run goes on: whose run it is, and the checkpoints that are whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from training.errors import CheckpointError

RUN_FILE = "run.json"
_CHECKPOINTS = "checkpoint-*"
#: The trainer writes it last.
_LAST_WRITTEN = "trainer_state.json"


def hold_run(folder: Path, identity: dict[str, Any]) -> None:
    """Make the folder this run's, or check that it is.

    Raises:
        CheckpointError: it belongs to another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RUN_FILE
    text = json.dumps(identity, indent=1, sort_keys=True)
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
        return
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{RUN_FILE} in {folder.name} cannot be read: use another folder.") from error
    now = json.loads(text)
    changed = sorted(name for name in {*held, *now} if held.get(name) != now.get(name))
    if changed:
        raise CheckpointError(
            f"The run in {folder.name} was begun with another {', '.join(changed)}: use another folder, or remove it."
        )


def last_checkpoint(folder: Path, *, clean: bool = True) -> Path | None:
    """The newest whole checkpoint; with `clean`, one that a kill left half written is removed."""
    whole = []
    for path in folder.glob(_CHECKPOINTS):
        try:
            json.loads((path / _LAST_WRITTEN).read_text(encoding="utf-8"))
            whole.append((int(path.name.rpartition("-")[2]), path))
        except (OSError, ValueError):
            if clean:
                shutil.rmtree(path, ignore_errors=True)
    return max(whole)[1] if whole else None


def remove_checkpoints(folder: Path) -> None:
    """Once the adapter is written, nothing goes on from them."""
    for path in folder.glob(_CHECKPOINTS):
        shutil.rmtree(path, ignore_errors=True)
