"""A model server in every state it can be in: each becomes one typed error, or the record of a reply."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from agent import OpenAIModelClient
from agent.actions import ActionKind
from agent.client import Completion, CompletionRequest, Message, ModelIdentity, TextDelta
from agent.errors import (
    ModelError,
    ModelNonsenseError,
    ModelStatusError,
    ModelStreamBrokenError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from agent.probabilities import action_probabilities

REQUEST = CompletionRequest(
    messages=(Message(role="system", content="s"), Message(role="user", content="secret question")),
    max_tokens=32,
    json_schema={"type": "object"},
    top_logprobs=20,
    seed=7,
)
Respond = Callable[["Server", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A tiny HTTP server on loopback whose bytes each test decides."""

    respond: Respond
    bodies: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    busy: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy.add(asyncio.create_task(self.handle(reader, writer)))

    async def stop(self) -> None:
        for task in self.busy:
            task.cancel()
        await asyncio.gather(*self.busy, return_exceptions=True)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            if length:
                self.bodies.append(json.loads(await reader.readexactly(length)))
            await self.respond(self, writer)
            await writer.drain()


def whole(body: str | bytes, status: int = 200, headers: str = "content-type: application/json\r\n") -> Respond:
    """Respond with one complete HTTP message."""
    data = body.encode() if isinstance(body, str) else body

    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"HTTP/1.1 {status} X\r\n{headers}content-length: {len(data)}\r\nconnection: close\r\n\r\n".encode()
        )
        writer.write(data)

    return respond


def streamed(*chunks: str, then_wait_s: float = 0.0, done: bool = True) -> Respond:
    """Respond with server-sent events; the connection closes afterwards."""

    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for chunk in chunks:
            writer.write(f"data: {chunk}\n\n".encode())
            await writer.drain()
        if done:
            writer.write(b"data: [DONE]\n\n")
        if then_wait_s:
            await writer.drain()
            await asyncio.sleep(then_wait_s)

    return respond


@contextlib.asynccontextmanager
async def connected(respond: Respond) -> AsyncIterator[tuple[OpenAIModelClient, Server]]:
    server = Server(respond)
    listener = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    client = OpenAIModelClient(f"http://127.0.0.1:{server.port}/v1", ModelIdentity(model="small", adapter=None))
    try:
        yield client, server
    finally:
        await client.close()
        listener.close()
        await server.stop()


def reply(content: str = '{"action": "search"}', **extra: Any) -> str:
    """A chat completion with the fields vLLM sends when asked for token ids."""
    top = [
        {"token": "search", "logprob": -0.1, "bytes": None},
        {"token": "answer", "logprob": -2.4, "bytes": None},
        {"token": "zzz", "logprob": -9999.0, "bytes": None},
    ]
    logprobs = [
        {"token": '{"action": "', "logprob": 0.0, "bytes": None, "top_logprobs": []},
        {"token": "search", "logprob": -0.1, "bytes": None, "top_logprobs": top},
        {"token": '"}', "logprob": 0.0, "bytes": None, "top_logprobs": []},
    ]
    body = {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "small",
        "system_fingerprint": "vllm-0.32.0",
        "prompt_token_ids": [1, 5, 9],
        "prompt_text": None,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content},
                "finish_reason": "stop",
                "stop_reason": None,
                "token_ids": [11, 12, 2],
                "logprobs": {"content": logprobs},
            }
        ],
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 3,
            "total_tokens": 6,
            "prompt_tokens_details": {"cached_tokens": 128},
        },
    }
    return json.dumps(body | extra)


def chunk(content: str | None = None, *, finish: str | None = None, ids: list[int] | None = None, **top: Any) -> str:
    delta: dict[str, Any] = {} if content is None else {"content": content}
    choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": finish}
    if ids is not None:
        choice["token_ids"] = ids
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "small", "choices": [choice]}
    return json.dumps(base | top)


STREAM = (
    chunk("", prompt_token_ids=[1, 5, 9]),
    chunk("Give", ids=[21]),
    chunk(" 100 mg", ids=[22, 23]),
    chunk("", finish="stop", ids=[2]),
    chunk(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}),
)


async def collect(client: OpenAIModelClient, timeout_s: float = 5) -> tuple[str, Completion | None, ModelError | None]:
    """The text that arrived, the completion and the error of a stream."""
    text, completion, error = "", None, None
    try:
        async for item in client.stream(REQUEST, timeout_s):
            if isinstance(item, TextDelta):
                assert completion is None, "text after the completion"
                text += item.text
            else:
                completion = item
    except ModelError as caught:
        error = caught
    return text, completion, error


async def test_a_reply_keeps_what_training_needs() -> None:
    """Invariant 2: prompt and sampled token ids, the end token included, as the server reports them."""
    async with connected(whole(reply())) as (client, server):
        completion = await client.complete(REQUEST, 5)
    assert completion.text == '{"action": "search"}'
    assert completion.finish_reason == "stop"
    assert completion.prompt_token_ids == (1, 5, 9)
    assert completion.token_ids == (11, 12, 2)
    assert (completion.usage.prompt_tokens, completion.usage.cached_tokens, completion.usage.completion_tokens) == (
        3,
        128,
        3,
    )
    assert completion.logprobs is not None
    assert len(completion.logprobs) == len(completion.token_ids)
    assert ("zzz", -9999.0) not in completion.logprobs[1].top, "forbidden tokens are no alternatives"
    found = action_probabilities(completion.logprobs, (ActionKind.SEARCH, ActionKind.ANSWER))
    assert found is not None
    assert found.raw[ActionKind.SEARCH] == pytest.approx(0.905, abs=0.001)
    (body,) = server.bodies
    assert body["return_token_ids"] is True
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert (body["seed"], body["top_logprobs"], body["max_tokens"], body["stream"]) == (7, 20, 32, False)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


async def test_a_grammar_goes_to_the_server_beside_the_request_for_token_ids() -> None:
    """Without it the model writes freely, and most of what a small one writes is withheld."""
    async with connected(whole(reply())) as (client, server):
        await client.complete(REQUEST.model_copy(update={"json_schema": None, "grammar": 'root ::= "a"'}), 5)
        await client.complete(REQUEST, 5)
    first, second = server.bodies
    assert first["structured_outputs"] == {"grammar": 'root ::= "a"'}
    assert first["return_token_ids"] is True
    assert "response_format" not in first
    assert "structured_outputs" not in second


LEANING = REQUEST.model_copy(update={"lean": {'{"action": "answer': 0.0, '{"action": "decline': 1.5}})


async def test_a_lean_is_put_on_the_token_that_tells_the_replies_apart() -> None:
    cut = {'{"action": "answer': [7, 8, 21], '{"action": "decline': [7, 8, 33, 34]}

    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        body = server.bodies[-1]
        text = json.dumps({"tokens": cut[body["prompt"]]}) if "prompt" in body else reply()
        await whole(text)(server, writer)

    async with connected(respond) as (client, server):
        await client.complete(LEANING, 5)
        await client.complete(LEANING, 5)
        await client.complete(REQUEST, 5)
    asked = [body for body in server.bodies if "messages" in body]
    assert [body.get("logit_bias") for body in asked] == [{"33": 1.5}, {"33": 1.5}, None]
    assert len(server.bodies) == 5, "how text is cut is asked once"


async def test_a_server_that_cuts_no_text_is_asked_without_a_lean() -> None:
    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        await whole(*(("no such route", 404) if "prompt" in server.bodies[-1] else (reply(),)))(server, writer)

    async with connected(respond) as (client, server):
        completion = await client.complete(LEANING, 5)
    assert completion.text == '{"action": "search"}'
    assert "logit_bias" not in server.bodies[-1]


async def test_a_server_that_is_busy_when_it_is_asked_how_it_cuts_text_is_asked_again() -> None:
    """Else one moment under load would switch caution off until the next start."""
    busy = [True]
    cut = {'{"action": "answer': [7, 21], '{"action": "decline': [7, 33]}

    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        body = server.bodies[-1]
        if "prompt" in body and busy and busy.pop():
            await whole("busy", 503)(server, writer)
        else:
            text = json.dumps({"tokens": cut[body["prompt"]]}) if "prompt" in body else reply()
            await whole(text)(server, writer)

    async with connected(respond) as (client, server):
        with pytest.raises(ModelStatusError):
            await client.complete(LEANING, 5)
        await client.complete(LEANING, 5)
    assert server.bodies[-1]["logit_bias"] == {"33": 1.5}


async def test_what_a_server_does_not_report_is_none_invariant_6() -> None:
    plain = json.loads(reply())
    plain.pop("prompt_token_ids")
    plain.pop("usage")
    plain["choices"][0].pop("token_ids")
    plain["choices"][0].pop("logprobs")
    async with connected(whole(json.dumps(plain))) as (client, _):
        completion = await client.complete(REQUEST, 5)
    assert completion.prompt_token_ids is None
    assert completion.token_ids is None
    assert completion.logprobs is None
    assert completion.usage.prompt_tokens is None


async def test_logprobs_a_record_cannot_hold_are_none() -> None:
    """-Infinity would be written as null and the journal could not be read again."""
    async with connected(whole(reply().replace('"logprob": -0.1', '"logprob": -Infinity'))) as (client, _):
        completion = await client.complete(REQUEST, 5)
    assert completion.logprobs is None
    assert completion.token_ids == (11, 12, 2)


async def test_an_adapter_merged_into_the_weights_is_asked_for_by_the_name_it_is_served_under() -> None:
    async with connected(whole(reply())) as (_, server):
        identity = ModelIdentity(model="small", adapter="dpo@0123", served_as="small")
        merged = OpenAIModelClient(f"http://127.0.0.1:{server.port}/v1", identity)
        await merged.complete(REQUEST, 5)
        await merged.close()
    assert [body["model"] for body in server.bodies] == ["small"]


async def test_an_adapter_is_a_request_field_invariant_4() -> None:
    async with connected(whole(reply())) as (client, server):
        adapted = OpenAIModelClient(
            f"http://127.0.0.1:{server.port}/v1", ModelIdentity(model="small", adapter="clinical-v2")
        )
        await adapted.complete(REQUEST, 5)
        await adapted.close()
        await client.complete(REQUEST, 5)
    assert [body["model"] for body in server.bodies] == ["clinical-v2", "small"]


async def test_a_stream_gives_text_as_it_comes_and_then_the_whole_record() -> None:
    async with connected(streamed(*STREAM)) as (client, server):
        text, completion, error = await collect(client)
    assert error is None
    assert text == "Give 100 mg"
    assert completion is not None
    assert completion.text == text
    assert completion.prompt_token_ids == (1, 5, 9)
    assert completion.token_ids == (21, 22, 23, 2)
    assert completion.finish_reason == "stop"
    assert completion.usage.completion_tokens == 4
    assert completion.ttft_ms is not None
    assert 0 <= completion.ttft_ms <= completion.total_ms
    assert server.bodies[0]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("status", [400, 404, 422, 429, 500, 503])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_http_error_is_a_status_error(status: int, stream: bool) -> None:
    async with connected(whole('{"error": {"message": "secret question"}}', status)) as (client, server):
        if stream:
            error = (await collect(client))[2]
        else:
            with pytest.raises(ModelStatusError) as caught:
                await client.complete(REQUEST, 5)
            error = caught.value
    assert isinstance(error, ModelStatusError)
    assert error.status == status
    assert error.retryable is (status in (429, 500, 503))
    assert "secret" not in str(error), "a server's message may repeat the prompt"
    assert len(server.bodies) == 1, "retries are decided elsewhere"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("9999", 30.0), ("-3", 0.0), ("nan", None), ("inf", None), ("Wed, 21 Oct 2026", None)],
)
async def test_the_pause_a_busy_server_asks_for(header: str, seconds: float | None) -> None:
    async with connected(whole("{}", 429, f"retry-after: {header}\r\n")) as (client, _):
        with pytest.raises(ModelStatusError) as caught:
            await client.complete(REQUEST, 5)
    assert caught.value.retry_after_s == seconds


@pytest.mark.parametrize(
    "respond",
    [
        whole("<html><body>Proxy login</body></html>", headers="content-type: text/html\r\n"),
        whole("<html>", headers="content-type: application/json\r\n"),
        whole(reply()[:80]),
        whole(""),
        whole("null"),
        whole("[]"),
        whole('"hello"'),
        whole("{}"),
        whole('{"choices": []}'),
        whole('{"choices": [null]}'),
        whole('{"choices": "many"}'),
        whole('{"choices": [{"message": null}]}'),
        whole('{"choices": [{"index": 0, "message": {"content": 5}, "finish_reason": "stop"}]}'),
        whole(reply(content="\ud800")),
        whole(reply(prompt_token_ids=["x", {}])),
        whole(b"\xff\xfe\x00"),
    ],
    ids=range(16),
)
async def test_a_reply_that_is_no_chat_completion_is_nonsense(respond: Respond) -> None:
    async with connected(respond) as (client, _):
        with pytest.raises(ModelNonsenseError) as caught:
            await client.complete(REQUEST, 5)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("respond", "text"),
    [
        (streamed(*STREAM[:3], done=False), "Give 100 mg"),
        (streamed(*STREAM[:3]), "Give 100 mg"),
        (streamed(), ""),
        (whole("<html>", headers="content-type: text/html\r\n"), ""),
        (streamed(*STREAM[:2], '{"error": {"message": "out of memory"}}'), "Give"),
        (streamed(*STREAM[:2], '{"id": "c1", "choi'), "Give"),
        (streamed(*STREAM[:2], "null"), "Give"),
        (streamed(*STREAM[:2], chunk("\ud800")), "Give"),
        (streamed(*STREAM[:1], *[chunk("x" * 500)] * 9), "x" * 2_000),
    ],
    ids=range(9),
)
async def test_a_stream_that_breaks_is_one_typed_error_after_what_had_arrived(respond: Respond, text: str) -> None:
    async with connected(respond) as (client, _):
        arrived, completion, error = await collect(client)
    assert arrived == text
    assert completion is None
    assert isinstance(error, ModelStreamBrokenError | ModelNonsenseError)
    assert not error.retryable, "text may have been shown already"


async def test_a_body_shorter_than_announced_is_a_broken_connection() -> None:
    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{")

    async with connected(respond) as (client, _):
        with pytest.raises(ModelUnavailableError):
            await client.complete(REQUEST, 5)


async def test_a_connection_closed_without_a_reply_is_unavailable() -> None:
    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with connected(respond) as (client, _):
        with pytest.raises(ModelUnavailableError):
            await client.complete(REQUEST, 5)
        assert isinstance((await collect(client))[2], ModelUnavailableError)


async def test_nothing_listening_is_unavailable_and_not_ready() -> None:
    async with connected(whole("{}")) as (_, server):
        port = server.port
    client = OpenAIModelClient(f"http://127.0.0.1:{port}/v1", ModelIdentity(model="small"))
    with pytest.raises(ModelUnavailableError):
        await client.complete(REQUEST, 5)
    assert isinstance((await collect(client))[2], ModelUnavailableError)
    assert not await client.ready()
    await client.close()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_server_that_never_replies_ends_at_the_deadline(stream: bool) -> None:
    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2)

    async with connected(respond) as (client, _):
        started = asyncio.get_running_loop().time()
        if stream:
            assert isinstance((await collect(client, 0.2))[2], ModelTimeoutError)
        else:
            with pytest.raises(ModelTimeoutError):
                await client.complete(REQUEST, 0.2)
        assert asyncio.get_running_loop().time() - started < 1.5


async def test_a_stream_that_never_ends_ends_at_the_deadline() -> None:
    """Every piece comes in time; only the whole is too long."""

    async def respond(server: Server, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for _ in range(200):
            writer.write(f"data: {chunk('word ')}\n\n".encode())
            await writer.drain()
            await asyncio.sleep(0.02)

    async with connected(respond) as (client, _):
        started = asyncio.get_running_loop().time()
        text, completion, error = await collect(client, 0.3)
        assert asyncio.get_running_loop().time() - started < 1.5
    assert text.startswith("word word")
    assert completion is None
    assert isinstance(error, ModelTimeoutError)


async def test_a_server_that_falls_silent_in_mid_stream_ends_at_the_deadline() -> None:
    async with connected(streamed(*STREAM[:2], then_wait_s=2, done=False)) as (client, _):
        text, _, error = await collect(client, 0.3)
    assert text == "Give"
    assert isinstance(error, ModelTimeoutError)


async def test_ready_means_that_models_are_listed() -> None:
    async with connected(whole('{"object": "list", "data": [{"id": "small", "object": "model"}]}')) as (client, _):
        assert await client.ready()
    async with connected(whole("{}", 503)) as (client, _):
        assert not await client.ready()
