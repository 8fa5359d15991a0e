"""The application on a free port of this machine for the official client, and models that a test holds in its hand."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import openai
import uvicorn

from agent import ClinicalAgent, Completion, CompletionRequest, MemoryJournal, ScriptedModel
from agent.client import TextDelta, Usage
from agent.scripted import ANSWER, Reply, search
from service.app import create_app
from service.container import Service

_EVIDENCE_LINE = re.compile(r"^\[([a-z]{3})\] .* \| (.*?)\.(?: |$)", re.MULTILINE)


@contextmanager
def served(service: Service) -> Iterator[str]:
    """The address of the service, which is up until the block ends."""
    config = uvicorn.Config(create_app(service), host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started, "the application did not start"
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@contextmanager
def client_of(service: Service) -> Iterator[openai.OpenAI]:
    """The official client of a service that is up until the block ends."""
    with (
        served(service) as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client


def with_model(service: Service, model: ScriptedModel) -> tuple[Service, MemoryJournal]:
    """The service with another model, and the runs it carries out, oldest first."""
    journal = MemoryJournal()
    settings = service.settings.agent_settings(trained=True)
    agent = ClinicalAgent(model, service.agent.searcher, journal, settings=settings)
    return replace(service, agent=agent), journal


def quote_everything(request: CompletionRequest) -> str:
    """Searches for both guidelines, then copies the first statement of every passage found, a line each."""
    said = "\n".join(message.content for message in request.messages)
    found = _EVIDENCE_LINE.findall(said)
    if request.json_schema is not None:
        return ANSWER if found else search("mouth twice daily")
    return "\n".join(f"{text} [{key}]." for key, text in found)


class CountedModel(ScriptedModel):
    """Reports seven prompt tokens and two sampled ones for every call."""

    @staticmethod
    def _completion(reply: Reply) -> Completion:
        made = ScriptedModel._completion(reply)
        return made.model_copy(update={"usage": Usage(prompt_tokens=7, cached_tokens=3, completion_tokens=2)})


class HeldModel(ScriptedModel):
    """Writes the first line of its answer and waits there until it is let go."""

    def __init__(self, script: Callable[[CompletionRequest], str]) -> None:
        super().__init__([script])
        self.go = threading.Event()

    async def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        completion = await self.complete(request, timeout_s)
        first, _, rest = completion.text.partition("\n")
        yield TextDelta(text=f"{first}\n")
        while not self.go.is_set():  # noqa: ASYNC110 - it is set in the test's thread
            await asyncio.sleep(0.01)
        yield TextDelta(text=rest)
        yield completion


def eventually(true: Callable[[], bool]) -> bool:
    """Whether it becomes true within five seconds."""
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.01)
    return true()
