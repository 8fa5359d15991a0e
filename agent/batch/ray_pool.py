"""Workers on a Ray cluster: one process each, on this machine or on others.

Ray starts the processes and says when one has died; what is to be done is decided in `dispatch`. A local cluster
listens on loopback alone, under a token of its own, without dashboard and without usage reports.
"""

from __future__ import annotations

import importlib
import os
import secrets
import socket
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from agent.batch.dispatch import Advanced, Failed, Finished, Lost, ShardResult, ShardRunner, WorkerEvent
from agent.batch.errors import BatchError
from agent.batch.generate import BatchProgress
from agent.batch.tasks import Shard
from agent.errors import AgentError
from retrieval import RetrievalError

#: Seconds between two looks at the workers.
_LOOK_EVERY_S = 1.0
#: Everything that passes through Ray's own store is small: rollouts go to the directory. Bytes; Ray's least is 75 MB.
_OBJECT_STORE = 80 * 1024 * 1024
_LOCAL = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Despite its name: off, every part of Ray listens on loopback.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_AUTH_MODE": "token",
    # Ray's workers give way to everything else; these are what the machine is there for.
    "RAY_worker_niceness": "0",
}
#: Ray itself tries for minutes. Seconds.
_CONNECT_S = 5.0


class _Worker:
    """In a process of its own: opens its parts at the first shard and keeps them."""

    def __init__(self, open_runner: Callable[[], ShardRunner]) -> None:
        self._open_runner = open_runner
        self._runner: ShardRunner | None = None
        self._progress: BatchProgress | None = None

    def run(self, shard: Shard) -> ShardResult | str:
        """The result, or one sentence on why there is none."""
        self._progress = None
        try:
            if self._runner is None:
                self._runner = self._open_runner()
            return self._runner.run(shard, self._note)
        except (AgentError, RetrievalError) as error:
            return str(error)

    def progress(self) -> BatchProgress | None:
        """How far the shard in hand is. Called while `run` runs, in another thread."""
        return self._progress

    def _note(self, progress: BatchProgress) -> None:
        self._progress = progress


class RayPool:
    """`workers` processes on the cluster at `address`, or on a cluster of this machine's own. A context manager."""

    def __init__(self, open_runner: Callable[[], ShardRunner], workers: int, address: str | None = None) -> None:
        """`open_runner` is sent to the workers, so it must be picklable, and importable there.

        Raises:
            BatchError: ray is not installed, or the cluster cannot be reached or is too small.
        """
        if workers < 1:
            raise BatchError("A cluster needs at least 1 worker.")
        if address is None:
            # Ray reads these when it is imported.
            os.environ.update(_LOCAL, RAY_AUTH_TOKEN=secrets.token_hex(32))
        else:
            _need_listener(address)
        self._ray = _import_ray()
        self._open_runner = open_runner
        self._workers = workers
        #: Actors without a shard.
        self._idle: list[Any] = []
        #: By the reference to its result: which actor works on which shard.
        self._busy: dict[Any, tuple[Any, Shard]] = {}
        self._connect(address)
        self._class = self._ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0, max_concurrency=2)(_Worker)

    @property
    def free(self) -> int:
        """See `WorkerPool.free`."""
        return self._workers - len(self._busy)

    def start(self, shard: Shard) -> None:
        """See `WorkerPool.start`; a worker that died is replaced."""
        actor = self._idle.pop() if self._idle else self._class.remote(self._open_runner)
        self._busy[actor.run.remote(shard)] = (actor, shard)

    def wait(self) -> Iterable[WorkerEvent]:
        """See `WorkerPool.wait`."""
        ended, running = self._ray.wait(list(self._busy), timeout=_LOOK_EVERY_S)
        asked = {self._busy[reference][0].progress.remote(): self._busy[reference][1] for reference in running}
        answered, _ = self._ray.wait(list(asked), num_returns=len(asked), timeout=_LOOK_EVERY_S) if asked else ([], [])
        for reference in answered:
            progress = self._got(reference)
            if isinstance(progress, BatchProgress):
                yield Advanced(asked[reference], progress)
        for reference in ended:
            actor, shard = self._busy.pop(reference)
            result = self._got(reference)
            if result is None:
                # Also where it only could not be reached: two must not write one shard.
                self._ray.kill(actor)
                yield Lost(shard)
            elif isinstance(result, ShardResult):
                self._idle.append(actor)
                yield Finished(shard, result)
            else:
                yield Failed(shard, str(result))

    def close(self) -> None:
        """End the workers, and the cluster if it is this machine's own."""
        self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _got(self, reference: object) -> object:
        """The value of a reference; None where its worker died."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayActorError:
            return None

    def _connect(self, address: str | None) -> None:
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if address is None:
            options |= {"address": "local", "include_dashboard": False}
            options |= {"num_cpus": self._workers, "object_store_memory": _OBJECT_STORE}
        else:
            options["address"] = address
        try:
            self._ray.init(**options)
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            raise BatchError(
                f"The Ray cluster {'here' if address is None else address} cannot be used: {_first_line(error)}"
            ) from error
        cpus = int(self._ray.cluster_resources().get("CPU", 0))
        if cpus < self._workers:
            self._ray.shutdown()
            raise BatchError(
                f"The Ray cluster has {cpus} CPUs and each of {self._workers} workers needs one: ask for fewer workers."
            )


def _need_listener(address: str) -> None:
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise BatchError(f"A Ray cluster is named host:port, for example 10.0.0.1:6379, not {address[:80]!r}.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise BatchError(
            f"Nothing answers at {address}: start the cluster with `ray start --head`, or leave out --ray-address to "
            "start one here."
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _import_ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise BatchError("The Ray engine is not installed: pip install 'clinsearch[cluster]'.") from error
