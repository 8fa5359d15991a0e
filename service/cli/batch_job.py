"""One batch as the command line was told to make it: what a worker process opens, and how it works on a shard.

It is sent to workers as it stands, so it holds settings and paths and nothing that is open.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from agent import AgentSettings, ClinicalAgent, Journal, ModelIdentity, OpenAIModelClient
from agent.batch import (
    PLAN_FILE,
    BadLine,
    BatchError,
    BatchPlan,
    BatchProgress,
    BatchSettings,
    BatchSink,
    BatchSummary,
    BatchTask,
    Ledger,
    Shard,
    ShardResult,
    generate,
    hold_plan,
    read_tasks,
)
from agent.prompts import prompt_sha256
from retrieval import HybridSearcher, router_for
from retrieval.documents import sha256_of
from service.container import model_identity, open_batch_searcher
from service.entailment import make_second_opinion
from service.policy import audience_in, open_policy
from service.settings import Settings
from training.episodes import simulated_clinician, teacher_of
from training.teacher import TEACHER

#: Longest one call and one run may take, seconds. A clinician's patience is no measure here: with a full queue at
#: the server, what a run holds would depend on how busy the machine was.
CALL_TIMEOUT_S = 600.0
RUN_TIMEOUT_S = 3600.0
#: A process that was just killed may hold its shard a moment longer, seconds.
_WAIT_FOR_SHARD_S = 30.0


class Policy(StrEnum):
    """Who acts."""

    MODEL = "model"
    TEACHER = "teacher"


@dataclass(frozen=True)
class BatchJob:
    """Everything a worker needs to be told."""

    settings: Settings
    questions: Path
    output: Path
    policy: Policy
    batch: BatchSettings
    temperature: float
    adapter: str | None = None

    def with_concurrency(self, concurrency: int) -> BatchJob:
        """The same job with that many runs in progress for each worker."""
        return replace(self, batch=replace(self.batch, concurrency=concurrency))

    @property
    def identity(self) -> ModelIdentity:
        """Who acts, as records name it."""
        identity = TEACHER if self.policy is Policy.TEACHER else model_identity(self.settings)
        if self.adapter is not None:
            identity = identity.model_copy(update={"model": self.adapter, "adapter": self.adapter, "served_as": None})
        return identity

    @property
    def agent_settings(self) -> AgentSettings:
        """The loop's settings: those of the service, with time enough."""
        identity = self.identity
        settings = self.settings.agent_settings(trained=identity.trained, caution=identity.caution)
        return replace(
            settings,
            temperature=self.temperature,
            call_timeout_s=CALL_TIMEOUT_S,
            search_timeout_s=CALL_TIMEOUT_S,
            budget=settings.budget.model_copy(update={"wall_clock_s": RUN_TIMEOUT_S}),
        )

    def plan(self, searcher: HybridSearcher) -> BatchPlan:
        """What the directory is bound to."""
        settings, identity = self.agent_settings, self.identity
        return BatchPlan(
            model=identity.model,
            adapter=identity.adapter,
            policy="search_first" if settings.search_first else str(self.policy),
            seed=self.batch.seed,
            prompt_sha256=prompt_sha256(),
            sources_sha256=sha256_of([source.model_dump(mode="json") for source in searcher.sources]),
            index_version=searcher.index_version,
            home_region=self.settings.home_region,
            agent=asdict(settings),
        )

    def client(self) -> OpenAIModelClient:
        """A client of the model server."""
        key = self.settings.model_api_key.get_secret_value() if self.settings.model_api_key else "none"
        return OpenAIModelClient(self.settings.model_url or self.settings.local_model_url, self.identity, api_key=key)


class JobRunner:
    """Works on the shards of one job with one open index. Raises `AgentError` or `RetrievalError` alone."""

    def __init__(self, job: BatchJob) -> None:
        """Open the index.

        Raises:
            PolicyFileError: the organisation's policy is wrong.
            RetrievalError: there is none that can be used.
        """
        # A query takes milliseconds on one core; on more it takes them from the model server beside it.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self._job = job
        self._policy = open_policy(job.settings)
        self._searcher = open_batch_searcher(job.settings)
        self._plan = job.plan(self._searcher)

    @classmethod
    def of_cluster(cls, job: BatchJob) -> JobRunner:
        """A runner on another machine.

        Raises:
            BatchError: it does not see the directory that the command writes to.
            RetrievalError: there is no index that can be used.
        """
        if not (job.output / PLAN_FILE).exists():
            raise BatchError(
                f"A worker does not see {job.output}: --output, --questions and the data directory must be on a file "
                "system that every machine of the cluster sees under the same path."
            )
        return cls(job)

    @property
    def plan(self) -> BatchPlan:
        """What the directory is bound to."""
        return self._plan

    def run(
        self, shard: Shard, report: Callable[[BatchProgress], None], *, wait_s: float = _WAIT_FOR_SHARD_S
    ) -> ShardResult:
        """See `ShardRunner.run`; `wait_s` is how long another process may hold the shard."""
        tasks = read_tasks(self._job.questions, shard)
        with hold_plan(self._job.output, self._plan, shard, wait_s=wait_s), Journal(self._job.output) as journal:
            summary = asyncio.run(self._run(tasks, journal, report))
        return ShardResult(summary, journal.segments)

    def close(self) -> None:
        """Close the index."""
        self._searcher.close()

    async def _run(
        self, tasks: Iterable[BatchTask | BadLine], journal: Journal, report: Callable[[BatchProgress], None]
    ) -> BatchSummary:
        job, searcher, settings = self._job, self._searcher, self._job.agent_settings
        client, sink = job.client(), BatchSink(journal)
        try:
            if job.policy is Policy.MODEL and not await client.ready():
                raise BatchError(
                    "The model server does not answer. Start it with `clinsearch model serve`."
                    if job.settings.model_url is None
                    else f"The model server at {job.settings.model_url} does not answer: start it, or name another."
                )
            policy, audience = self._policy, audience_in(job.settings, self._policy)
            # The gate of the service: a rollout must be judged as an answer would be.
            opinion = make_second_opinion(job.settings)
            agent = ClinicalAgent(
                client,
                searcher,
                sink,
                settings=settings,
                policy=policy,
                audience=audience,
                router=router_for(searcher.encoder, searcher.nearest),
                second_opinion=opinion,
            )

            def agent_for(task: BatchTask) -> ClinicalAgent:
                if job.policy is Policy.MODEL:
                    return agent
                teacher = teacher_of(task, searcher)
                return ClinicalAgent(
                    teacher,
                    searcher,
                    sink,
                    settings=settings,
                    policy=policy,
                    audience=audience,
                    second_opinion=opinion,
                )

            with Ledger(job.output) as ledger:
                work = asyncio.ensure_future(
                    generate(
                        tasks,
                        agent_for,
                        client,
                        sink,
                        ledger,
                        job.batch,
                        follow_up=simulated_clinician,
                        progress=report,
                    )
                )
                if threading.current_thread() is threading.main_thread():
                    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
                return await work
        finally:
            await client.close()
