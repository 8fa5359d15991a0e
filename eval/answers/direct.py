"""Answers of the model alone: no search, no evidence, no actions. What the product is compared with.

Retrieval can make answers worse, so an evaluation asks without it too. The prompt below is the evaluation's own; no
clinician is ever answered with it. A run is a `rollout.v1` record like any other, so a batch resumes in the same way,
and the gate's verdicts in it say that nothing of it would be shown.
"""

from __future__ import annotations

from agent import (
    AgentSettings,
    Clock,
    Completion,
    CompletionRequest,
    Message,
    ModelClient,
    ModelError,
    Origin,
    Question,
    Rollout,
    RolloutId,
    RolloutSink,
    StopReason,
    SystemClock,
)
from agent.events import Failure
from agent.evidence import EvidenceBook
from agent.gate import AnswerGate, Verdict
from agent.prompts import neutral
from agent.retry import RetryingCaller
from agent.rollout import Outcome, Policy, Provenance, RolloutStep
from agent.sentences import SentenceSplitter
from agent.version import PRODUCER
from retrieval.documents import sha256_of

#: What a plan of a batch names in the place of the loop's policy.
DIRECT_POLICY = "without_search"
#: About five short sentences, as many as an answer of quotations has; a small model otherwise writes to any limit.
DIRECT_MAX_TOKENS = 160
DIRECT_SYSTEM = (
    "You are a clinical assistant. Answer the clinician's question in plain text. Short sentences: the direct answer "
    "first, then dose or action, then conditions and contraindications."
)


def direct_prompt_sha256() -> str:
    """Hash of the prompt of runs without search; not the one adapters are bound to."""
    return sha256_of([DIRECT_SYSTEM])


class DirectAgent:
    """Asks the model itself; takes the place of `ClinicalAgent` in a batch."""

    def __init__(
        self,
        client: ModelClient,
        index_version: str,
        sink: RolloutSink,
        settings: AgentSettings,
        clock: Clock | None = None,
    ) -> None:
        """`index_version` is that of the index which the other arms search: they are compared on the same one."""
        self._client = client
        self._index_version = index_version
        self._sink = sink
        self._settings = settings
        self._clock = clock or SystemClock()

    async def ask(self, question: Question, *, origin: Origin, rollout_id: RolloutId) -> None:
        """One call of the model; a failure of it is recorded, not raised."""
        started = self._clock.monotonic()
        messages = _messages(question)
        request = CompletionRequest(
            messages=messages,
            max_tokens=self._settings.answer_max_tokens,
            temperature=self._settings.temperature,
            seed=origin.seed,
        )
        steps: tuple[RolloutStep, ...] = ()
        verdicts: tuple[Verdict, ...] = ()
        failures: tuple[Failure, ...] = ()
        try:
            completion, attempts = await RetryingCaller(self._clock, self._settings.attempts).call(
                lambda left: self._client.complete(request, left), self._settings.call_timeout_s
            )
        except ModelError as error:
            failures = (Failure(code=error.code, message="The model could not answer."),)
        else:
            steps = (RolloutStep.of(completion, i=0, kind="answer", prompt_messages=len(messages), attempts=attempts),)
            verdicts = _verdicts(completion, rollout_id)
            messages = (*messages, Message(role="assistant", content=neutral(completion.text)))
        identity = self._client.identity
        self._sink.append(
            Rollout(
                rollout_id=rollout_id,
                task_key=question.task_key,
                rep=origin.rep,
                split=origin.split,
                created_at=self._clock.now().isoformat(),
                policy=Policy(
                    model=identity.model,
                    engine=identity.engine,
                    adapter=identity.adapter,
                    template_sha256=identity.template_sha256,
                    prompt_sha256=direct_prompt_sha256(),
                    temperature=self._settings.temperature,
                    seed=origin.seed,
                    search_first=False,
                ),
                messages=messages,
                steps=steps,
                retrieval=(),
                verdicts=verdicts,
                # Nothing of it was verified, so nothing of it is an answer of this service.
                answer=None,
                outcome=Outcome(
                    status="completed",
                    stop_reason=StopReason.ANSWERED if verdicts else StopReason.MODEL_FAILED,
                    failures=failures,
                    searches=0,
                ),
                provenance=Provenance(
                    producer=PRODUCER,
                    question_source=origin.question_source,
                    training_consent=origin.training_consent,
                    licence=origin.licence,
                    episode=origin.episode,
                    index_version=self._index_version,
                ),
                duration_ms=(self._clock.monotonic() - started) * 1000,
            )
        )


def _messages(question: Question) -> tuple[Message, ...]:
    messages = [Message(role="system", content=DIRECT_SYSTEM)]
    for turn in question.history:
        messages.append(Message(role="user", content=neutral(turn.question)))
        messages.append(Message(role="assistant", content=neutral(turn.answer)))
    return (*messages, Message(role="user", content=neutral(question.text)))


def _verdicts(completion: Completion, rollout_id: RolloutId) -> tuple[Verdict, ...]:
    """The gate's word on each whole sentence: without evidence it can only be no."""
    splitter = SentenceSplitter()
    drafts = splitter.feed(completion.text)
    rest = splitter.close()
    gate = AnswerGate(EvidenceBook(rollout_id))
    # A sentence cut off by the token limit may have lost its condition; nor does repeating one add to an answer.
    whole = [*drafts, *(rest if completion.finish_reason != "length" else ())]
    once = {(draft.text, draft.keys): draft for draft in reversed(whole)}
    return tuple(gate.check(draft) for draft in reversed(once.values()))
