"""The bytes of HTTP messages and chat completions, well formed; behaviours spoil them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping

from agent.misbehaving.behaviour import Call, CallKind, Play
from agent.misbehaving.playing import sends

JSON = "application/json"
EVENTS = "text/event-stream"
#: Characters in each piece of a streamed reply.
_PIECE_CHARS = 9


def content_type(call: Call) -> str:
    """Of what is asked for."""
    return EVENTS if call.kind is CallKind.ANSWER else JSON


def head(
    content_type: str = JSON, *, status: str = "200 OK", length: int | str | None = None, headers: Iterable[str] = ()
) -> bytes:
    """Status line and headers, up to the empty line. Without a length the body ends with the connection."""
    lines = [f"HTTP/1.1 {status}", f"content-type: {content_type}", *headers]
    if length is not None:
        lines.append(f"content-length: {length}")
    return ("\r\n".join([*lines, "connection: close"]) + "\r\n\r\n").encode("latin-1")


def whole(body: str | bytes, content_type: str = JSON, *, status: str = "200 OK", headers: Iterable[str] = ()) -> bytes:
    """A complete response."""
    data = body.encode() if isinstance(body, str) else body
    return head(content_type, status=status, length=len(data), headers=headers) + data


def completion(text: object, *, choice: Mapping[str, object] | None = None, **fields: object) -> dict[str, object]:
    """A chat completion as vLLM sends one; `choice` changes its choice and `fields` the rest."""
    whole_choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
        "logprobs": None,
        "token_ids": [11, 12, 2],
        **(choice or {}),
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "small",
        "prompt_token_ids": [1, 5, 9],
        "choices": [whole_choice],
        "usage": {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6},
        **fields,
    }


def chunk(
    text: object = None,
    *,
    delta: Mapping[str, object] | None = None,
    choice: Mapping[str, object] | None = None,
    **fields: object,
) -> dict[str, object]:
    """A piece of a streamed chat completion; `delta`, `choice` and `fields` change it."""
    said = {} if text is None else {"content": text}
    whole_choice = {"index": 0, "delta": {**said, **(delta or {})}, "finish_reason": None, "token_ids": [21]}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "small",
        "choices": [{**whole_choice, **(choice or {})}],
        **fields,
    }


def finish(reason: object = "stop") -> dict[str, object]:
    """The piece that says why the text ends."""
    return chunk("", choice={"finish_reason": reason})


#: The piece after it that counts the tokens.
USAGE = chunk(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7})


def event(data: object) -> bytes:
    """One server-sent event."""
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def pieces(text: str) -> list[dict[str, object]]:
    """The text as the pieces of a stream, a role first."""
    first = chunk("", delta={"role": "assistant"}, prompt_token_ids=[1, 5, 9])
    return [first, *(chunk(text[at : at + _PIECE_CHARS]) for at in range(0, len(text), _PIECE_CHARS))]


def stream(*chunks: object, done: bool = True) -> bytes:
    """A whole stream."""
    return head(EVENTS) + b"".join(event(item) for item in chunks) + (event("[DONE]") if done else b"")


def said(call: Call, text: str, reason: object = "stop") -> bytes:
    """The text as a reply to this call, streamed or not, in good order."""
    if call.kind is CallKind.ANSWER:
        return stream(*pieces(text), finish(reason), USAGE)
    return whole(json.dumps(completion(text, choice={"finish_reason": reason})))


def good(call: Call) -> bytes:
    """A reply in good order with what a model that behaves says."""
    return said(call, call.good)


def says(text: str | Callable[[Call], str]) -> Play:
    """Replies in good order with this text."""
    return sends(lambda call: said(call, text(call) if callable(text) else text))


async def well(call: Call) -> AsyncIterator[bytes]:
    """What a server that behaves replies."""
    match call.kind:
        case CallKind.MODELS:
            yield whole(json.dumps({"object": "list", "data": [{"id": "small", "object": "model"}]}))
        case CallKind.TOKENIZE:
            yield whole(json.dumps({"tokens": list(call.asked.encode())}))
        case _:
            yield good(call)
