"""The answer step: a streamed call in plain text, gated sentence by sentence as it arrives."""

from __future__ import annotations

import asyncio
from typing import Literal

from agent import spans
from agent.answer import Sentence
from agent.client import Completion, CompletionRequest, Message, TextDelta
from agent.errors import ModelError, ModelStreamBrokenError
from agent.events import SentenceEvent, WithheldEvent
from agent.gate import AnswerGate, WithheldReason
from agent.prompts import neutral
from agent.quoting import Quoted, grammar
from agent.retry import RetryingCaller
from agent.rollout import RolloutStep
from agent.run import Run
from agent.sentences import DraftSentence, SentenceSplitter


async def write_answer(
    run: Run, line: str, kind: Literal["answer", "reword"], quoted: Quoted
) -> tuple[tuple[Sentence, ...], ModelError | None]:
    """Have the model write, and send on only what the gate lets through.

    `quoted` is what may be quoted, where the answer is made of quotations. Returns the sentences shown and the error
    that cut the writing short, if any. Only the time before the first piece of text is retried: a second attempt after
    that could contradict what was shown.
    """
    run.messages.append(Message(role="user", content=line))
    request = CompletionRequest(
        messages=tuple(run.messages),
        max_tokens=run.settings.answer_max_tokens,
        temperature=run.settings.temperature,
        seed=run.settings.seed,
        grammar=grammar(quoted) if run.settings.quote else None,
    )
    writer = _Writer(run, AnswerGate(run.book, entailment=run.second_opinion))
    timeout = min(run.settings.call_timeout_s, max(run.spending.remaining_s, 0.001))
    attempts = 0

    async def attempt(left: float) -> Completion:
        nonlocal attempts
        attempts += 1
        async for item in run.client.stream(request, left):
            if isinstance(item, Completion):
                return item
            await writer.take(item)
        raise ModelStreamBrokenError("the stream ended without a finish reason")

    async def guarded(left: float) -> Completion:
        try:
            return await attempt(left)
        except ModelError as error:
            if writer.started and error.retryable:
                raise ModelStreamBrokenError("the model stopped in the middle of its answer") from error
            raise

    failure: ModelError | None = None
    completion: Completion | None = None
    with spans.span(spans.ANSWER, **{spans.MODEL: run.client.identity.model}) as span:
        try:
            finished, attempts = await RetryingCaller(run.clock, run.settings.attempts).call(guarded, timeout)
            completion = finished
            spans.set_usage(span, finished.usage)
        except ModelError as error:
            failure = error
            span.set_attribute("error.type", error.code)
    # A sentence cut off by a broken stream or the token limit may have lost its condition: not shown.
    await writer.finish(complete=failure is None and completion is not None and completion.finish_reason != "length")
    _record(run, kind, request, completion, writer.text, attempts)
    return tuple(writer.shown), failure


class _Writer:
    """Turns pieces of text into verified sentences and their events."""

    def __init__(self, run: Run, gate: AnswerGate) -> None:
        self._run = run
        self._gate = gate
        self._splitter = SentenceSplitter()
        self._pieces: list[str] = []
        self._judged: set[tuple[str, tuple[str, ...]]] = set()
        self.shown: list[Sentence] = []

    @property
    def started(self) -> bool:
        return bool(self._pieces)

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    async def take(self, delta: TextDelta) -> None:
        self._pieces.append(delta.text)
        for draft in self._splitter.feed(delta.text):
            await self._judge(draft)

    async def finish(self, *, complete: bool) -> None:
        rest = self._splitter.close()
        for draft in rest if complete else ():
            await self._judge(draft)

    async def _judge(self, draft: DraftSentence) -> None:
        said_before = (draft.text, draft.keys) in self._judged or any(s.text == draft.text for s in self.shown)
        if said_before:
            return  # a model that repeats itself adds nothing, and may do so without end
        self._judged.add((draft.text, draft.keys))
        with spans.span(spans.GATE) as span:
            # A scorer takes tens of milliseconds, which other runs need not wait for.
            asks = self._run.second_opinion is not None
            verdict = await asyncio.to_thread(self._gate.check, draft) if asks else self._gate.check(draft)
            # All before the first is sent: a slow reader gives time to withdraw the others.
            cited = [item for key in verdict.keys if (item := self._run.book.resolve(key)) is not None]
            if verdict.shown and len(cited) < len(verdict.keys):
                verdict = verdict.model_copy(update={"shown": False, "reason": WithheldReason.UNKNOWN_KEY})
            elif verdict.shown and not all(self._run.fits(item) for item in cited):
                verdict = verdict.model_copy(update={"shown": False, "reason": WithheldReason.NOT_FOR_PATIENT})
            span.set_attribute(spans.SHOWN, verdict.shown)
        self._run.verdicts.append(verdict)
        if not verdict.shown:
            if verdict.reason is not None:
                await self._run.send(WithheldEvent(reason=verdict.reason))
            return
        numbers = [(await self._run.cite(evidence)).number for evidence in cited]
        sentence = Sentence(text=verdict.text, citations=tuple(numbers))
        self.shown.append(sentence)
        await self._run.send(SentenceEvent(sentence=sentence))


def _record(
    run: Run,
    kind: Literal["answer", "reword"],
    request: CompletionRequest,
    completion: Completion | None,
    text: str,
    attempts: int,
) -> None:
    if completion is not None:
        run.spending.add(completion.usage)
        run.steps.append(
            RolloutStep.of(
                completion, i=len(run.steps), kind=kind, prompt_messages=len(request.messages), attempts=attempts
            )
        )
    if completion is not None or text:
        run.messages.append(Message(role="assistant", content=neutral(completion.text if completion else text)))
