"""The batch itself: a fixed number of runs in flight over a stream of tasks, until nothing is owed.

Workers take the next owed asking when they are free, so the model server always has `concurrency` runs to
work on and memory does not grow with the file. A server that goes away is waited for; runs it lost are
made again. Everything a kill can interrupt is either a finished line of the journal or owed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.batch.errors import BatchError, TaskError
from agent.batch.ledger import Ledger
from agent.batch.sink import BatchSink
from agent.batch.summary import BatchSummary
from agent.batch.tasks import BadLine, BatchTask
from agent.client import ModelClient
from agent.clock import Clock, SystemClock
from agent.origin import Origin
from agent.question import Question
from agent.rollout import Rollout, RolloutId, new_rollout_id
from retrieval.documents import sha256_of

#: Runs lost to an outage before an asking is left for the next call: its prompt may be what brings the server down.
_MAX_OUTAGES = 3
#: Bad lines kept for the summary; the rest are counted by the last one's number.
_MAX_BAD_LINES = 1_000
_LONGEST_PAUSE_S = 5.0
#: Turns of one episode.
_MAX_TURNS = 4


class Asker(Protocol):
    """What a batch asks: the service's agent, or anything else that hands its runs to the batch's sink."""

    async def ask(self, question: Question, *, origin: Origin, rollout_id: RolloutId) -> object:
        """Carry one question through; its run is in the sink before this returns."""
        ...


#: From a task, the question just asked and its run: the next question of the episode, or None where it is over.
FollowUp = Callable[[BatchTask, Question, Rollout], Question | None]


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How much and how fast."""

    repetitions: int = 1
    #: Runs in flight.
    concurrency: int = 32
    #: Sampling seeds derive from this, the task and the repetition.
    seed: int = 0
    #: How long a server may stay away before the batch stops, seconds.
    max_outage_s: float = 120.0

    def __post_init__(self) -> None:
        if self.repetitions < 1 or self.concurrency < 1:
            raise BatchError("Repetitions and concurrency are at least 1.")


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Askings settled so far (made now, or there before) and sampled tokens of this call."""

    settled: int
    generated: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class _Asking:
    task: BatchTask
    rep: int


class _Supply:
    """The owed askings, one at a time, counted as they pass."""

    def __init__(self, tasks: Iterable[BatchTask | BadLine], ledger: Ledger, repetitions: int) -> None:
        self._tasks = tasks
        self._ledger = ledger
        self._repetitions = repetitions
        self.wanted = 0
        self.done_before = 0
        self.repeated_lines = 0
        self.bad_lines: list[BadLine] = []

    def refuse(self, line: BadLine) -> None:
        """Note a line that cannot be asked, once however often it is repeated."""
        if len(self.bad_lines) < _MAX_BAD_LINES and (not self.bad_lines or self.bad_lines[-1] != line):
            self.bad_lines.append(line)

    def __iter__(self) -> Iterator[_Asking]:
        for task in self._tasks:
            if isinstance(task, BadLine):
                self.refuse(task)
                continue
            if not self._ledger.claim_line(task.key):
                self.repeated_lines += 1
                continue
            self.wanted += self._repetitions
            for rep in range(self._repetitions):
                if self._ledger.is_done(task.key, rep):
                    self.done_before += 1
                else:
                    yield _Asking(task, rep)


async def generate(
    tasks: Iterable[BatchTask | BadLine],
    agent_for: Callable[[BatchTask], Asker],
    client: ModelClient,
    sink: BatchSink,
    ledger: Ledger,
    settings: BatchSettings,
    *,
    follow_up: FollowUp | None = None,
    progress: Callable[[BatchProgress], None] | None = None,
    clock: Clock | None = None,
) -> BatchSummary:
    """Ask every owed question; `agent_for` gives the agent of a task, writing to `sink`; a `TaskError` of
    it makes that line a bad one.

    `follow_up` may go on with an episode, for example by answering a clarifying question; its turns are runs of
    their own with the same repetition. `client` is only asked whether the server is there.

    Raises:
        BatchError: the server stayed away, or the disk refused a record. What is written stays.
    """
    clock = clock or SystemClock()
    started = clock.monotonic()
    supply = _Supply(tasks, ledger, settings.repetitions)
    askings = iter(supply)
    generated = owed = 0
    waiting = asyncio.Lock()

    def report() -> None:
        if progress is not None:
            progress(BatchProgress(supply.done_before + generated, generated, sink.completion_tokens))

    async def worker() -> None:
        nonlocal generated, owed
        for asking in askings:
            try:
                agent = agent_for(asking.task)
            except TaskError as error:
                supply.refuse(BadLine(asking.task.line, str(error)))
                continue
            for _ in range(_MAX_OUTAGES):
                if await _episode(agent, asking, sink, ledger, settings.seed, follow_up):
                    generated += 1
                    break
                async with waiting:
                    await _wait_for(client, clock, settings.max_outage_s)
            else:
                owed += 1
            report()

    report()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(settings.concurrency):
                group.create_task(worker())
    except* BatchError as errors:
        raise errors.exceptions[0] from None
    return BatchSummary(
        wanted=supply.wanted,
        done_before=supply.done_before,
        generated=generated,
        owed=owed,
        repeated_lines=supply.repeated_lines,
        bad_lines=tuple(supply.bad_lines),
        stop_reasons=dict(sink.stop_reasons),
        failures=dict(sink.failures),
        searches=sink.searches,
        prompt_tokens=sink.prompt_tokens,
        completion_tokens=sink.completion_tokens,
        seconds=clock.monotonic() - started,
    )


def run_seed(base: int, task_key: str, rep: int) -> int:
    """Sampling seed of one asking, 0 .. 2**31 - 1: the same on every machine and in every order."""
    return int(sha256_of([base, task_key, rep])[:8], 16) & 0x7FFF_FFFF


async def _episode(
    agent: Asker, asking: _Asking, sink: BatchSink, ledger: Ledger, seed: int, follow_up: FollowUp | None
) -> bool:
    """Make and write one episode; False where the server was lost on the way and nothing was written."""
    question: Question | None = asking.task.question
    made: list[Rollout] = []
    while question is not None and len(made) < _MAX_TURNS:
        if made and ledger.is_done(question.task_key, asking.rep):
            break
        rollout = await _ask(agent, question, asking, sink, seed)
        if rollout is None:
            return False
        made.append(rollout)
        question = follow_up(asking.task, question, rollout) if follow_up is not None else None
    # The first turn last: it is what counts as done, so a kill between two lines leaves the episode owed.
    sink.write(made[::-1])
    return True


async def _ask(agent: Asker, question: Question, asking: _Asking, sink: BatchSink, seed: int) -> Rollout | None:
    task = asking.task
    rollout_id = new_rollout_id()
    origin = Origin(
        question_source=task.question_source,
        training_consent=task.training_consent,
        licence=task.licence,
        split=task.split,
        rep=asking.rep,
        seed=run_seed(seed, question.task_key, asking.rep),
        episode=task.key,
    )
    await agent.ask(question, origin=origin, rollout_id=rollout_id)
    return sink.collect(rollout_id)


async def _wait_for(client: ModelClient, clock: Clock, longest_s: float) -> None:
    gone_since = clock.monotonic()
    pause = 0.2
    while not await client.ready():
        if clock.monotonic() - gone_since > longest_s:
            raise BatchError(
                "The model server does not answer. Start it again; the same command goes on where this stopped."
            )
        await clock.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)
