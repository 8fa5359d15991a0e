"""The service's own time per agent step: everything but the model.

A scripted model replies at once, so what is measured is the graph, prompts, search, gate, events and
records. Search runs on a small exact index with the hashing encoder: query encoding and large
indexes have figures of their own.
"""

from __future__ import annotations

import asyncio
import time

import numpy as np
from pydantic import BaseModel, ConfigDict

from agent import ClinicalAgent, MemoryJournal, Question, ScriptedModel
from agent.scripted import ByTurn
from retrieval import HashingEncoder, memory_searcher, starter_entries


class AgentBench(BaseModel):
    """Milliseconds per agent step (decide, search or answer) over all runs."""

    model_config = ConfigDict(frozen=True)

    runs: int
    steps_per_run: float
    p50_ms: float
    p95_ms: float

    def table(self) -> str:
        """The figures as lines of text."""
        return (
            f"agent, own time per step (scripted model, {self.runs} runs, {self.steps_per_run:.1f} steps each)\n"
            f"  p50 {self.p50_ms:.2f} ms   p95 {self.p95_ms:.2f} ms   target: p50 under 10 ms"
        )


async def _run(runs: int) -> AgentBench:
    searcher = memory_searcher(starter_entries(), encoder=HashingEncoder())
    agent = ClinicalAgent(ScriptedModel([ByTurn("first-line antibiotic")]), searcher, MemoryJournal())
    question = Question(text="First-line antibiotic for an adult with uncomplicated lower urinary tract infection?")
    await agent.ask(question)  # first call compiles regular expressions and fills caches
    per_step: list[float] = []
    steps = 0
    for _ in range(runs):
        started = time.perf_counter()
        result = await agent.ask(question)
        elapsed_ms = (time.perf_counter() - started) * 1000
        steps += len(result.steps)
        per_step.append(elapsed_ms / len(result.steps))
    p50, p95 = np.percentile(per_step, [50, 95])
    return AgentBench(runs=runs, steps_per_run=steps / runs, p50_ms=float(p50), p95_ms=float(p95))


def run_agent_bench(runs: int = 200) -> AgentBench:
    """Measure `runs` whole runs, one after the other; a step's time is its run's time divided by its steps."""
    return asyncio.run(_run(runs))
