"""The agent: asks the graph to carry one question through and records the run, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Literal

from langsmith import tracing_context

from agent import spans
from agent.budget import Spending
from agent.client import Message, ModelClient
from agent.clock import Clock, SystemClock
from agent.errors import JournalError
from agent.events import DoneEvent, Emit, Event, RunSummary
from agent.evidence import EvidenceBook
from agent.graph import build_graph
from agent.journal import RolloutSink
from agent.origin import FROM_SERVICE, Origin
from agent.policy import Policy, load_policy
from agent.prompts import neutral, prompt_sha256, system_message
from agent.question import Question
from agent.rollout import (
    Outcome,
    Provenance,
    Rollout,
    RolloutId,
    new_rollout_id,
)
from agent.rollout import Policy as RolloutPolicy
from agent.run import AgentSettings, Run
from agent.version import PRODUCER
from retrieval import FirstSource, PassageId, RetrievalError, Searcher, SourceRouter

#: Safety net above the run's own budgets; a graph that exceeds it is a bug.
_RECURSION_LIMIT = 200
#: Earlier answers are cut to this many characters in the prompt; their evidence is what counts.
_EARLIER_ANSWER_CHARS = 1_500


class ClinicalAgent:
    """Answers questions with one model, one searcher and one policy.

    Safe to use for many questions at once in one event loop.
    """

    def __init__(
        self,
        client: ModelClient,
        searcher: Searcher,
        journal: RolloutSink,
        *,
        settings: AgentSettings | None = None,
        policy: Policy | None = None,
        router: SourceRouter | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._client = client
        self._searcher = searcher
        self._journal = journal
        self._settings = settings or AgentSettings()
        self._clock = clock or SystemClock()
        self._graph = build_graph(client, searcher, policy or load_policy(), router or FirstSource())

    @property
    def searcher(self) -> Searcher:
        """The searcher in use."""
        return self._searcher

    @property
    def client(self) -> ModelClient:
        """The model client in use."""
        return self._client

    async def ask(
        self,
        question: Question,
        emit: Emit | None = None,
        *,
        origin: Origin = FROM_SERVICE,
        rollout_id: RolloutId | None = None,
    ) -> RunSummary:
        """Carry one question through and return its outcome; events go to `emit` as they happen.

        The run is in the journal before this returns. Model and search failures end in a typed
        stop reason and are not raised; cancelling is recorded as `aborted`.
        """

        async def discard(_: Event) -> None:
            return None

        run = self._new_run(question, emit or discard, rollout_id or new_rollout_id(), origin.seed)
        status: Literal["completed", "failed", "aborted"] = "failed"
        with spans.span(spans.RUN, **{spans.ROLLOUT_ID: run.id}) as span:
            try:
                # LangSmith's environment switches must not send a clinician's words anywhere.
                with tracing_context(enabled=False):
                    self._recall(run)
                    await self._graph.ainvoke(
                        {"next": "guard"}, context=run, config={"recursion_limit": _RECURSION_LIMIT}
                    )
                status = "completed"
                span.set_attribute(spans.STOP_REASON, str(run.stop_reason))
            except asyncio.CancelledError:
                status = "aborted"
                raise
            finally:
                self._keep(run, status, origin)
        summary = self._summary(run)
        await run.send(DoneEvent(result=summary))
        return summary

    async def stream(
        self, question: Question, *, origin: Origin = FROM_SERVICE, rollout_id: RolloutId | None = None
    ) -> AsyncGenerator[Event]:
        """The same as `ask`, as a stream of events; closing the stream cancels the run."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(maxsize=64)

        async def run() -> None:
            gone = False
            try:
                await self.ask(question, queue.put, origin=origin, rollout_id=rollout_id)
            except asyncio.CancelledError:
                gone = True
                raise
            finally:
                if not gone:  # a slow reader gets every event; for one that is gone nobody waits
                    await queue.put(None)

        task = asyncio.create_task(run())
        try:
            while (event := await queue.get()) is not None:
                yield event
            await task
        finally:
            if not task.done():
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _new_run(self, question: Question, emit: Emit, rollout_id: RolloutId, seed: int | None) -> Run:
        messages = [system_message(self._searcher.sources)]
        for turn in question.history:
            messages.append(Message(role="user", content=neutral(turn.question)))
            messages.append(Message(role="assistant", content=neutral(turn.answer[:_EARLIER_ANSWER_CHARS])))
        messages.append(Message(role="user", content=neutral(question.text)))
        return Run(
            id=rollout_id,
            question=question,
            settings=self._settings if seed is None else replace(self._settings, seed=seed),
            clock=self._clock,
            emit=emit,
            spending=Spending(self._settings.budget, self._clock),
            book=EvidenceBook(rollout_id, self._withdrawn),
            messages=messages,
            earlier=[],
        )

    def _recall(self, run: Run) -> None:
        """What the last answer cited, read from the store of record: a client cannot bring evidence of its own."""
        history = run.question.history
        ids: tuple[PassageId, ...] = history[-1].passage_ids if history else ()
        try:
            home = run.question.home_region
            found = [(rank, self._searcher.hit(passage_id, home)) for rank, passage_id in enumerate(ids, start=1)]
        except RetrievalError as error:
            run.fail(error.code, "The passages of the last answer could not be read.")
            return
        run.earlier = [
            hit.model_copy(update={"rank": rank, "score": 1.0 / rank}) for rank, hit in found if hit is not None
        ]

    def _withdrawn(self, passage_id: PassageId) -> bool:
        try:
            return self._searcher.withdrawal(passage_id) is not None
        except RetrievalError:
            return True  # nobody can say whether it still stands, so it is not shown

    def _summary(self, run: Run) -> RunSummary:
        assert run.stop_reason is not None
        assert run.answer is not None
        return RunSummary(
            rollout_id=run.id,
            stop_reason=run.stop_reason,
            answer=run.answer,
            steps=tuple(run.summaries),
            failures=tuple(run.failures),
            model=self._client.identity.model,
            index_version=self._searcher.index_version,
            duration_ms=run.spending.elapsed_s * 1000,
            limited_to=run.question.filters.in_words(),
            usage=run.spending.usage,
        )

    def _keep(self, run: Run, status: Literal["completed", "failed", "aborted"], origin: Origin) -> None:
        identity = self._client.identity
        rollout = Rollout(
            rollout_id=run.id,
            task_key=run.question.task_key,
            rep=origin.rep,
            split=origin.split,
            created_at=self._clock.now().isoformat(),
            policy=RolloutPolicy(
                model=identity.model,
                engine=identity.engine,
                adapter=identity.adapter,
                template_sha256=identity.template_sha256,
                prompt_sha256=prompt_sha256(),
                temperature=run.settings.temperature,
                seed=run.settings.seed,
                search_first=run.settings.search_first,
                quote=run.settings.quote,
                caution=run.settings.caution,
            ),
            filters=run.question.filters,
            home_region=run.question.home_region,
            messages=tuple(run.messages),
            steps=tuple(run.steps),
            retrieval=tuple(run.retrieval),
            verdicts=tuple(run.verdicts),
            answer=run.answer,
            outcome=Outcome(
                status=status, stop_reason=run.stop_reason, failures=tuple(run.failures), searches=run.searches
            ),
            provenance=Provenance(
                producer=PRODUCER,
                question_source=origin.question_source,
                training_consent=origin.training_consent,
                licence=origin.licence,
                episode=origin.episode,
                index_version=self._searcher.index_version,
            ),
            duration_ms=run.spending.elapsed_s * 1000,
        )
        try:
            self._journal.append(rollout)
        except JournalError as error:
            # The clinician still gets the answer; the loss is told, not hidden.
            run.fail(error.code, "This run could not be written to the journal.")
            spans.note_journal_failure()
