"""One of several processes that train a stage together: `python -m training.stages.worker PARENT`, a run on stdin.

The first one writes lines of JSON to standard output: steps, then the result or an error of this project.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import TextIO

from training.errors import TrainingError
from training.stages.progress import StepRecord
from training.stages.spec import StageRun

_PR_SET_PDEATHSIG = 1


def main(parent: int) -> int:
    """Train and tell; returns the exit code."""
    _end_with(parent)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Libraries that print must not break the lines.
    os.dup2(2, 1)
    run = StageRun.model_validate_json(sys.stdin.read())

    def told(step: StepRecord) -> None:
        _write(out, {"step": step.model_dump()})

    from training.stages.run import train_here

    try:
        trained = train_here(run, told)
    except TrainingError as error:
        _write(out, {"error": type(error).__name__, "message": str(error)})
        return 1
    _write(out, {"trained": trained.model_dump()})
    return 0


def _write(out: TextIO, record: dict[str, object]) -> None:
    if os.environ["RANK"] == "0":
        out.write(json.dumps(record) + "\n")
        out.flush()


def _end_with(parent: int) -> None:
    """Be killed when the parent ends, even where it cannot say so (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
