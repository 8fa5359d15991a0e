"""Wires settings to the real parts: searcher, model client, journal, agent. Tests wire their own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent import ClinicalAgent, Journal, ModelIdentity, OpenAIModelClient
from retrieval import (
    HybridSearcher,
    SearchSettings,
    Withdrawals,
    open_searcher,
    router_for,
    store_backend,
)
from retrieval import make_encoder as encoder_of
from service.metrics import Metrics
from service.model.manifest import read_model_manifest
from service.reranking import make_rerank_stage
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from retrieval import Encoder, StoreBackend


async def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Service:
    """Everything the HTTP application needs."""

    settings: Settings
    agent: ClinicalAgent
    metrics: Metrics = field(default_factory=Metrics)
    close: Callable[[], Coroutine[None, None, None]] = _nothing
    #: One slot per run in progress.
    slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "slots", asyncio.Semaphore(self.settings.max_concurrent_runs))


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
    return ModelIdentity(
        model=settings.model_name,
        engine="vllm",
        template_sha256=manifest.template_sha256,
        # A GPU machine serves a general instruct model by its name; only the small packaged one is known to
        # fail at the actions untrained.
        trained=manifest.trained or manifest.base_sha256 is None,
    )


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
    )


def build_service(settings: Settings) -> Service:
    """Open the index and connect everything.

    Raises:
        RetrievalError: there is no usable index; the message says how to build it.
    """
    searcher = open_service_searcher(settings)
    identity = model_identity(settings)
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else "none"
    client = OpenAIModelClient(settings.model_url or settings.local_model_url, identity, api_key=key)
    journal = Journal(settings.journal_dir)
    agent = ClinicalAgent(
        client,
        searcher,
        journal,
        settings=settings.agent_settings(trained=identity.trained),
        router=router_for(searcher.encoder),
    )

    async def close() -> None:
        await client.close()
        journal.close()
        searcher.close()

    return Service(settings=settings, agent=agent, close=close)
