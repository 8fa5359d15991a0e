"""`clinsearch rollouts generate`: a file of questions through the agent, many at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from agent import ClinicalAgent, Journal, OpenAIModelClient
from agent.batch import (
    BatchError,
    BatchPlan,
    BatchProgress,
    BatchSettings,
    BatchSink,
    BatchSummary,
    BatchTask,
    Ledger,
    Shard,
    count_lines,
    generate,
    hold_plan,
    read_tasks,
)
from agent.prompts import prompt_sha256
from retrieval import router_for
from retrieval.documents import sha256_of
from service.cli.common import err, errors_as_sentences, load_settings, out, stop
from service.container import model_identity, open_service_searcher
from service.settings import Settings
from training.episodes import simulated_clinician, teacher_of
from training.teacher import TEACHER


class Policy(StrEnum):
    """Who acts."""

    MODEL = "model"
    TEACHER = "teacher"


def generate_rollouts(
    questions: Annotated[Path, typer.Option(help="JSONL, one object with `question` a line; .xz is read as it is.")],
    output: Annotated[Path, typer.Option(help="Directory for the rollouts; the same command goes on in it.")],
    n: Annotated[int, typer.Option("--n", help="Runs of each question.", min=1, max=1000)] = 1,
    concurrency: Annotated[int, typer.Option(help="Runs in progress at once.", min=1, max=4096)] = 32,
    temperature: Annotated[float | None, typer.Option(help="Instead of the setting.", min=0, max=2)] = None,
    seed: Annotated[int, typer.Option(help="Sampling seeds of the runs derive from it.")] = 0,
    policy: Annotated[
        Policy, typer.Option(help="model: the model in use. teacher: acts from the gold passages each line names.")
    ] = Policy.MODEL,
    adapter: Annotated[str | None, typer.Option(help="Ask the server for this adapter by name.")] = None,
    shard: Annotated[str, typer.Option(help="i/n: only part i (from 0) of n, for several machines.")] = "0/1",
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the summary to this file.")] = None,
) -> None:
    """Ask every question of a file with the agent and model in use; run it again to continue."""
    settings = load_settings()
    with errors_as_sentences():
        part = Shard.parse(shard)
        batch = BatchSettings(repetitions=n, concurrency=concurrency, seed=seed)
        sampling = settings.temperature if temperature is None else temperature
        summary = _run(settings, questions, output, part, batch, sampling, adapter, policy)
    for line in summary.lines():
        out.print(line, highlight=False, markup=False)
    if json_file is not None:
        json_file.write_text(summary.model_dump_json(indent=2), encoding="utf-8")
    if summary.owed or summary.bad_lines:
        raise stop("Not everything could be asked; the lines above say what.")


def _run(
    settings: Settings,
    questions: Path,
    output: Path,
    shard: Shard,
    batch: BatchSettings,
    temperature: float,
    adapter: str | None,
    policy: Policy,
) -> BatchSummary:
    # An upper bound until a shard's own share is known: hashes spread evenly.
    total = count_lines(questions) * batch.repetitions // shard.count
    identity = TEACHER if policy is Policy.TEACHER else model_identity(settings)
    if adapter is not None:
        identity = identity.model_copy(update={"model": adapter, "adapter": adapter})
    agent_settings = replace(settings.agent_settings(trained=identity.trained), temperature=temperature)
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else "none"
    searcher = open_service_searcher(settings)
    plan = BatchPlan(
        model=identity.model,
        adapter=identity.adapter,
        policy="search_first" if agent_settings.search_first else str(policy),
        seed=batch.seed,
        prompt_sha256=prompt_sha256(),
        sources_sha256=sha256_of([source.model_dump(mode="json") for source in searcher.sources]),
        index_version=searcher.index_version,
        home_region=settings.home_region,
        agent=asdict(agent_settings),
    )

    async def run() -> BatchSummary:
        client = OpenAIModelClient(settings.model_url or settings.local_model_url, identity, api_key=key)
        try:
            if policy is Policy.MODEL and not await client.ready():
                raise BatchError("The model server does not answer. Start it with `clinsearch model serve`.")
            with Journal(output) as journal:
                sink = BatchSink(journal)
                router = router_for(searcher.encoder)
                agent = ClinicalAgent(client, searcher, sink, settings=agent_settings, router=router)

                def agent_for(task: BatchTask) -> ClinicalAgent:
                    if policy is Policy.MODEL:
                        return agent
                    return ClinicalAgent(teacher_of(task, searcher), searcher, sink, settings=agent_settings)

                with batch_progress(total) as report, Ledger(output) as ledger:
                    work = asyncio.ensure_future(
                        generate(
                            read_tasks(questions, shard),
                            agent_for,
                            client,
                            sink,
                            ledger,
                            batch,
                            follow_up=simulated_clinician,
                            progress=report,
                        )
                    )
                    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
                    return await work
        finally:
            await client.close()

    try:
        with hold_plan(output, plan, shard):
            return asyncio.run(run())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise stop("Stopped. Finished runs are kept; the same command goes on from here.", code=130) from None
    finally:
        searcher.close()


class _Reporter:
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("Asking", total=total, rate="")

    def __call__(self, at: BatchProgress) -> None:
        elapsed = self._progress.tasks[self._task].elapsed
        rate = f"{at.generated / elapsed:.1f} runs/s, {at.completion_tokens / elapsed:,.0f} tokens/s" if elapsed else ""
        self._progress.update(self._task, completed=at.settled, rate=rate)


@contextmanager
def batch_progress(total: int) -> Iterator[_Reporter]:
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
        yield _Reporter(progress, total)
