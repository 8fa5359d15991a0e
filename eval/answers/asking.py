"""Runs of one evaluation: through the service's own agent, then without search, resumable, one directory each."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from pathlib import Path

from agent import AgentSettings, ModelClient, read_journal
from agent.batch import BatchPlan, BatchSink, BatchSummary
from eval.agent.asking import Asked, Progress, ask_model, ask_owed
from eval.answers.arms import WITHOUT_SEARCH
from eval.answers.direct import DIRECT_MAX_TOKENS, DIRECT_POLICY, DirectAgent, direct_prompt_sha256
from eval.answers.passages import keep_passages


async def ask_searching(
    asked: Asked,
    client: ModelClient,
    settings: AgentSettings,
    output: Path,
    *,
    progress: Progress | None = None,
) -> BatchSummary:
    """Ask what is owed with the service's own agent, and keep the passages it retrieved beside `output`.

    Raises:
        BatchError: the server is not there, or `output` holds runs made with other settings.
        SetInvalidError, OutputError: the passages cannot be kept.
    """
    try:
        summary = await ask_model(asked, client, settings, output, progress=progress)
    except asyncio.CancelledError:
        # What is finished can be scored with `--from`, though nobody goes on.
        keep_passages(output.parent, read_journal(output), asked.searcher)
        raise
    keep_passages(output.parent, read_journal(output), asked.searcher)
    return summary


async def ask_alone(
    asked: Asked,
    client: ModelClient,
    settings: AgentSettings,
    output: Path,
    *,
    progress: Progress | None = None,
) -> BatchSummary:
    """Ask what is owed of the model alone; the runs go into the folder beside `output` that `WITHOUT_SEARCH` names.

    Raises:
        BatchError: the server is not there, or the folder holds runs made with other settings.
    """
    folder = output.with_name(output.name + WITHOUT_SEARCH)
    settings = replace(settings, answer_max_tokens=min(settings.answer_max_tokens, DIRECT_MAX_TOKENS))
    plan = BatchPlan(
        model=client.identity.model,
        adapter=client.identity.adapter,
        policy=DIRECT_POLICY,
        seed=asked.batch.seed,
        prompt_sha256=direct_prompt_sha256(),
        sources_sha256="",
        index_version=asked.searcher.index_version,
        home_region=None,
        agent=asdict(settings),
    )

    def agent(sink: BatchSink) -> DirectAgent:
        return DirectAgent(client, asked.searcher.index_version, sink, settings)

    return await ask_owed(asked, client, plan, folder, agent, progress=progress)
