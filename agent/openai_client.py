"""The model client for any OpenAI-compatible server, vLLM first.

Asks for token ids, which vLLM gives and other servers ignore; what a server does not report is None.
Retries are not made here: one policy elsewhere decides them. Every failure becomes one `ModelError`
at this boundary, and messages never carry prompt or reply text.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.chat_completion_token_logprob import ChatCompletionTokenLogprob
from openai.types.completion_usage import CompletionUsage

from agent.client import Completion, CompletionRequest, Message, ModelIdentity, TextDelta, TokenLogprob, Usage
from agent.errors import (
    ModelNonsenseError,
    ModelStatusError,
    ModelStreamBrokenError,
    ModelTimeoutError,
    ModelUnavailableError,
)

#: Tokens that a grammar forbids are reported with a huge negative value; they are not alternatives.
_FORBIDDEN_LOGPROB = -1000.0
#: A chat completion of this size is not an answer; a server that sends more is talking nonsense.
_MAX_REPLY_CHARS = 200_000
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
        """`extra` holds fields for every request that only this server knows, such as vLLM's `cache_salt`."""
        self._identity = identity
        self._extra = {**(extra or {}), "return_token_ids": True}
        # OPENAI_LOG=debug would write whole request bodies, and those hold what a clinician typed.
        logging.getLogger("openai").setLevel(logging.WARNING)
        self._client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0, http_client=http_client)
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
                await self._client.models.list(timeout=2.0)
        except (ModelUnavailableError, ModelTimeoutError, ModelStatusError, ModelNonsenseError):
            return False
        return True

    async def complete(self, request: CompletionRequest, timeout_s: float) -> Completion:
        started = time.monotonic()
        with _model_boundary():
            # The SDK's timeout is per read; this one bounds the whole call.
            async with asyncio.timeout(timeout_s):
                arguments = self._arguments(request, timeout_s)
                if lean := await self._lean(request):
                    arguments["logit_bias"] = lean
                response = await self._client.chat.completions.create(**arguments, stream=False)
        return _completion(response, (time.monotonic() - started) * 1000)

    async def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        started = time.monotonic()
        reply = _StreamedReply(started)
        with _model_boundary():
            async with asyncio.timeout(timeout_s):
                stream = await self._client.chat.completions.create(
                    **self._arguments(request, timeout_s), stream=True, stream_options={"include_usage": True}
                )
        try:
            chunks = aiter(stream)
            while True:
                left = timeout_s - (time.monotonic() - started)
                with _model_boundary(streaming=True):
                    # Bounded per piece, outside the yield: a slow reader must not count as a slow model.
                    async with asyncio.timeout(max(left, 0.0)):
                        chunk = await anext(chunks, None)
                    # Built inside the boundary: text a record refuses (half a surrogate pair) is nonsense too.
                    text = reply.add(chunk) if chunk is not None else ""
                    delta = TextDelta(text=text) if text else None
                if chunk is None:
                    break
                if delta is not None:
                    yield delta
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
                reply = await self._client.post(address, cast_to=object, body=body)
                tokens[text] = [int(id) for id in reply["tokens"]]  # type: ignore[index]
            except openai.APIStatusError as error:
                if error.status_code not in _NO_SUCH_ROUTE:
                    raise  # it may have the route and be busy: to forget the lean for good would be silent
                return {}
            except (ValueError, TypeError, KeyError):
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


class _StreamedReply:
    """Collects the chunks of one stream."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._text: list[str] = []
        self._chars = 0
        self._token_ids: list[int] | None = None
        self._prompt_token_ids: tuple[int, ...] | None = None
        self._usage = Usage()
        self._finish_reason: str | None = None
        self._ttft_ms: float | None = None

    def add(self, chunk: ChatCompletionChunk) -> str:
        """Take a chunk in and return its text."""
        self._prompt_token_ids = _ids(chunk, "prompt_token_ids") or self._prompt_token_ids
        if chunk.usage is not None:
            self._usage = _usage(chunk.usage)
        if not chunk.choices:
            return ""
        choice = chunk.choices[0]
        ids = _ids(choice, "token_ids")
        if ids is not None:
            self._token_ids = [*(self._token_ids or []), *ids]
        self._finish_reason = choice.finish_reason or self._finish_reason
        text = _unicode(choice.delta.content or "")
        if text and self._ttft_ms is None:
            self._ttft_ms = (time.monotonic() - self._started) * 1000
        self._text.append(text)
        self._chars += len(text)
        if self._chars > _MAX_REPLY_CHARS:
            raise ModelStreamBrokenError("the model server sends more text than any answer has")
        return text

    def completion(self) -> Completion:
        """The whole reply. Raises ModelStreamBrokenError when the stream ended early."""
        if self._finish_reason is None:
            raise ModelStreamBrokenError("the stream ended without a finish reason")
        return Completion(
            text="".join(self._text),
            finish_reason=self._finish_reason,
            prompt_token_ids=self._prompt_token_ids,
            token_ids=tuple(self._token_ids) if self._token_ids is not None else None,
            usage=self._usage,
            ttft_ms=self._ttft_ms,
            total_ms=(time.monotonic() - self._started) * 1000,
        )


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
    except (openai.OpenAIError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        # Not the API: an HTML page, a half JSON object, a reply without choices. The SDK parses loosely,
        # so wrong shapes surface as ordinary Python errors here and nowhere else.
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


def _completion(response: ChatCompletion, total_ms: float) -> Completion:
    with _model_boundary():
        choice = response.choices[0]
        content = choice.logprobs.content if choice.logprobs else None
        return Completion(
            text=_unicode(choice.message.content or ""),
            finish_reason=choice.finish_reason,
            prompt_token_ids=_ids(response, "prompt_token_ids"),
            token_ids=_ids(choice, "token_ids"),
            logprobs=_logprobs(content) if content is not None else None,
            usage=_usage(response.usage) if response.usage else Usage(),
            total_ms=total_ms,
        )


def _unicode(text: str) -> str:
    """The text; raises ValueError for half a surrogate pair, which no record can hold."""
    text.encode()
    return text


def _ids(holder: object, name: str) -> tuple[int, ...] | None:
    """vLLM's own fields arrive as extras the SDK keeps without a type."""
    value = (getattr(holder, "model_extra", None) or {}).get(name)
    return tuple(int(item) for item in value) if isinstance(value, list) else None


def _usage(usage: CompletionUsage) -> Usage:
    details = usage.prompt_tokens_details
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=details.cached_tokens if details else None,
        completion_tokens=usage.completion_tokens,
    )


def _logprobs(content: Sequence[ChatCompletionTokenLogprob]) -> tuple[TokenLogprob, ...] | None:
    if not all(math.isfinite(item.logprob) for item in content):
        return None  # a record could not hold them, and half a list would shift every token after the gap
    return tuple(
        TokenLogprob(
            token=item.token,
            logprob=item.logprob,
            top=tuple((top.token, top.logprob) for top in item.top_logprobs if top.logprob > _FORBIDDEN_LOGPROB),
        )
        for item in content
    )
