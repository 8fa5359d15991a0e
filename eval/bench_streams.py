"""How many event streams one process of the service carries: errors, time to the first event, memory, cancelling.

    python -m eval.bench_streams --streams 500 --cancel 200

The real service runs as `clinsearch serve` in one process of its own, over the starter guidelines with the hashing
encoder; readers and a scripted model server are in this one, on the same machine. Every answer is held in the middle,
so that all streams are open at once and each has an open call to the model. Readers arrive at a steady rate, or all in
one instant (`--at-once`); the time to the first event is from when a reader was to ask, so connecting is part of it, to
when the event was read. Half of the streams are resumable. Of those that are cancelled, the resumable ones are told to
stop and the others cut; it is the model server that says when their calls are gone. What a real model needs is not part
of any figure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx2
import numpy as np
from pydantic import BaseModel, ConfigDict

from agent.cautious_http import EVENT_STREAM
from agent.event_stream import EventStreamReader
from eval.held_model import HeldModelServer
from eval.plain_http import plain_post

QUESTION = "First-line antibiotic for an adult with uncomplicated lower urinary tract infection?"
#: Longest wait for any one thing: what is measured is the machine, not anyone's patience, seconds.
PATIENCE_S = 900.0
_WARM_UP = 8
_MB = 1e6
_BUSY = 0.5  # load a core above which times are not to be trusted


class StreamBench(BaseModel):
    """What one run measured."""

    model_config = ConfigDict(frozen=True)

    streams: int
    #: Readers that come each second; infinite: all in one instant.
    arrivals_per_s: float
    #: Of all streams: not opened, broken off or ended with an error; one that was cancelled is none.
    errors: int
    finished: int
    cancelled: int
    #: Seconds from cancelling until the model had no call of theirs; None: some were never given up.
    freed_s: float | None
    first_event_p50_ms: float
    first_event_p95_ms: float
    #: Resident memory of the service, MB: warmed up, and the most there ever was.
    before_mb: float
    most_mb: float
    #: Seconds of a core that the service used from the first reader to the last event.
    service_cpu_s: float
    #: Load average of the last minute before the run, for each core; 0 is idle.
    load_per_core: float
    cpus: int

    @property
    def growth_mb(self) -> float:
        """Memory that each stream added at the most, MB."""
        return (self.most_mb - self.before_mb) / self.streams

    @property
    def at_once(self) -> bool:
        """Whether all readers came in one instant."""
        return math.isinf(self.arrivals_per_s)

    def table(self) -> str:
        """The figures as lines of text."""
        freed = "never" if self.freed_s is None else f"{self.freed_s:.2f} s"
        asked = "all asked in one instant" if self.at_once else f"{self.arrivals_per_s:g} new ones a second"
        lines = [
            f"event streams, {self.streams} open at once on one process, {asked} "
            f"({self.cpus} cores shared with the readers and a scripted model)",
            f"  errors {self.errors}   finished {self.finished}   target: no error",
            f"  first event p50 {self.first_event_p50_ms:.0f} ms   p95 {self.first_event_p95_ms:.0f} ms   "
            "target: p95 under 1000 ms",
            f"  memory {self.before_mb:.0f} MB, at most {self.most_mb:.0f} MB   a stream {self.growth_mb:.2f} MB   "
            "target: under 1 MB",
            f"  {self.cancelled} cancelled, their model calls gone after {freed}   target: under 1 s",
            f"  the service used {self.service_cpu_s:.1f} s of a core",
        ]
        if self.load_per_core > _BUSY:
            lines.append(
                f"  the machine was busy before the run (load {self.load_per_core:.1f} a core): times are longer than "
                "they would be; run again when it is idle"
            )
        return "\n".join(lines)


@dataclass
class _Reader:
    """One reader of one stream."""

    resumable: bool
    first_event_s: float | None = None
    rollout_id: str = ""
    ended_with: str = ""
    error: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    async def read(self, address: str, asked_at: float) -> None:
        """Ask, and read to the end. `asked_at`: when this reader was to ask, by the performance counter."""
        try:
            async with asyncio.timeout(PATIENCE_S), aclosing(_events(address, self)) as events:
                async for name in events:
                    self.first_event_s = self.first_event_s or time.perf_counter() - asked_at
                    self.ended_with = name
            if self.ended_with != "done":
                self.error = f"ended with {self.ended_with or 'nothing'}"
        except (OSError, EOFError, ValueError) as error:
            self.error = type(error).__name__


async def _events(address: str, reader: _Reader) -> AsyncGenerator[str]:
    """The names of the events of a stream."""
    body = json.dumps({"question": QUESTION, "resumable": reader.resumable}).encode()
    async with plain_post(f"{address}/v1/ask", body, EVENT_STREAM) as answer:
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"answered with {answer.status}")
        reader.rollout_id = answer.headers["x-rollout-id"]
        parser = EventStreamReader()
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                for event in parser.feed(piece):
                    yield event.event


async def measure(
    address: str, pid: int, model: HeldModelServer, *, streams: int, cancel: int, arrivals_per_s: float
) -> StreamBench:
    """Measure a service that listens at `address` as process `pid` and asks `model`.

    Raises:
        TimeoutError: the streams did not open, or did not end.
    """
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    async with httpx2.AsyncClient(base_url=address, timeout=PATIENCE_S) as http:
        model.go.set()
        warm = (_Reader(resumable=True).read(address, time.perf_counter()) for _ in range(_WARM_UP))
        await asyncio.gather(*warm)
        model.go.clear()
        before, cpu = _memory_mb(pid, "VmRSS"), _cpu_s(pid)

        readers = [_Reader(resumable=number % 2 == 1) for number in range(streams)]
        started = time.perf_counter()
        for number, reader in enumerate(readers):
            asked_at = started + number / arrivals_per_s
            if (early := asked_at - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            reader.task = asyncio.create_task(reader.read(address, asked_at))
        async with asyncio.timeout(PATIENCE_S):
            while model.open_answers + sum(1 for reader in readers if reader.error) < streams:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

        gone = [reader for reader in readers if not reader.error][:cancel]
        staying = model.open_answers - len(gone)
        cut = time.perf_counter()
        stops = [asyncio.create_task(_cancel(http, reader)) for reader in gone]
        while model.open_answers > staying and time.perf_counter() - cut < PATIENCE_S:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        freed = time.perf_counter() - cut if model.open_answers <= staying else None
        await asyncio.gather(*stops)

        model.go.set()
        rest = [reader for reader in readers if reader not in gone]
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(reader.task for reader in rest if reader.task is not None))
    first = [reader.first_event_s * 1000 for reader in readers if reader.first_event_s is not None]
    p50, p95 = np.percentile(first, [50, 95]) if first else (float("nan"), float("nan"))
    return StreamBench(
        streams=streams,
        arrivals_per_s=arrivals_per_s,
        errors=sum(1 for reader in rest if reader.error) + sum(1 for reader in gone if reader.first_event_s is None),
        finished=sum(1 for reader in rest if reader.ended_with == "done"),
        cancelled=len(gone),
        freed_s=freed,
        first_event_p50_ms=float(p50),
        first_event_p95_ms=float(p95),
        before_mb=before,
        most_mb=_memory_mb(pid, "VmHWM"),
        service_cpu_s=_cpu_s(pid) - cpu,
        load_per_core=load,
        cpus=os.cpu_count() or 1,
    )


async def _cancel(http: httpx2.AsyncClient, reader: _Reader) -> None:
    assert reader.task is not None
    if reader.resumable:
        await http.delete(f"/v1/ask/{reader.rollout_id}")
    else:
        reader.task.cancel()
    await asyncio.gather(reader.task, return_exceptions=True)


def _memory_mb(pid: int, what: str) -> float:
    """A line of the process's status in MB: VmRSS now, VmHWM the most ever."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1024 / _MB
    raise OSError(f"process {pid} has no {what}")


def _cpu_s(pid: int) -> float:
    """Seconds of a core that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _serving(model_url: str, data_dir: Path, runs: int) -> Iterator[tuple[str, int]]:
    """The service as its own process over a new index; its address and process id. It is ended at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "DATA_DIR": data_dir,
        "ENCODER": "hashing",
        "MODEL_URL": model_url,
        "PORT": port,
        "MAX_CONCURRENT_RUNS": runs,
        "MAX_RUN_SECONDS": PATIENCE_S,
        "MODEL_TIMEOUT_S": PATIENCE_S,
    }
    outside = {name: value for name, value in os.environ.items() if not name.startswith("CLINSEARCH_")}
    env = {**outside, **{f"CLINSEARCH_{name}": str(value) for name, value in settings.items()}}
    command = [sys.executable, "-m", "service.cli"]
    subprocess.run([*command, "index", "build"], env=env, check=True, capture_output=True)  # noqa: S603 - our own
    log = data_dir / "serve.log"
    with log.open("wb") as said:
        child = subprocess.Popen([*command, "serve"], env=env, stdout=said, stderr=said)  # noqa: S603 - our own
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE_S
        while not _answers(address):
            if child.poll() is not None or time.monotonic() > until:
                raise OSError(f"the service did not start: {log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.1)
        yield address, child.pid
    finally:
        child.terminate()
        try:
            child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/healthz", timeout=5).is_success
    except httpx2.HTTPError:
        return False


@asynccontextmanager
async def _held_model() -> AsyncIterator[tuple[HeldModelServer, str]]:
    model = HeldModelServer()
    url = await model.start()
    try:
        yield model, url
    finally:
        await model.close()


async def _run(streams: int, cancel: int, arrivals_per_s: float) -> StreamBench:
    with tempfile.TemporaryDirectory(prefix="clinsearch-streams-") as folder:
        async with _held_model() as (model, url):
            serving = _serving(url, Path(folder), streams + _WARM_UP)
            # In a thread: the model must answer while the service starts.
            address, pid = await asyncio.to_thread(serving.__enter__)
            try:
                return await measure(address, pid, model, streams=streams, cancel=cancel, arrivals_per_s=arrivals_per_s)
            finally:
                await asyncio.to_thread(serving.__exit__, None, None, None)


def run_stream_bench(streams: int = 500, cancel: int = 200, arrivals_per_s: float = 10.0) -> StreamBench:
    """Start a service, open streams, cancel some of them, and read the others to the end.

    They are opened at a steady rate; at an infinite one all in one instant.

    Raises:
        OSError: the service did not start.
        TimeoutError: the streams did not open, or did not end.
    """
    return asyncio.run(_run(streams, cancel, arrivals_per_s))


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--cancel", type=int, default=200)
    parser.add_argument("--arrivals", type=float, default=10.0, help="new streams a second")
    parser.add_argument("--at-once", action="store_true", help="all in one instant")
    options = parser.parse_args()
    arrivals = math.inf if options.at_once else options.arrivals
    sys.stdout.write(run_stream_bench(options.streams, options.cancel, arrivals).table() + "\n")


if __name__ == "__main__":
    main()
