"""The model client for any OpenAI-compatible server, vLLM first.

Asks for token ids, which vLLM gives and other servers ignore; what a server does not report is None.
Retries are not made here: one policy elsewhere decides them. Every failure becomes one `ModelError`
at this boundary, and messages never carry prompt or reply text.

A server may be broken or hostile: what it sends is bounded, it cannot send a question elsewhere, and its replies are
read by `agent.wire` instead of the SDK, which builds an object for every part of them.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletionMessageParam

from agent.cautious_http import EVENT_STREAM, cautious_client
from agent.client import Completion, CompletionRequest, Message, ModelIdentity, TextDelta
from agent.errors import (
    ModelError,
    ModelNonsenseError,
    ModelStatusError,
    ModelStreamBrokenError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from agent.event_stream import EventStreamReader
from agent.wire import StreamedReply, tokenized, whole_reply

#: Ends a stream of chat completions.
_DONE = "[DONE]"
#: How long a server may take to send the rest once it said why the text ends (token counts), seconds.
_AFTER_FINISH_S = 1.0
#: And once it said that it is done: reading to the end keeps the connection for the next call.
_AFTER_DONE_S = 0.1
#: How long it may take to say that it is ready.
_READY_S = 2.0
#: What a server that is not vLLM says of its `/tokenize`.
_NO_SUCH_ROUTE = frozenset({403, 404, 405, 501})
#: A server may ask for a longer pause; no clinician waits that long.
_LONGEST_WAIT_S = 30.0


class OpenAIModelClient:
    """Talks to `base_url` ("http://host:port/v1"). Use `close` when done."""

    def __init__(
        self,
        base_url: str,
        identity: ModelIdentity,
        *,
        api_key: str = "none",
        http_client: httpx2.AsyncClient | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """`extra` holds fields for every request that only this server knows, such as vLLM's `cache_salt`.

        An `http_client` that is given is for trusted servers: it is used as it is.
        """
        self._identity = identity
        self._extra = {**(extra or {}), "return_token_ids": True}
        # OPENAI_LOG=debug would write whole request bodies, and those hold what a clinician typed.
        logging.getLogger("openai").setLevel(logging.WARNING)
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=api_key, max_retries=0, http_client=http_client or cautious_client()
        )
        self._name = identity.served_as or identity.adapter or identity.model
        #: By the beginnings that were asked for.
        self._first_tokens: dict[tuple[str, ...], dict[str, int]] = {}

    @property
    def identity(self) -> ModelIdentity:
        return self._identity

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def ready(self) -> bool:
        """True when the server lists its models."""
        try:
            with _model_boundary():
                # The SDK's timeout is per read; this one bounds the whole call.
                async with asyncio.timeout(_READY_S):
                    listed = await self._client.get("/models", cast_to=object)
                if not (isinstance(listed, Mapping) and isinstance(listed.get("data"), list)):
                    raise ValueError("no list of models")
        except (ModelUnavailableError, ModelTimeoutError, ModelStatusError, ModelNonsenseError):
            return False
        return True

    async def complete(self, request: CompletionRequest, timeout_s: float) -> Completion:
        started = time.monotonic()
        with _model_boundary():
            async with asyncio.timeout(timeout_s):
                arguments = self._arguments(request, timeout_s)
                if lean := await self._lean(request):
                    arguments["logit_bias"] = lean
                response = await self._client.chat.completions.with_raw_response.create(**arguments, stream=False)
            return whole_reply(response.content, request, (time.monotonic() - started) * 1000)

    async def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        started = time.monotonic()
        reply = StreamedReply(request, started)
        with _model_boundary():
            async with asyncio.timeout(timeout_s):
                stream = await self._client.chat.completions.create(
                    **self._arguments(request, timeout_s),
                    stream=True,
                    stream_options={"include_usage": True},
                    extra_headers={"Accept": EVENT_STREAM},
                )
        try:
            async with aclosing(_pieces(stream.response, reply, started + timeout_s)) as pieces:
                async for text in pieces:
                    yield TextDelta(text=text)
        finally:
            await stream.close()
        with _model_boundary(streaming=True):
            completion = reply.completion()
        yield completion

    async def _lean(self, request: CompletionRequest) -> dict[str, float]:
        """`request.lean` by token id; empty where there is nothing to add or the server has no `/tokenize`."""
        if not any(request.lean.values()):
            return {}
        beginnings = tuple(sorted(request.lean))
        if beginnings not in self._first_tokens:
            self._first_tokens[beginnings] = await self._told_apart_by(beginnings)
        ids = self._first_tokens[beginnings]
        return {str(id): request.lean[text] for text, id in ids.items() if request.lean[text]}

    async def _told_apart_by(self, texts: Sequence[str]) -> dict[str, int]:
        """The token in which each text first differs from the others."""
        address = str(self._client.base_url).rstrip("/").removesuffix("/v1") + "/tokenize"
        tokens: dict[str, list[int]] = {}
        for text in texts:
            body = {"model": self._name, "prompt": text, "add_special_tokens": False}
            try:
                tokens[text] = tokenized(await self._client.post(address, cast_to=object, body=body))
            except openai.APIStatusError as error:
                if error.status_code not in _NO_SUCH_ROUTE:
                    raise  # it may have the route and be busy: to forget the lean for good would be silent
                return {}
            except ValueError:
                return {}
        at = next((at for at, same in enumerate(zip(*tokens.values(), strict=False)) if len(set(same)) > 1), None)
        return {} if at is None else {text: ids[at] for text, ids in tokens.items()}

    def _arguments(self, request: CompletionRequest, timeout_s: float) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": self._name,
            "messages": [_wire(message) for message in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "timeout": timeout_s,
            "extra_body": self._extra,
        }
        if request.seed is not None:
            arguments["seed"] = request.seed
        if request.top_logprobs:
            arguments |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        if request.json_schema is not None:
            arguments["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "action", "schema": request.json_schema, "strict": True},
            }
        if request.grammar is not None:
            # vLLM's own field: the API has none for a grammar.
            arguments["extra_body"] = {**self._extra, "structured_outputs": {"grammar": request.grammar}}
        return arguments


async def _pieces(response: httpx2.Response, reply: StreamedReply, deadline: float) -> AsyncGenerator[str]:
    """The text of a stream as it comes, up to its end, however that comes. `deadline` is a `time.monotonic`.

    Raises:
        ModelError: it breaks off, is no stream of a chat completion, or takes too long.
    """
    reader = EventStreamReader()
    received = response.aiter_bytes()
    done = False
    try:
        while True:
            with _model_boundary(streaming=True):
                # Bounded per piece, outside the yield: a slow reader must not count as a slow model.
                async with asyncio.timeout(max(deadline - time.monotonic(), 0.0)):
                    piece = await anext(received, None)
                events = reader.feed(piece) if piece and not done else []
            if piece is None:
                return
            for event in events:
                if event.data == _DONE:
                    done, deadline = True, min(deadline, time.monotonic() + _AFTER_DONE_S)
                    break
                was_finished = reply.finished
                with _model_boundary(streaming=True):
                    text = reply.add(event.data)
                if text:
                    yield text
                if reply.finished and not was_finished:
                    deadline = min(deadline, time.monotonic() + _AFTER_FINISH_S)
    except ModelError:
        if not (done or reply.finished):
            raise  # else all that was said has come


@contextmanager
def _model_boundary(*, streaming: bool = False) -> Iterator[None]:
    """Turn everything the SDK, the connection or a strange server can raise into one `ModelError`."""
    broken = ModelStreamBrokenError if streaming else ModelUnavailableError
    try:
        yield
    except (openai.APITimeoutError, TimeoutError, httpx2.TimeoutException) as error:
        raise ModelTimeoutError("the model server did not reply in time") from error
    except openai.APIStatusError as error:
        raise ModelStatusError(error.status_code, _retry_after(error)) from error
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        raise broken("the connection to the model server broke") from error
    except (openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # Not the API: an HTML page, half a JSON object or one without end, a reply without choices.
        raise ModelNonsenseError("the model server's reply is not a chat completion") from error


def _retry_after(error: openai.APIStatusError) -> float | None:
    try:
        seconds = float(error.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if math.isfinite(seconds) else None


def _wire(message: Message) -> ChatCompletionMessageParam:
    if message.role == "system":
        return {"role": "system", "content": message.content}
    if message.role == "assistant":
        return {"role": "assistant", "content": message.content}
    return {"role": "user", "content": message.content}
