"""A process of its own for the kill test: one batch with a scripted model, in the directory it is given."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from agent import AgentSettings, ClinicalAgent, Journal, ScriptedModel
from agent.batch import BatchSettings, BatchSink, Ledger, generate, read_tasks
from agent.client import CompletionRequest
from agent.scripted import ByTurn, Reply
from retrieval import SearchRequest, memory_searcher, starter_entries


async def main(questions: Path, output: Path, repetitions: int) -> None:
    by_turn = ByTurn()

    def reply(request: CompletionRequest) -> Reply:
        return Reply(text=by_turn(request), delay_s=random.uniform(0, 0.01))

    client = ScriptedModel([reply])
    searcher = memory_searcher(list(starter_entries())[:3])
    with Journal(output) as journal, Ledger(output) as ledger:
        sink = BatchSink(journal)
        agent = ClinicalAgent(client, searcher, sink, settings=AgentSettings())
        settings = BatchSettings(repetitions=repetitions, concurrency=8)
        # The first search reads the table of other words: a third of the time to the latest kill.
        searcher.search(SearchRequest(queries=("example",)))
        print("begun", flush=True)  # noqa: T201 - tells the test that runs are being made
        await generate(read_tasks(questions), lambda _: agent, client, sink, ledger, settings)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
