"""Starts the parts of the product in order, keeps the model server running, and stops all of them together.

The API does not depend on the model server: while that is loading, or after it failed for good, questions
are answered with labelled search results.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass, field

from service.up.child import Child
from service.up.plan import Argv, Plan
from service.up.probe import first_call, until_answers
from service.up.screen import Screen

#: A model server that ran this long has shown that it works, so its next failure is counted from one again.
_PROVEN_S = 600.0
_QUESTION = "First-line antibiotic for an adult with uncomplicated lower urinary tract infection?"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _PartFailedError(Exception):
    """A part without which there is no product ended; the message was written for the person watching."""


async def supervise(plan: Plan, screen: Screen) -> int:
    """Run the plan until a signal asks to stop. Returns the exit code: 0 after a requested stop.

    A second signal stops the children without waiting for them.
    """
    supervisor = _Supervisor(plan, screen)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            supervisor.kill()
        stop.set()

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        return await supervisor.run(stop)
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@dataclass
class _Supervisor:
    plan: Plan
    screen: Screen
    children: list[Child] = field(default_factory=list)
    #: Parts whose log was begun by this run; the run before keeps one log, so that none grows for ever.
    logged: set[str] = field(default_factory=set)
    #: Set once the model answers, or once it is clear that it will not.
    model_settled: asyncio.Event = field(default_factory=asyncio.Event)
    model_answers: bool = False
    failed: bool = False

    async def run(self, stop: asyncio.Event) -> int:
        product = asyncio.create_task(self._product())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({product, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if product.done() and not stop.is_set():
                product.result()
            self.screen.say("Stopping...")
        except* _PartFailedError as failures:
            for failure in failures.exceptions:
                self.screen.say(str(failure))
            self.failed = True
        finally:
            for task in (product, stopping):
                task.cancel()
            await asyncio.gather(product, stopping, return_exceptions=True)
            await asyncio.gather(*(child.stop(self.plan.grace_s) for child in self.children))
        self.screen.say("Stopped.")
        return 1 if self.failed else 0

    def kill(self) -> None:
        """Do not wait any longer."""
        for child in self.children:
            child.kill()

    async def _product(self) -> None:
        for warning in self.plan.warnings:
            self.screen.say(warning)
        if self.plan.prepare is not None:
            await self._step("Preparing the model", self.plan.prepare)
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._model())
            await self._step("Indexing the guidelines", self.plan.index)
            api = self._start("api", self.plan.api)
            parts.create_task(self._api(api))
            await self._wait_for_api()
            await self._wait_for_model()
            self._announce()

    def _start(self, name: str, argv: Argv, *, to_terminal: bool = False) -> Child:
        log = None if to_terminal else self.plan.logs / f"{name}.log"
        try:
            if log is not None and name not in self.logged and log.exists():
                log.replace(log.with_suffix(".previous.log"))
            child = Child(name, argv, log)
        except OSError as error:
            raise _PartFailedError(
                f"{error.filename or log} could not be used ({error.strerror}): free some space, make it writable, or "
                "set CLINSEARCH_DATA_DIR to another folder."
            ) from error
        self.logged.add(name)
        self.children.append(child)
        return child

    async def _step(self, title: str, argv: Argv) -> None:
        """Run a program to its end; it tells its own progress and its own errors on the terminal."""
        self.screen.say(f"{title}...")
        child = self._start("step", argv, to_terminal=True)
        code = await child.wait()
        self.children.remove(child)
        if code != 0:
            raise _PartFailedError(f"{title} failed, so the product was not started.")

    async def _api(self, api: Child) -> None:
        code = await api.wait()
        raise _PartFailedError(f"The API ended with code {code}: see {api.log}.")

    async def _wait_for_api(self) -> None:
        async with self.screen.waiting("Waiting for the API"):
            await until_answers(f"{self.plan.api_url}/readyz")

    async def _wait_for_model(self) -> None:
        if self.model_settled.is_set():
            return
        self.screen.say(
            f"Questions can be asked at {self.plan.api_url}; until the model is loaded, labelled search results answer."
        )
        async with self.screen.waiting("Waiting for the model server"):
            await self.model_settled.wait()

    def _announce(self) -> None:
        without = "" if self.model_answers else ", without a model: answers are labelled search results"
        self.screen.say(f"\nclinsearch is ready at {self.plan.api_url}{without}. Ask on that page, or for example:")
        self.screen.say(
            f"  curl -s {self.plan.api_url}/v1/ask -H 'content-type: application/json' -d "
            f'\'{{"question":"{_QUESTION}"}}\''
        )
        self.screen.say(f"Logs are in {self.plan.logs}. Ctrl-C stops everything.")

    async def _model(self) -> None:
        """Keep the model server running; settle whether there is a model."""
        if self.plan.model_url is None:
            self.model_settled.set()
            return
        if self.plan.model is None:
            await self._check_model(self.plan.model_url)
            self.model_settled.set()
            return
        failures = 0
        while failures <= self.plan.restarts:
            started = time.monotonic()
            child = self._start("model", self.plan.model)
            watching = asyncio.create_task(self._watch_model(self.plan.model_url))
            try:
                code = await child.wait()
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
            child.kill()  # what the server started may outlive it and hold its memory
            self.children.remove(child)
            self.model_answers = False
            failures = 1 if time.monotonic() - started > _PROVEN_S else failures + 1
            if failures <= self.plan.restarts:
                self.screen.say(f"The model server ended with code {code} and is started again: see {child.log}.")
                await asyncio.sleep(self.plan.backoff_s * 2 ** (failures - 1))
        self.screen.say(
            f"The model server keeps failing and is left off; labelled search results answer: see {child.log}."
        )
        self.model_settled.set()

    async def _watch_model(self, url: str) -> None:
        await until_answers(f"{url}/models", self.plan.model_api_key)
        await self._check_model(url)
        if self.model_settled.is_set():
            self.screen.say("The model server is back.")
        self.model_settled.set()

    async def _check_model(self, url: str) -> None:
        probe = await first_call(url, self.plan.model_name, self.plan.model_api_key)
        self.model_answers = probe.answered
        if not probe.answered:
            self.screen.say(f"The model at {url} did not answer its first call; it is asked again with each question.")
        elif not probe.reports_token_ids:
            self.screen.say("The model server reports no token ids, so records of runs cannot be used for training.")
