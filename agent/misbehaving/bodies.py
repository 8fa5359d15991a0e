"""Replies that are no chat completion, or one without a text."""

from __future__ import annotations

import json
from collections.abc import Callable

from agent.misbehaving.behaviour import ANSWERED, BROKEN, NONSENSE, UNVERIFIED, Behaviour, Call, CallKind, both, endings
from agent.misbehaving.messages import EVENTS, USAGE, chunk, completion, finish, good, head, stream, whole
from agent.misbehaving.playing import sends

_DEEP = "[" * 100_000 + "]" * 100_000


def _body(text: str | bytes) -> Callable[[Call], bytes]:
    """This as the whole body, or as the only event of a stream."""

    def data(call: Call) -> bytes:
        if call.kind is not CallKind.ANSWER:
            return whole(text)
        raw = text.encode() if isinstance(text, str) else text
        return head(EVENTS) + b"data: " + raw + b"\n\ndata: [DONE]\n\n"

    return data


def _content(content: object, **beside: object) -> Callable[[Call], bytes]:
    """A message with this content, and with fields beside it."""

    def data(call: Call) -> bytes:
        if call.kind is CallKind.ANSWER:
            return stream(chunk(content, delta=beside), finish(), USAGE)
        return whole(
            json.dumps(completion(None, choice={"message": {"role": "assistant", "content": content, **beside}}))
        )

    return data


BODIES = (
    Behaviour(
        "proxy-page",
        "Sends a proxy's sign-in page with status 200.",
        sends(whole("<html><body>Sign in to the hospital network</body></html>", "text/html")),
        endings(NONSENSE, BROKEN),
    ),
    Behaviour("empty-body", "Sends nothing, with status 200.", sends(whole("")), endings(NONSENSE, BROKEN)),
    Behaviour("json-null", "Sends null.", sends(_body("null")), both(NONSENSE)),
    Behaviour("json-list", "Sends a list.", sends(_body("[]")), both(NONSENSE)),
    Behaviour("json-text", "Sends a JSON string.", sends(_body('"hello"')), both(NONSENSE)),
    Behaviour("json-empty", "Sends an object without anything in it.", sends(_body("{}")), endings(NONSENSE, BROKEN)),
    Behaviour(
        "json-half",
        "Breaks off in the middle of the JSON.",
        sends(_body('{"choices": [{"mess')),
        both(NONSENSE),
    ),
    Behaviour(
        "json-and-more",
        "Sends JSON and then something else.",
        sends(_body('{"choices": []} trailing words')),
        both(NONSENSE),
    ),
    Behaviour("not-utf8", "Sends bytes that are no text.", sends(_body(b"\xff\xfe\x00\x81")), both(NONSENSE)),
    Behaviour("deep-json", "Sends 100 000 lists inside each other.", sends(_body(_DEEP)), both(NONSENSE)),
    Behaviour(
        "byte-order-mark",
        "Begins with a byte order mark.",
        sends(
            lambda call: (
                good(call).replace(b"\r\n\r\n", b"\r\n\r\n\xef\xbb\xbf", 1).replace(b"content-length: ", b"x-length: ")
            )
        ),
        both(ANSWERED),
    ),
    Behaviour(
        "error-with-200",
        "Reports an error with status 200.",
        sends(_body('{"error": {"message": "out of memory", "type": "server_error", "code": 500}}')),
        both(NONSENSE),
    ),
    Behaviour("no-choice", "Offers no choice.", sends(_body('{"choices": []}')), endings(NONSENSE, BROKEN)),
    Behaviour(
        "choices-are-text",
        "Sends words where the choices belong.",
        sends(_body('{"choices": "many"}')),
        both(NONSENSE),
    ),
    Behaviour(
        "choice-is-null",
        "Sends null where a choice belongs.",
        sends(_body('{"choices": [null]}')),
        both(NONSENSE),
    ),
    Behaviour(
        "half-a-million-choices",
        "Sends half a million empty choices.",
        sends(_body('{"choices": [' + ",".join(["{}"] * 500_000) + "]}")),
        both(NONSENSE),
    ),
    Behaviour(
        "message-is-null",
        "Sends null where the message belongs.",
        sends(_body('{"choices": [{"message": null, "delta": null, "finish_reason": "stop"}]}')),
        both(NONSENSE),
    ),
    Behaviour("content-is-a-number", "Sends a number as the text.", sends(_content(5)), both(NONSENSE)),
    Behaviour(
        "content-in-parts",
        "Sends a list of parts as the text.",
        sends(_content([{"type": "text", "text": "hello"}])),
        both(NONSENSE),
    ),
    Behaviour(
        "half-a-character",
        "Sends half a surrogate pair, which no record can hold.",
        sends(_content("a\ud800b")),
        both(NONSENSE),
    ),
    Behaviour(
        "refusal-field",
        "Refuses in a field of its own and says nothing.",
        sends(_content(None, refusal="I cannot help with that.")),
        endings(NONSENSE, UNVERIFIED),
    ),
    Behaviour(
        "calls-a-tool",
        "Calls a tool instead of replying.",
        sends(
            _content(
                None,
                tool_calls=[
                    {
                        "id": "t",
                        "type": "function",
                        "index": 0,
                        "function": {"name": "run_shell", "arguments": '{"command": "id"}'},
                    }
                ],
            )
        ),
        endings(NONSENSE, UNVERIFIED),
    ),
    Behaviour(
        "only-thinks",
        "Puts everything into its reasoning.",
        sends(lambda call: _content(None, reasoning_content=call.good)(call)),
        endings(NONSENSE, UNVERIFIED),
    ),
)
