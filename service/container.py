"""Wires settings to the real parts: searcher, model client, journal, agent. Tests wire their own."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from agent import ClinicalAgent, Journal, MemoryJournal, ModelIdentity, OpenAIModelClient, RunArchive
from retrieval import (
    HybridSearcher,
    SearchSettings,
    Withdrawals,
    open_searcher,
    router_for,
    store_backend,
)
from retrieval import make_encoder as encoder_of
from retrieval.reranking import LONGEST_DEADLINE_MS
from service.conversations.delivery import Delivery
from service.entailment import make_second_opinion
from service.first_words import FirstWords
from service.live import LiveRuns
from service.metrics import Metrics
from service.model.choice import model_place
from service.model.environment import find_model_environment
from service.model.manifest import ModelManifest, read_model_manifest
from service.policy import audience_in, open_policy
from service.query_adapter import make_adapted_queries
from service.records import MemoryRecords, Records, open_records
from service.reranking import make_rerank_stage
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from retrieval import Encoder, StoreBackend

T = TypeVar("T")
logger = logging.getLogger("clinsearch.records")


async def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Service:
    """Everything the HTTP application needs."""

    settings: Settings
    agent: ClinicalAgent
    #: Agents with other models, by the name a question may ask for.
    others: Mapping[str, ClinicalAgent] = field(default_factory=dict)
    #: Conversations, feedback and consent; in memory unless given.
    records: Records = field(default_factory=MemoryRecords)
    #: Where the agents' runs go, to be told what people said of them.
    journal: RunArchive = field(default_factory=MemoryJournal)
    metrics: Metrics = field(default_factory=Metrics)
    close: Callable[[], Coroutine[None, None, None]] = _nothing
    #: One slot per run in progress.
    slots: asyncio.Semaphore = field(init=False)
    #: Whose first word has not been sent yet: until it was, no run begins its work.
    first_words: FirstWords = field(init=False, default_factory=FirstWords)
    delivery: Delivery = field(init=False)
    #: Runs whose events are being streamed.
    live: LiveRuns = field(init=False)
    #: What must be carried through although nobody waits for it any more.
    chores: set[asyncio.Task[object]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        object.__setattr__(self, "slots", asyncio.Semaphore(self.settings.max_concurrent_runs))
        object.__setattr__(self, "delivery", Delivery(self.records, self.journal))
        object.__setattr__(self, "live", LiveRuns(self.chore, hold_s=self.settings.resume_s))

    def chore(self, work: Coroutine[None, None, T]) -> asyncio.Task[T]:
        """Start something that outlives whoever started it, and is waited for when the service ends."""
        task = asyncio.create_task(work)
        self.chores.add(task)
        task.add_done_callback(self._chore_done)
        return task

    def _chore_done(self, task: asyncio.Task[object]) -> None:
        self.chores.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Whoever waits is told by the exception itself; often nobody waits any more.
            logger.error("%s in what was left to do after a request", type(error).__name__)

    async def finish_chores(self) -> None:
        """Wait for what was started."""
        await asyncio.gather(*self.chores, return_exceptions=True)

    @property
    def agents(self) -> Mapping[str, ClinicalAgent]:
        """Every agent by the name of its model, the one in use first."""
        return {self.settings.model_name: self.agent, **self.others}


def make_encoder(settings: Settings) -> Encoder:
    """The encoder named in settings. Raises EncoderError where a setting is missing or the weights are not there."""
    return encoder_of(settings.encoder_options())


def make_store(settings: Settings) -> StoreBackend:
    """The store named in settings. Raises StoreError where a server store lacks its address or its client."""
    return store_backend(settings.store, settings.server_settings())


def model_identity(settings: Settings) -> ModelIdentity:
    """Which model is asked, from the manifest of the prepared one or from settings."""
    if settings.model_url is not None:
        return ModelIdentity(model=settings.model_name, trained=True)
    manifest = read_model_manifest(settings.model_dir)
    if manifest is None:
        return ModelIdentity(model=settings.model_name)
    return prepared_identity(settings.model_name, manifest)


def prepared_identity(name: str, manifest: ModelManifest) -> ModelIdentity:
    """Identity of a prepared model that the local server has under `name`."""
    return ModelIdentity(
        model=name,
        engine="vllm",
        adapter=manifest.adapter_version,
        served_as=name,
        template_sha256=manifest.template_sha256,
        # A GPU machine serves a general instruct model by its name; only the small packaged one is known to
        # fail at the actions untrained.
        trained=manifest.trained or manifest.base_sha256 is None,
        caution=manifest.caution,
    )


def other_models(settings: Settings) -> dict[str, tuple[str, ModelIdentity]]:
    """Address and identity of each model that can be asked for besides the one in use, by name."""
    server = find_model_environment()
    found = {}
    for model, port in settings.also_ports.items():
        name, manifest = Path(model).name, read_model_manifest(model_place(settings.data_dir, model))
        # On GPUs one server has them all.
        alone = server is None or server.device == "cpu"
        found[name] = (
            f"http://127.0.0.1:{port}/v1" if alone else settings.local_model_url,
            prepared_identity(name, manifest) if manifest else ModelIdentity(model=name),
        )
    for name, url in settings.model_urls.items():
        found[name] = (url.rstrip("/"), ModelIdentity(model=name, trained=True))
    return found


def open_service_searcher(settings: Settings) -> HybridSearcher:
    """Open the index named in settings. Raises RetrievalError; the message says how to build it."""
    return open_searcher(
        settings.index_dir,
        encoder=make_encoder(settings),
        store=make_store(settings),
        sources=settings.all_sources,
        settings=SearchSettings(home_region=settings.home_region),
        withdrawals=Withdrawals(settings.withdrawals_file),
        reranking=make_rerank_stage(settings),
        adapted=make_adapted_queries(settings),
    )


def open_batch_searcher(settings: Settings) -> HybridSearcher:
    """The same for many questions at once: searches wait for the reranker as long as they may.

    Under load a search answers in its first order instead, which is right for who waits for an answer. What a model is
    trained on and measured with should not depend on how busy a machine was. Raises RetrievalError.
    """
    return open_service_searcher(settings.model_copy(update={"rerank_deadline_ms": LONGEST_DEADLINE_MS}))


def open_service_records(settings: Settings) -> Records:
    """Open the records named in settings. Raises RecordsError; the message says what to do."""
    url = settings.records_url.get_secret_value() if settings.records_url else None
    return open_records(url, settings.records_file)


def build_service(settings: Settings, *, keeps: bool = True) -> Service:
    """Open the index and the records, and connect everything.

    `keeps=False` opens no records: for what asks without a conversation.

    Raises:
        PolicyFileError: the organisation's policy is wrong; the message says where.
        RetrievalError: there is no usable index; the message says how to build it.
        RecordsError: the conversations cannot be opened.
    """
    policy = open_policy(settings)
    searcher = open_service_searcher(settings)
    records = open_service_records(settings) if keeps and settings.conversations == "on" else MemoryRecords()
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else "none"
    journal = Journal(settings.journal_dir)
    router = router_for(searcher.encoder, searcher.nearest)
    second_opinion = make_second_opinion(settings)
    clients: list[OpenAIModelClient] = []

    def agent_of(url: str, identity: ModelIdentity, key: str) -> ClinicalAgent:
        clients.append(OpenAIModelClient(url, identity, api_key=key))
        loop = settings.agent_settings(trained=identity.trained, caution=identity.caution)
        return ClinicalAgent(
            clients[-1],
            searcher,
            journal,
            settings=loop,
            policy=policy,
            audience=audience_in(settings, policy),
            router=router,
            second_opinion=second_opinion,
        )

    agent = agent_of(settings.model_url or settings.local_model_url, model_identity(settings), key)
    # The key belongs to the server it was given for.
    others = {name: agent_of(url, identity, "none") for name, (url, identity) in other_models(settings).items()}

    async def close() -> None:
        for client in clients:
            await client.close()
        journal.close()
        records.close()
        searcher.close()

    service = Service(settings=settings, agent=agent, others=others, records=records, journal=journal, close=close)
    # What a service that was killed had yet to tell.
    service.delivery.everything()
    return service
