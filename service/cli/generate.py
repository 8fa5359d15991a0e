"""`clinsearch rollouts generate`: a file of questions through the agent, many at once."""

from __future__ import annotations

import asyncio
import functools
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from agent.batch import (
    ALL_SHARDS,
    BatchError,
    BatchProgress,
    BatchSettings,
    BatchSummary,
    RayPool,
    Shard,
    check_plan,
    count_lines,
    dispatch,
)
from service.cli.batch_job import BatchJob, JobRunner, Policy
from service.cli.common import err, errors_as_sentences, load_settings, out, stop

#: Between two lines about progress where standard error is no terminal, seconds.
_SAY_EVERY_S = 30.0
#: A worker that is lost leaves at most this share of its part to the others.
_SHARDS_PER_WORKER = 4


class Engine(StrEnum):
    """Where runs are made."""

    LOCAL = "local"
    RAY = "ray"


def generate_rollouts(
    questions: Annotated[Path, typer.Option(help="JSONL, one object with `question` a line; .xz is read as it is.")],
    output: Annotated[Path, typer.Option(help="Directory for the rollouts; the same command goes on in it.")],
    n: Annotated[int, typer.Option("--n", help="Runs of each question.", min=1, max=1000)] = 1,
    concurrency: Annotated[int, typer.Option(help="Runs in progress at once, over all workers.", min=1, max=4096)] = 32,
    temperature: Annotated[float | None, typer.Option(help="Instead of the setting.", min=0, max=2)] = None,
    seed: Annotated[int, typer.Option(help="Sampling seeds of the runs derive from it.")] = 0,
    policy: Annotated[
        Policy, typer.Option(help="model: the model in use. teacher: acts from the gold passages each line names.")
    ] = Policy.MODEL,
    model_url: Annotated[
        str | None, typer.Option(help="Another OpenAI-compatible server, for example of a stronger teacher.")
    ] = None,
    model_name: Annotated[str | None, typer.Option(help="The name of the model there.")] = None,
    adapter: Annotated[str | None, typer.Option(help="Ask the server for this adapter by name.")] = None,
    shard: Annotated[str, typer.Option(help="i/n: only part i (from 0) of n, for several machines.")] = "0/1",
    engine: Annotated[
        Engine, typer.Option(help="local: in this process. ray: in the processes of a Ray cluster.")
    ] = Engine.LOCAL,
    workers: Annotated[int, typer.Option(help="Processes of the Ray engine.", min=1, max=1024)] = 2,
    ray_address: Annotated[
        str | None, typer.Option(help="host:port of a Ray cluster; left out, one is started on this machine.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the summary to this file.")] = None,
) -> None:
    """Ask every question of a file with the agent and model in use; run it again to continue."""
    settings = load_settings()
    with errors_as_sentences():
        part = Shard.parse(shard)
        if model_name is not None:
            settings = settings.model_copy(update={"model_name": model_name})
        if model_url is not None:
            if policy is Policy.TEACHER:
                raise BatchError("The teacher asks no server: use `--policy model` with --model-url.")
            settings = settings.model_copy(update={"model_url": model_url})
        if engine is Engine.LOCAL and ray_address is not None:
            raise BatchError("--ray-address needs `--engine ray`.")
        if engine is Engine.RAY and part != ALL_SHARDS:
            raise BatchError("The Ray engine divides the file itself: leave out --shard.")
        job = BatchJob(
            settings=settings,
            questions=questions.absolute(),
            output=output.absolute(),
            policy=policy,
            batch=BatchSettings(repetitions=n, concurrency=concurrency, seed=seed),
            temperature=settings.temperature if temperature is None else temperature,
            adapter=adapter,
        )
        try:
            summary = _here(job, part) if engine is Engine.LOCAL else _on_ray(job, workers, ray_address)
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise stop("Stopped. Finished runs are kept; the same command goes on from here.", code=130) from None
    for line in summary.lines():
        out.print(line, highlight=False, markup=False)
    if json_file is not None:
        json_file.write_text(summary.model_dump_json(indent=2), encoding="utf-8")
    if summary.owed or summary.bad_lines:
        raise stop("Not everything could be asked; the lines above say what.")


def _here(job: BatchJob, shard: Shard) -> BatchSummary:
    # An upper bound until a shard's own share is known: hashes spread evenly.
    total = count_lines(job.questions) * job.batch.repetitions // shard.count
    runner = JobRunner(job)
    try:
        with batch_progress(total) as report:
            return runner.run(shard, report, wait_s=0).summary
    finally:
        runner.close()


def _on_ray(job: BatchJob, workers: int, address: str | None) -> BatchSummary:
    total = count_lines(job.questions) * job.batch.repetitions
    share = -(-job.batch.concurrency // workers)
    job = job.with_concurrency(share)
    # What is wrong is told here, before workers are started.
    runner = JobRunner(job)
    try:
        check_plan(job.output, runner.plan)
    finally:
        runner.close()
    count = workers * _SHARDS_PER_WORKER
    with RayPool(functools.partial(JobRunner.of_cluster, job), workers, address) as pool:
        # Ray has put its own handler there.
        signal.signal(signal.SIGTERM, _interrupt)
        with batch_progress(total) as report:
            return dispatch(job.output, [Shard(index, count) for index in range(count)], pool, progress=report)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class BatchReporter:
    """Shows how far a batch is: a bar on a terminal, a line now and then in a log."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._task = progress.add_task("Asking", total=total, rate="")
        self._said_at = 0.0

    def __call__(self, at: BatchProgress) -> None:
        elapsed = self._progress.tasks[self._task].elapsed or 0.0
        rate = f"{at.generated / elapsed:.1f} runs/s, {at.completion_tokens / elapsed:,.0f} tokens/s" if elapsed else ""
        self._progress.update(self._task, completed=at.settled, rate=rate)
        if not self._progress.console.is_terminal and elapsed - self._said_at >= _SAY_EVERY_S:
            # A log has no bar to look at.
            self._said_at = elapsed
            left = (self._total - at.settled) * elapsed / at.generated if at.generated else None
            estimate = f", about {max(left, 0) / 60:,.0f} min left" if left is not None else ""
            self._progress.console.print(f"{at.settled:,} of {self._total:,}, {rate}{estimate}", highlight=False)


@contextmanager
def batch_progress(total: int) -> Iterator[BatchReporter]:
    """Draws the progress of a batch of `total` askings, with its rate, on standard error."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        yield BatchReporter(progress, total)
