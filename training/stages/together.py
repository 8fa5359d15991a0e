"""A stage in one process, or in several that share its rows.

A small model on a CPU keeps a second thread idle most of the time: between products there is much that only one
thread does, and every product ends with the threads waiting for each other. A process on each core, with one thread and
rows of its own, keeps all cores busy; they meet once an update to add their gradients (PyTorch's data parallelism,
gloo, loopback only). The updates are those of one process up to rounding: the rows of a step are the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from training.errors import TrainingConfigError, TrainingDataError, TrainingError, WorkerError
from training.stages.config import StageConfig
from training.stages.progress import Report, StepRecord
from training.stages.spec import StageRun, Trained

_MOST_PROCESSES = 16
_NAMES = {kind.__name__: kind for kind in (TrainingConfigError, TrainingDataError, TrainingError)}


def process_count(config: StageConfig) -> int:
    """As the config says; where it leaves it open, one a core, as many as share the rows of a step evenly."""
    if config.processes:
        return min(config.processes, config.rows_per_step)
    cores = min(len(os.sched_getaffinity(0)), _MOST_PROCESSES, config.rows_per_step)
    return next(count for count in range(cores, 0, -1) if config.rows_per_step % count == 0)


def train_together(run: StageRun, processes: int, report: Report) -> Trained:
    """Train with so many worker processes; they end with this one, however it ends.

    Raises:
        WorkerError: a worker ended without a result; what it said is in the output folder.
        TrainingError: what a worker raised.
    """
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_worker(run, rank, processes, port)) for rank in range(processes)]
        first = workers[0]
        assert first.stdout is not None
        for line in first.stdout:
            told = json.loads(line)
            if "step" in told:
                report(StepRecord.model_validate(told["step"]))
            elif "error" in told:
                raise _NAMES.get(told["error"], TrainingError)(told["message"])
            elif "trained" in told:
                return Trained.model_validate(told["trained"])
    raise WorkerError(f"A training process ended early; {_log(run, 0).name} in {run.files.output.name} says why.")


@contextlib.contextmanager
def _worker(run: StageRun, rank: int, processes: int, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": str(run.config.threads or 1),
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    with _log(run, rank).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - this very Python, fixed arguments
            [sys.executable, "-m", "training.stages.worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if rank == 0 else log,
            stderr=log,
            text=True,
            env=environment,
        )
    try:
        assert process.stdin is not None
        process.stdin.write(run.model_dump_json())
        process.stdin.close()
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _log(run: StageRun, rank: int) -> Path:
    return run.files.output / f"worker-{rank}.log"
