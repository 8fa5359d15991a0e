"""The agent: asks the graph to carry one question through and records the run, however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Literal

from langsmith import tracing_context

from agent import spans
from agent.budget import Spending
from agent.client import Message, ModelClient
from agent.clock import Clock, SystemClock
from agent.errors import JournalError
from agent.events import DoneEvent, Emit, Event, NoticesEvent, RunSummary
from agent.evidence import EvidenceBook
from agent.gate import SecondOpinion
from agent.gate.lexicon import lexicon
from agent.graph import the_loop
from agent.journal import RolloutSink
from agent.origin import FROM_SERVICE, Origin
from agent.patient import read_patient
from agent.policy import Audience, Policy, load_policy
from agent.prompts import neutral, prompt_sha256, system_message
from agent.question import Question
from agent.rollout import (
    GuardRecord,
    Outcome,
    Provenance,
    Rollout,
    RolloutId,
    new_rollout_id,
)
from agent.rollout import Policy as RolloutPolicy
from agent.run import AgentSettings, Run
from agent.version import PRODUCER
from retrieval import FirstSource, PassageId, RetrievalError, Searcher, SourceRouter, scoped

#: Safety net above the run's own budgets; a graph that exceeds it is a bug.
_RECURSION_LIMIT = 200
#: Earlier answers are cut to this many characters in the prompt; their evidence is what counts.
_EARLIER_ANSWER_CHARS = 1_500
#: Returns when a run may begin its work; is told whether something was sent before.
Begin = Callable[[bool], Awaitable[None]]


class ClinicalAgent:
    """Answers questions with one model, one searcher and one policy.

    `audience` is whom it answers (None: whom the policy says); a question may name a narrower one where the policy
    lets it. Each audience is searched under the policy's scope for it.
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
        audience: Audience | None = None,
        router: SourceRouter | None = None,
        clock: Clock | None = None,
        second_opinion: SecondOpinion | None = None,
    ) -> None:
        self._client = client
        self._policy = policy or load_policy()
        self._audience = audience or self._policy.audience
        answered = [one for one in Audience if self._audience.covers(one)]
        self._searchers = {one: scoped(searcher, self._policy.search_scope(one)) for one in answered}
        self._journal = journal
        self._settings = settings or AgentSettings()
        self._clock = clock or SystemClock()
        self._router = router or FirstSource()
        self._second_opinion = second_opinion
        # Word lists are read and the loop is compiled once, a third of a second in all: here, and not while the first
        # clinician waits.
        lexicon()
        read_patient([""])
        the_loop()

    @property
    def searcher(self) -> Searcher:
        """The searcher in use, which finds what this deployment's audience may see."""
        return self._searchers[self._audience]

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._policy

    @property
    def audience(self) -> Audience:
        """Whom this deployment answers."""
        return self._audience

    def audience_of(self, wanted: Audience | None) -> Audience:
        """Whom a request is answered for.

        Raises:
            QuestionError: `audience_not_allowed`; this deployment does not answer that audience.
        """
        return self._policy.audience_of(wanted, self._audience)

    def searcher_for(self, audience: Audience | None) -> Searcher:
        """The searcher of an audience. Raises QuestionError as `audience_of`."""
        return self._searchers[self.audience_of(audience)]

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
        begin: Begin | None = None,
    ) -> RunSummary:
        """Carry one question through and return its outcome; events go to `emit` as they happen.

        What the policy has said with the answer is sent before anything is done for it; `begin` is waited for between
        the two: who has many runs says when each may work.

        The run is in the journal before this returns. Model and search failures end in a typed
        stop reason and are not raised; cancelling is recorded as `aborted`.

        Raises:
            QuestionError: the question is for an audience that is not answered here; nothing is recorded.
        """

        async def discard(_: Event) -> None:
            return None

        run = self._new_run(question, emit or discard, rollout_id or new_rollout_id(), origin.seed)
        status: Literal["completed", "failed", "aborted"] = "failed"
        with spans.span(spans.RUN, **{spans.ROLLOUT_ID: run.id}) as span:
            try:
                # LangSmith's environment switches must not send a clinician's words anywhere.
                with tracing_context(enabled=False):
                    says = bool(run.notices or run.disclaimers)
                    if says:
                        await run.send(NoticesEvent(notices=run.notices, disclaimers=run.disclaimers))
                    if begin is not None:
                        await begin(says)
                    run.patient = read_patient([*(turn.question for turn in question.history), question.text])
                    self._recall(run)
                    await the_loop().ainvoke(
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
        self,
        question: Question,
        *,
        origin: Origin = FROM_SERVICE,
        rollout_id: RolloutId | None = None,
        begin: Begin | None = None,
    ) -> AsyncGenerator[Event]:
        """The same as `ask`, as a stream of events; closing the stream cancels the run."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(maxsize=64)

        async def run() -> None:
            gone = False
            try:
                await self.ask(question, queue.put, origin=origin, rollout_id=rollout_id, begin=begin)
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
        judged = self._policy.judge(question.text, self.audience_of(question.audience))
        searcher = self._searchers[judged.audience]
        messages = [system_message(searcher.sources)]
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
            client=self._client,
            searcher=searcher,
            router=self._router,
            book=EvidenceBook(rollout_id, self._withdrawn),
            messages=messages,
            earlier=[],
            policy=self._policy,
            judged=judged,
            second_opinion=self._second_opinion,
        )

    def _recall(self, run: Run) -> None:
        """What the last answer cited, read from the store of record: a client cannot bring evidence of its own."""
        history = run.question.history
        ids: tuple[PassageId, ...] = history[-1].passage_ids if history else ()
        try:
            home, searcher = run.question.home_region, self._searchers[run.judged.audience]
            found = [(rank, searcher.hit(passage_id, home)) for rank, passage_id in enumerate(ids, start=1)]
        except RetrievalError as error:
            run.fail(error.code, "The passages of the last answer could not be read.")
            return
        run.earlier = [
            hit.model_copy(update={"rank": rank, "score": 1.0 / rank}) for rank, hit in found if hit is not None
        ]

    def _withdrawn(self, passage_id: PassageId) -> bool:
        try:
            return self.searcher.withdrawal(passage_id) is not None
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
            index_version=self.searcher.index_version,
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
                near_sources_first=run.settings.near_sources_first,
                quote=run.settings.quote,
                caution=run.settings.caution,
            ),
            guard=GuardRecord(
                policy_version=run.policy.version,
                policy_sha256=run.policy.sha256,
                audience=run.judged.audience,
                refused=run.judged.refused.id if run.judged.refused is not None else None,
                notices=tuple(rule.id for rule in run.judged.notices),
            ),
            filters=run.question.filters,
            home_region=run.question.home_region,
            messages=tuple(run.messages),
            steps=tuple(run.steps),
            retrieval=tuple(run.retrieval),
            verdicts=tuple(run.verdicts),
            answer=run.answer,
            patient=run.patient,
            patient_conflicts=run.passage_conflicts,
            outcome=Outcome(
                status=status, stop_reason=run.stop_reason, failures=tuple(run.failures), searches=run.searches
            ),
            provenance=Provenance(
                producer=PRODUCER,
                question_source=origin.question_source,
                training_consent=origin.training_consent,
                licence=origin.licence,
                episode=origin.episode,
                index_version=self.searcher.index_version,
            ),
            duration_ms=run.spending.elapsed_s * 1000,
        )
        try:
            self._journal.append(rollout)
        except JournalError as error:
            # The clinician still gets the answer; the loss is told, not hidden.
            run.fail(error.code, "This run could not be written to the journal.")
            spans.note_journal_failure()
