"""How much of a model server's decode throughput is reached when it is rollouts that ask.

    python -m eval.bench_rollouts --questions FILE --data DIR --url http://127.0.0.1:8100/v1

Run A is `agent.batch.generate` as the command runs it: search, graph, gate and journal. The teacher says what is
said, so the runs are like those of a trained model; the server is asked with every prompt and samples as many
tokens as the teacher's text has. Run B sends the requests recorded in A, as bytes and in their order, with a plain
load generator at the same concurrency. A and B alternate. A `cache_salt` of its own keeps each from using what
another left in the server's prefix cache. Opening the index and loading the encoder are not part of A's time; its
first and last seconds, when fewer runs are in flight, are.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx2
from pydantic import BaseModel, ConfigDict

from agent import AgentSettings, Budget, ClinicalAgent, Journal, ModelIdentity, OpenAIModelClient
from agent.batch import BatchSettings, BatchSink, BatchTask, Ledger, generate, read_tasks
from eval.load import TIMEOUT_S, Load, replay, salted
from eval.paced import PacedModel
from retrieval import MiniLmEncoder, Searcher, SearchRequest, open_searcher
from training.episodes import simulated_clinician, teacher_of

#: A queue at a slow server must not end runs: what is measured is the machine, not anyone's patience.
_PATIENT = AgentSettings(call_timeout_s=TIMEOUT_S, budget=Budget(wall_clock_s=TIMEOUT_S))


class RolloutLoad(BaseModel):
    """One pair of runs with the same requests."""

    model_config = ConfigDict(frozen=True)

    generated: Load
    plain: Load

    @property
    def ratio(self) -> float:
        """Decode tokens a second of A over those of B."""
        return self.generated.decode_tokens_per_second / self.plain.decode_tokens_per_second


class RolloutBench(BaseModel):
    """All pairs."""

    model_config = ConfigDict(frozen=True)

    concurrency: int
    pairs: tuple[RolloutLoad, ...]
    #: Of one minute, before the first pair.
    load_before: float
    cpus: int

    @property
    def ratio(self) -> float:
        """The median over the pairs."""
        return statistics.median(pair.ratio for pair in self.pairs)

    def table(self) -> str:
        """The figures as lines of text."""
        lines = [
            f"rollouts against a plain load generator, {self.concurrency} at a time, {self.cpus} cores shared with the "
            f"server, load {self.load_before:.2f} before",
            f"{'pair':>4} {'calls':>6} {'prompt':>8} {'sampled':>8} {'A s':>7} {'B s':>7} {'A tok/s':>8} "
            f"{'B tok/s':>8} {'ratio':>6} {'A own CPU':>10} {'B own CPU':>10}",
        ]
        for number, pair in enumerate(self.pairs, start=1):
            a, b = pair.generated, pair.plain
            lines.append(
                f"{number:4} {a.requests:6} {a.prompt_tokens:8} {a.completion_tokens:8} {a.seconds:7.1f} "
                f"{b.seconds:7.1f} {a.decode_tokens_per_second:8.1f} {b.decode_tokens_per_second:8.1f} "
                f"{pair.ratio:6.3f} {a.own_cpu_s / a.seconds:10.0%} {b.own_cpu_s / b.seconds:10.0%}"
            )
        lines.append(f"median ratio {self.ratio:.3f} (target: at least 0.9)")
        return "\n".join(lines)


class _Recorder:
    """Keeps the body of every completion request that passes."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, request: httpx2.Request) -> None:
        if request.method == "POST":
            self.bodies.append(request.content)


async def generated_load(
    url: str, model: str, searcher: Searcher, tasks: list[BatchTask], settings: BatchSettings
) -> tuple[Load, list[bytes]]:
    """One run A: what it made of the server, and the requests it sent."""
    recorder = _Recorder()
    identity = ModelIdentity(model=model, engine="vllm", trained=True)
    salt = {"cache_salt": secrets.token_hex(8)}
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    with tempfile.TemporaryDirectory() as folder:
        async with httpx2.AsyncClient(timeout=TIMEOUT_S, limits=limits, event_hooks={"request": [recorder]}) as http:
            deciding = OpenAIModelClient(url, identity, http_client=http, extra=salt)
            writing = OpenAIModelClient(url, identity, http_client=http, extra={**salt, "ignore_eos": True})
            with Journal(Path(folder)) as journal, Ledger(Path(folder)) as ledger:
                sink = BatchSink(journal)

                def agent_for(task: BatchTask) -> ClinicalAgent:
                    paced = PacedModel(teacher_of(task, searcher), deciding, writing)
                    return ClinicalAgent(paced, searcher, sink, settings=_PATIENT)

                own = time.process_time()
                summary = await generate(
                    tasks, agent_for, deciding, sink, ledger, settings, follow_up=simulated_clinician
                )
                own = time.process_time() - own
    lost = [code for code in summary.failures if code.startswith("model_")]
    if lost or summary.owed or summary.bad_lines:
        raise SystemExit("Runs failed, so nothing was measured:\n" + "\n".join(summary.lines()))
    load = Load(
        requests=len(recorder.bodies),
        prompt_tokens=summary.prompt_tokens,
        completion_tokens=summary.completion_tokens,
        seconds=summary.seconds,
        own_cpu_s=own,
    )
    return load, recorder.bodies


async def run_rollout_bench(
    url: str, model: str, searcher: Searcher, tasks: list[BatchTask], settings: BatchSettings, pairs: int
) -> RolloutBench:
    """Alternate A and B `pairs` times after a short warm-up.

    Raises:
        SystemExit: runs failed, so there is nothing to compare.
        httpx2.HTTPError: the server refused a recorded request or went away.
    """
    before = os.getloadavg()[0]
    completions = f"{url.rstrip('/')}/chat/completions"
    await generated_load(url, model, searcher, tasks[: settings.concurrency], settings)
    measured = []
    for number in range(1, pairs + 1):
        generated, bodies = await generated_load(url, model, searcher, tasks, settings)
        replayed = list(salted(bodies, secrets.token_hex(8)))
        measured.append(
            RolloutLoad(generated=generated, plain=await replay(completions, replayed, settings.concurrency))
        )
        sys.stderr.write(f"pair {number} of {pairs}: ratio {measured[-1].ratio:.3f}\n")
    return RolloutBench(
        concurrency=settings.concurrency, pairs=tuple(measured), load_before=before, cpus=os.cpu_count() or 1
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Decode throughput of the model server under rollouts and without.")
    parser.add_argument("--questions", type=Path, required=True, help="as for `rollouts generate --policy teacher`")
    parser.add_argument("--data", type=Path, required=True, help="directory of data that holds the index")
    parser.add_argument("--url", required=True, help="of the server, ending in /v1")
    parser.add_argument("--model", default="clinsearch", help="name the model is served under")
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--limit", type=int, default=200, help="questions")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args(arguments)
    searcher = open_searcher(chosen.data / "index", encoder=MiniLmEncoder())
    try:
        searcher.search(SearchRequest(queries=("first use loads the weights",)))
        lines = itertools.islice(read_tasks(chosen.questions), chosen.limit)
        tasks = [task for task in lines if isinstance(task, BatchTask)]
        settings = BatchSettings(concurrency=chosen.concurrency)
        bench = asyncio.run(run_rollout_bench(chosen.url, chosen.model, searcher, tasks, settings, chosen.pairs))
    finally:
        searcher.close()
    sys.stdout.write(bench.table() + "\n")
    if chosen.json is not None:
        chosen.json.write_text(bench.model_dump_json(indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
