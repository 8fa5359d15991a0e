"""What an OpenAI-compatible server sends, read with suspicion into the records of `agent.client`.

Only what is used is looked at, and only what can be true is believed: a token id is a small number, a probability is no
more than 1, a server cannot have sampled more tokens than it was allowed. What is optional and cannot be true counts as
not reported (None, invariant 6); what makes the text itself doubtful is a `ValueError`. Half a megabyte can hold a
hundred thousand objects, so nothing here builds an object for each part of a reply that nobody reads.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agent.client import Completion, CompletionRequest, TokenLogprob, Usage
from agent.errors import ModelStreamBrokenError

#: No text is cut into longer tokens on average, however short it is; one with more characters was not asked for.
_CHARS_A_TOKEN = 64
_LEAST_CHARS = 1000
#: Nor does what a server says of a token take more bytes; what comes before the first is the ids of a full context.
_BYTES_A_TOKEN = 4096
_BYTES_BEFORE = 2**20
#: Counted by some servers and not by others: the token that ends the turn.
_END_TOKENS = 1
#: Tokens that a grammar forbids are reported with a huge negative value; they are not alternatives.
_FORBIDDEN_LOGPROB = -1000.0
#: Log-probabilities are at most 0, but for rounding.
_ROUNDING = 0.01
#: More than any context holds; a greater number is no count.
_MOST_TOKENS = 10**9


class _Loose(BaseModel):
    """Takes no type for another, and passes over what it does not know."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


TokenIds = Annotated[list[Annotated[int, Field(ge=0, lt=2**31)]], Field(fail_fast=True)]


class _Alternative(_Loose):
    token: str
    logprob: float


class _Token(_Alternative):
    top_logprobs: list[_Alternative] | None = None


def _first_of(value: object) -> object:
    """The first choice alone: nobody asked for more."""
    return value[:1] if isinstance(value, list) else value


class _Message(_Loose):
    content: str | None = None


class _Choice(_Loose):
    index: int | None = None
    finish_reason: Annotated[str, Field(max_length=100)] | None = None
    token_ids: TokenIds | None = None


class _WholeChoice(_Choice):
    message: _Message
    logprobs: object = None


class _PieceOfChoice(_Choice):
    delta: _Message


class _Reply(_Loose):
    prompt_token_ids: TokenIds | None = None
    usage: object = None


class _Tokenized(_Loose):
    tokens: TokenIds


class _Whole(_Reply):
    choices: Annotated[list[_WholeChoice], BeforeValidator(_first_of), Field(min_length=1)]


class _Piece(_Reply):
    choices: Annotated[list[_PieceOfChoice], BeforeValidator(_first_of)] | None = None
    error: object = None


def whole_reply(body: bytes, request: CompletionRequest, total_ms: float) -> Completion:
    """A reply that came in one piece.

    Raises:
        ValueError, RecursionError: it is no chat completion, or longer than what was asked for.
    """
    reply = _Whole.model_validate(json.loads(body))
    (choice,) = reply.choices
    text = _unicode(choice.message.content or "")
    if len(text) > most_chars(request):
        raise ValueError("the reply is longer than what was asked for")
    return Completion(
        text=text,
        finish_reason=choice.finish_reason,
        prompt_token_ids=_ids(reply.prompt_token_ids),
        token_ids=_ids(choice.token_ids) if _possible(choice.token_ids, request) else None,
        logprobs=_logprobs(choice.logprobs, request),
        usage=_usage(reply.usage),
        total_ms=total_ms,
    )


def tokenized(reply: object) -> list[int]:
    """Token ids as `/tokenize` replies them. Raises ValueError: it is no such reply."""
    return _Tokenized.model_validate(reply).tokens


class StreamedReply:
    """Collects the pieces of one stream. `started` is a `time.monotonic`."""

    def __init__(self, request: CompletionRequest, started: float) -> None:
        self._request = request
        self._started = started
        self._text: list[str] = []
        self._chars = 0
        self._left = _BYTES_BEFORE + request.max_tokens * _BYTES_A_TOKEN
        self._token_ids: list[int] | None = []
        self._prompt_token_ids: tuple[int, ...] | None = None
        self._usage = Usage()
        self._finish_reason: str | None = None
        self._ttft_ms: float | None = None

    @property
    def finished(self) -> bool:
        """True once the server said why the text ends; what follows is at most a count of tokens."""
        return self._finish_reason is not None

    def add(self, data: str) -> str:
        """Take the data of an event in and return its text.

        Raises:
            ValueError, RecursionError: it is no piece of a chat completion.
            ModelStreamBrokenError: the reply is longer than what was asked for.
        """
        self._left -= len(data)
        if self._left < 0:
            raise ModelStreamBrokenError("the model server says more of its text than there is to say")
        piece = _Piece.model_validate(json.loads(data))
        if piece.error:
            raise ValueError("the server reports an error")
        self._prompt_token_ids = _ids(piece.prompt_token_ids) or self._prompt_token_ids
        if piece.usage is not None:
            self._usage = _usage(piece.usage)
        if self.finished or not piece.choices:
            return ""
        choice = piece.choices[0]
        if choice.index:
            return ""  # of another reply to the same prompt, which nobody asked for
        text = _unicode(choice.delta.content or "")
        self._chars += len(text)
        if self._chars > most_chars(self._request):
            raise ModelStreamBrokenError("the model server sends more text than it was asked for")
        self._add_ids(choice.token_ids, text)
        self._finish_reason = choice.finish_reason
        if text:
            self._text.append(text)
            self._ttft_ms = self._ttft_ms or (time.monotonic() - self._started) * 1000
        return text

    def _add_ids(self, ids: list[int] | None, text: str) -> None:
        """Ids of a part of the text are ids of nothing, so they count only where every piece has its own."""
        if self._token_ids is None or (ids is None and not text):
            return
        together = None if ids is None else [*self._token_ids, *ids]
        self._token_ids = together if _possible(together, self._request) else None

    def completion(self) -> Completion:
        """The whole reply. Raises ModelStreamBrokenError when the stream ended early."""
        if not self.finished:
            raise ModelStreamBrokenError("the stream ended without a finish reason")
        return Completion(
            text="".join(self._text),
            finish_reason=self._finish_reason,
            prompt_token_ids=self._prompt_token_ids,
            token_ids=_ids(self._token_ids or None),
            usage=self._usage,
            ttft_ms=self._ttft_ms,
            total_ms=(time.monotonic() - self._started) * 1000,
        )


def most_chars(request: CompletionRequest) -> int:
    """Longest text that can be a reply to this request, characters."""
    return max(_LEAST_CHARS, request.max_tokens * _CHARS_A_TOKEN)


def _possible(sampled: list[int] | None, request: CompletionRequest) -> bool:
    return sampled is not None and len(sampled) <= request.max_tokens + _END_TOKENS


def _ids(ids: list[int] | None) -> tuple[int, ...] | None:
    return None if ids is None else tuple(ids)


def _unicode(text: str) -> str:
    """The text; raises ValueError for half a surrogate pair, which no record can hold."""
    text.encode()
    return text


def _usage(usage: object) -> Usage:
    if not isinstance(usage, Mapping):
        return Usage()
    details = usage.get("prompt_tokens_details")
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        cached_tokens=_count(details.get("cached_tokens")) if isinstance(details, Mapping) else None,
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def _logprobs(value: object, request: CompletionRequest) -> tuple[TokenLogprob, ...] | None:
    """None where any of them cannot be: half a list would shift every token after the gap."""
    content = value.get("content") if isinstance(value, Mapping) else None
    if not isinstance(content, list) or len(content) > request.max_tokens + _END_TOKENS:
        return None
    tokens = [_Token.model_validate(item) for item in content]
    if not all(_is_logprob(item.logprob) for item in tokens):
        return None
    return tuple(
        TokenLogprob(
            token=item.token,
            logprob=item.logprob,
            top=tuple(
                (top.token, top.logprob)
                for top in item.top_logprobs or ()
                if _is_logprob(top.logprob) and top.logprob > _FORBIDDEN_LOGPROB
            ),
        )
        for item in tokens
    )


def _is_logprob(value: float) -> bool:
    return math.isfinite(value) and value <= _ROUNDING
