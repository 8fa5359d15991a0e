"""Everybody's first word before anybody's work. If these fail, who asks together with hundreds of others sees nothing
until the work of all of them is well on its way, or a run waits for a word that will never be sent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message

from agent import ClinicalAgent, CompletionRequest, MemoryJournal, Question, ScriptedModel
from agent.policy import load_policy
from agent.scripted import ByTurn
from retrieval import HashingEncoder, memory_searcher
from service.app import create_app
from service.container import Service
from service.first_words import FirstWords
from service.sse import EventStream

from .conftest import QUESTION, ServiceFactory, corpus

PATIENCE_S = 30.0
#: Longer than any test: what waits for so long waits for ever.
FOR_EVER = 3600.0


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_runs_begin_once_nobody_waits_for_a_first_word_in_the_order_they_asked() -> None:
    words = FirstWords(FOR_EVER)
    asked = [words.expected() for _ in range(5)]
    begun: list[int] = []

    async def run(number: int) -> None:
        await asked[number].begin(True)
        begun.append(number)

    async with asyncio.timeout(PATIENCE_S):
        tasks = [asyncio.create_task(run(number)) for number in range(5)]
        for word in asked[:4]:
            word.over()
            word.over()
            await turns(20)
            assert begun == []
        asked[4].over()
        await asyncio.gather(*tasks)
    assert begun == [0, 1, 2, 3, 4]


async def test_who_comes_while_others_begin_is_heard_before_the_rest_of_them() -> None:
    words = FirstWords(FOR_EVER)
    begun: list[int] = []

    async def run(number: int) -> None:
        await words.none().begin(True)
        begun.append(number)

    async with asyncio.timeout(PATIENCE_S):
        tasks = [asyncio.create_task(run(number)) for number in range(50)]
        while not begun:
            await turns(1)
        newcomer = words.expected()
        await turns(200)
        assert len(begun) < 4
        newcomer.over()
        await asyncio.gather(*tasks)
    assert begun == list(range(50))


async def test_a_word_that_is_never_sent_holds_nobody_up_for_ever() -> None:
    words = FirstWords(0.05)
    words.expected()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(words.none().begin(True) for _ in range(5)))
    assert len(words) == 1


async def test_one_that_is_cancelled_while_it_waits_holds_nobody_up() -> None:
    words = FirstWords(FOR_EVER)
    word = words.expected()
    first, second = (asyncio.create_task(words.none().begin(True)) for _ in range(2))
    await turns(5)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    word.over()
    await asyncio.wait_for(second, PATIENCE_S)


class Client:
    """One that asks for a stream of the application itself, without a connection, and notes when it hears something."""

    def __init__(self, app: Any, heard: Callable[[], None]) -> None:
        self._app = app
        self._heard = heard
        self.body = b""

    async def ask(self, path: str = "/v1/ask", **fields: object) -> None:
        asked = json.dumps({"question": QUESTION, **fields}).encode()
        messages: list[Message] = [{"type": "http.request", "body": asked, "more_body": False}]

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Message) -> None:
            if message["type"] == "http.response.body" and message["body"]:
                if not self.body:
                    self._heard()
                self.body += message["body"]

        headers = {"host": "localhost", "accept": "text/event-stream", "content-type": "application/json"}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        await self._app(scope, receive, send)


async def test_those_who_ask_one_after_another_all_hear_something_before_any_model_is_asked(
    make_service: ServiceFactory,
) -> None:
    happened: list[str] = []
    script = ByTurn("examplicillin dose")

    def says(request: CompletionRequest) -> str:
        happened.append("worked")
        return script(request)

    app = create_app(make_service(says))
    clients = [Client(app, lambda: happened.append("heard")) for _ in range(40)]

    async def ask(number: int) -> None:
        # Nobody's request arrives in the same turn of the loop as another's.
        await turns(2 * number)
        await clients[number].ask()

    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*map(ask, range(40)))
    assert happened.count("heard") == 40
    assert happened[:40] == ["heard"] * 40
    assert all(b"event: done" in client.body for client in clients)


def waiting_for_ever(service: Service) -> Service:
    object.__setattr__(service, "first_words", FirstWords(FOR_EVER))
    return service


async def test_one_that_waits_for_a_slot_keeps_nobody_waiting(make_service: ServiceFactory) -> None:
    """Both ask in the same instant, so both are let in, and the slot of the second is the first one's."""
    service = waiting_for_ever(make_service(max_concurrent_runs=1))
    clients = [Client(create_app(service), lambda: None) for _ in range(2)]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(client.ask() for client in clients))
    assert all(b"event: done" in client.body for client in clients)
    assert len(service.first_words) == 0


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/ask", {"resumable": True}),
        (
            "/v1/chat/completions",
            {"question": None, "stream": True, "messages": [{"role": "user", "content": QUESTION}]},
        ),
    ],
)
async def test_every_way_to_ask_for_a_stream_says_when_its_first_word_is_sent(
    make_service: ServiceFactory, path: str, fields: dict[str, object]
) -> None:
    service = waiting_for_ever(make_service())
    client = Client(create_app(service), lambda: None)
    sent = {"question": QUESTION, **fields}
    async with asyncio.timeout(PATIENCE_S):
        await client.ask(path, **{name: value for name, value in sent.items() if value is not None})
    assert b"done" in client.body.lower()
    assert len(service.first_words) == 0


async def test_a_policy_that_says_nothing_beforehand_keeps_no_run_waiting() -> None:
    """Its first word comes of its work, so that it would wait for itself."""
    policy = load_policy()
    silent = {one: terms.model_copy(update={"disclaimers": ()}) for one, terms in policy.audiences.items()}
    said: list[bool] = []

    async def begin(says: bool) -> None:
        said.append(says)
        word = words.expected()
        if says:
            word.over()
        await word.begin(says)

    words = FirstWords(FOR_EVER)
    searcher = memory_searcher(corpus(), encoder=HashingEncoder())
    for terms in (policy.audiences, silent):
        agent = ClinicalAgent(
            ScriptedModel([ByTurn("examplicillin dose")]),
            searcher,
            MemoryJournal(),
            policy=policy.model_copy(update={"audiences": terms}),
        )
        await asyncio.wait_for(agent.ask(Question(text=QUESTION), begin=begin), PATIENCE_S)
    assert said == [True, False]


async def test_a_stream_that_breaks_before_its_first_word_is_not_waited_for() -> None:
    words = FirstWords(FOR_EVER)

    async def frames() -> Any:
        yield b"data: 1\n\n"

    async def send(message: Message) -> None:
        raise OSError

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    response = EventStream(frames(), first_word=words.expected())
    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}}
    with pytest.raises(OSError):  # noqa: PT011 - any of them
        await response(scope, receive, send)
    assert len(words) == 0
