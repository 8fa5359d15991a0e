"""One question carried through against the misbehaving server."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from agent import (
    AgentSettings,
    Budget,
    ClinicalAgent,
    Event,
    Journal,
    ModelIdentity,
    OpenAIModelClient,
    Question,
    Rollout,
    RunSummary,
    read_journal,
)
from agent.caution import Caution
from agent.misbehaving import Behaviour, CallKind
from retrieval import HybridSearcher

from ..conftest import QUESTION, SkippingClock, assert_alternating, assert_consistent

#: Of a behaviour that only a deadline ends, seconds; of any other it is never reached.
LATE_CALL_S = 1.0
SETTINGS = AgentSettings(call_timeout_s=15.0, attempts=2, budget=Budget(wall_clock_s=30.0))
#: What a run may take beyond the calls that only a deadline ends, seconds; nearly all of it is for a busy machine.
SPARE_S = 14.0


@dataclass(frozen=True)
class Played:
    """What a run against a misbehaving server left behind."""

    summary: RunSummary
    events: list[Event]
    #: As read back from the journal on disk.
    rollout: Rollout
    seconds: float
    #: Longest time for which nothing else in the process could go on, seconds of the processor's.
    stalled: float
    #: Word under which the server remembers the run.
    run: str


PlayFunction = Callable[..., Awaitable[Played]]


@pytest.fixture
def play(misbehaving: str, searcher: HybridSearcher, tmp_path: Path) -> PlayFunction:
    """Carry a question through; checks what must hold for every run."""

    async def carry(behaviour: Behaviour, spoiled: CallKind, settings: AgentSettings = SETTINGS) -> Played:
        if behaviour.late:
            settings = replace(settings, call_timeout_s=LATE_CALL_S)
        run = uuid.uuid4().hex
        client = OpenAIModelClient(
            f"{misbehaving}/{behaviour.name}/{spoiled}/{run}/v1", ModelIdentity(model="small", trained=True)
        )
        if spoiled is CallKind.TOKENIZE:
            settings = replace(settings, caution=Caution(constant=1.0))  # else the agent leans nowhere and does not ask
        events: list[Event] = []

        async def emit(event: Event) -> None:
            events.append(event)

        stalls = [0.0]

        async def watch() -> None:
            while True:
                before = time.process_time()
                await asyncio.sleep(0.01)
                stalls.append(time.process_time() - before)

        watching = asyncio.create_task(watch())
        clock = SkippingClock()
        started = clock.monotonic()
        with Journal(tmp_path / run) as journal:
            agent = ClinicalAgent(client, searcher, journal, settings=settings, clock=clock)
            try:
                summary = await agent.ask(Question(text=QUESTION), emit)
            finally:
                watching.cancel()
                await client.close()
        seconds = clock.monotonic() - started
        assert_consistent(events, summary)
        (rollout,) = read_journal(tmp_path / run)
        assert rollout.rollout_id == summary.rollout_id
        assert_alternating(rollout.messages)
        return Played(summary, events, rollout, seconds, max(stalls), run)

    return carry
