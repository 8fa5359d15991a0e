"""Runs of one model on the questions of an evaluation: the service's own agent, resumable, one directory a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agent import AgentSettings, Budget, ClinicalAgent, Journal, ModelClient
from agent.batch import (
    ALL_SHARDS,
    Asker,
    BatchError,
    BatchPlan,
    BatchProgress,
    BatchSettings,
    BatchSink,
    BatchSummary,
    FollowUp,
    Ledger,
    generate,
    hold_plan,
    read_tasks,
)
from agent.prompts import prompt_sha256
from retrieval import Searcher, SourceRouter
from retrieval.documents import sha256_of
from training.episodes import simulated_clinician

#: Seconds one run, and one call of the model or one search, may take: many are in progress at once, and it is the
#: model that is measured and not how long a busy machine lets it wait.
PATIENT_RUN_S = 900.0
PATIENT_CALL_S = 300.0

Progress = Callable[[BatchProgress], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is the same for every model: the questions, the search and how often and how warmly is sampled."""

    questions: Path
    searcher: Searcher
    router: SourceRouter
    batch: BatchSettings
    home_region: str | None = None


def patient(settings: AgentSettings, temperature: float | None = None) -> AgentSettings:
    """The loop's settings with time enough for every call, and another temperature where one is given."""
    budget = Budget.model_validate({**settings.budget.model_dump(), "wall_clock_s": PATIENT_RUN_S})
    return replace(
        settings,
        budget=budget,
        call_timeout_s=PATIENT_CALL_S,
        search_timeout_s=PATIENT_CALL_S,
        temperature=settings.temperature if temperature is None else temperature,
    )


async def ask_model(
    asked: Asked,
    client: ModelClient,
    settings: AgentSettings,
    output: Path,
    *,
    progress: Progress | None = None,
) -> BatchSummary:
    """Ask what is owed of every question and write the runs to `output`; the same call goes on after any kill.

    Raises:
        BatchError: the server is not there, or `output` holds runs made with other settings.
    """
    plan = BatchPlan(
        model=client.identity.model,
        adapter=client.identity.adapter,
        policy="search_first" if settings.search_first else "model",
        seed=asked.batch.seed,
        prompt_sha256=prompt_sha256(),
        sources_sha256=sha256_of([source.model_dump(mode="json") for source in asked.searcher.sources]),
        index_version=asked.searcher.index_version,
        home_region=asked.home_region,
        agent=asdict(settings),
    )

    def agent(sink: BatchSink) -> ClinicalAgent:
        return ClinicalAgent(client, asked.searcher, sink, settings=settings, router=asked.router)

    return await ask_owed(asked, client, plan, output, agent, follow_up=simulated_clinician, progress=progress)


async def ask_owed(
    asked: Asked,
    client: ModelClient,
    plan: BatchPlan,
    output: Path,
    agent_into: Callable[[BatchSink], Asker],
    *,
    follow_up: FollowUp | None = None,
    progress: Progress | None = None,
) -> BatchSummary:
    """Ask the agent that `agent_into` makes for a sink what `output` still owes of every question.

    Raises:
        BatchError: the server is not there, or `output` is bound to another plan.
    """
    with hold_plan(output, plan, ALL_SHARDS):
        if not await client.ready():
            raise BatchError(f"The server of the model {client.identity.model} does not answer.")
        with Journal(output) as journal, Ledger(output) as ledger:
            sink = BatchSink(journal)
            agent = agent_into(sink)
            return await generate(
                read_tasks(asked.questions),
                lambda _: agent,
                client,
                sink,
                ledger,
                asked.batch,
                follow_up=follow_up,
                progress=progress,
            )
