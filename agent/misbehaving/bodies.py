"""Replies that are no chat completion, and completions with something wrong beside their text."""

from __future__ import annotations

import json
from collections.abc import Callable

from agent.misbehaving.behaviour import (
    ANSWERED,
    SPENT,
    UNVERIFIED,
    Behaviour,
    Call,
    CallKind,
    Ending,
    cut,
    endings,
    listed,
    sends,
)
from agent.misbehaving.messages import (
    EVENTS,
    USAGE,
    chunk,
    completion,
    finish,
    head,
    pieces,
    said,
    stream,
    whole,
)

_BROKEN = listed("model_stream_broken")
_NONSENSE = listed("model_nonsense")
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


def _choice(**changes: object) -> Callable[[Call], bytes]:
    """A good reply whose choice says this too; of a stream the first piece does."""

    def data(call: Call) -> bytes:
        if call.kind is not CallKind.ANSWER:
            return whole(json.dumps(completion(call.good, choice=changes)))
        first, *rest = pieces(call.good)
        return stream({**first, **chunk("", choice=changes)}, *rest, finish(), USAGE)

    return data


def _fields(**changes: object) -> Callable[[Call], bytes]:
    """A good reply that says this beside its choices; of a stream the last piece does."""

    def data(call: Call) -> bytes:
        if call.kind is not CallKind.ANSWER:
            return whole(json.dumps({**completion(call.good), **changes}))
        return stream(*pieces(call.good), finish(), {**USAGE, **changes})

    return data


def _logprobs(*tokens: object) -> Callable[[Call], bytes]:
    return _choice(logprobs={"content": list(tokens)})


def _token(text: str, logprob: object, *top: tuple[str, object]) -> dict[str, object]:
    alternatives = [{"token": token, "logprob": value, "bytes": None} for token, value in top]
    return {"token": text, "logprob": logprob, "bytes": None, "top_logprobs": alternatives}


def _ending(reason: object) -> Callable[[Call], bytes]:
    return lambda call: said(call, f"{call.good}\n", reason)


def _cut_off(call: Call) -> bytes:
    return said(call, call.good[: len(call.good) * 2 // 3], "length")


def _duplicate_keys(call: Call) -> bytes:
    """The text twice: a JSON reader takes the second."""
    text, other = json.dumps(call.good), json.dumps("Ignore the question.")
    if call.kind is CallKind.ANSWER:
        return stream(f'{{"choices": [{{"delta": {{"content": {other}, "content": {text}}}}}]}}', finish(), USAGE)
    return whole(f'{{"choices": [{{"message": {{"content": {other}, "content": {text}}}, "finish_reason": "stop"}}]}}')


def _null_ids(call: Call) -> bytes:
    data = said(call, call.good).replace(b"content-length: ", b"x-length: ")
    for ids in (b"[1, 5, 9]", b"[11, 12, 2]", b"[21]"):
        data = data.replace(ids, b"null")
    return data


def _both(ending: Ending) -> dict[str, Ending]:
    return {"decide": ending, "answer": ending}


BODIES = (
    Behaviour(
        "proxy-page",
        "Sends a proxy's sign-in page with status 200.",
        sends(whole("<html><body>Sign in to the hospital network</body></html>", "text/html")),
        endings(_NONSENSE, _BROKEN),
    ),
    Behaviour("empty-body", "Sends nothing, with status 200.", sends(whole("")), endings(_NONSENSE, _BROKEN)),
    Behaviour("json-null", "Sends null.", sends(_body("null")), endings(**_both(_NONSENSE))),
    Behaviour("json-list", "Sends a list.", sends(_body("[]")), endings(**_both(_NONSENSE))),
    Behaviour("json-text", "Sends a JSON string.", sends(_body('"hello"')), endings(**_both(_NONSENSE))),
    Behaviour("json-empty", "Sends an object without anything in it.", sends(_body("{}")), endings(_NONSENSE, _BROKEN)),
    Behaviour(
        "json-half",
        "Breaks off in the middle of the JSON.",
        sends(_body('{"choices": [{"mess')),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "json-and-more",
        "Sends JSON and then something else.",
        sends(_body('{"choices": []} trailing words')),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "not-utf8", "Sends bytes that are no text.", sends(_body(b"\xff\xfe\x00\x81")), endings(**_both(_NONSENSE))
    ),
    Behaviour("deep-json", "Sends 100 000 lists inside each other.", sends(_body(_DEEP)), endings(**_both(_NONSENSE))),
    Behaviour(
        "byte-order-mark",
        "Begins with a byte order mark.",
        sends(
            lambda call: (
                said(call, call.good)
                .replace(b"\r\n\r\n", b"\r\n\r\n\xef\xbb\xbf", 1)
                .replace(b"content-length: ", b"x-length: ")
            )
        ),
        endings(**_both(ANSWERED)),
    ),
    Behaviour(
        "error-with-200",
        "Reports an error with status 200.",
        sends(_body('{"error": {"message": "out of memory", "type": "server_error", "code": 500}}')),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour("no-choice", "Offers no choice.", sends(_body('{"choices": []}')), endings(_NONSENSE, _BROKEN)),
    Behaviour(
        "choices-are-text",
        "Sends words where the choices belong.",
        sends(_body('{"choices": "many"}')),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "choice-is-null",
        "Sends null where a choice belongs.",
        sends(_body('{"choices": [null]}')),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "half-a-million-choices",
        "Sends half a million empty choices.",
        sends(_body('{"choices": [' + ",".join(["{}"] * 500_000) + "]}")),
        endings(_NONSENSE, _NONSENSE),
    ),
    Behaviour(
        "message-is-null",
        "Sends null where the message belongs.",
        sends(_choice(message=None, delta=None)),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour("content-is-a-number", "Sends a number as the text.", sends(_content(5)), endings(**_both(_NONSENSE))),
    Behaviour(
        "content-in-parts",
        "Sends a list of parts as the text.",
        sends(_content([{"type": "text", "text": "hello"}])),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "half-a-character",
        "Sends half a surrogate pair, which no record can hold.",
        sends(_content("a\ud800b")),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "refusal-field",
        "Refuses in a field of its own and says nothing.",
        sends(_content(None, refusal="I cannot help with that.")),
        endings(_NONSENSE, UNVERIFIED),
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
        endings(_NONSENSE, UNVERIFIED),
    ),
    Behaviour(
        "only-thinks",
        "Puts everything into its reasoning.",
        sends(lambda call: _content(None, reasoning_content=call.good)(call)),
        endings(_NONSENSE, UNVERIFIED),
    ),
    Behaviour("ids-null", "Reports null for token ids.", sends(_null_ids), endings(**_both(ANSWERED))),
    Behaviour(
        "ids-with-holes",
        "Reports token ids with null among them.",
        sends(_choice(token_ids=[1, None, 2])),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "ids-infinite",
        "Reports an infinite token id.",
        sends(_choice(token_ids=[1, float("inf")])),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "ids-out-of-range",
        "Reports token ids below zero and beyond 64 bits.",
        sends(_choice(token_ids=[-1, 2**80])),
        endings(**_both(_NONSENSE)),
    ),
    Behaviour(
        "ids-flood",
        "Reports 200 000 token ids for a short reply.",
        sends(_choice(token_ids=[7] * 200_000)),
        endings(**_both(ANSWERED)),
    ),
    Behaviour(
        "logprob-infinite",
        "Reports an alternative with infinite log-probability.",
        sends(
            _logprobs(_token('{"action": "', 0.0), _token("search", -0.1, ("search", -0.1), ("answer", float("inf"))))
        ),
        endings(ANSWERED),
    ),
    Behaviour(
        "logprob-absurd",
        "Reports a log-probability of a million.",
        sends(_logprobs(_token('{"action": "', 0.0), _token("search", 1e6, ("search", 1e6)))),
        endings(ANSWERED),
    ),
    Behaviour(
        "logprob-not-a-number",
        "Reports log-probabilities that are not numbers.",
        sends(_logprobs(_token('{"action": "', float("nan")), _token("search", "likely"))),
        endings(_NONSENSE),
    ),
    Behaviour(
        "logprobs-flood",
        "Reports 20 000 tokens of space for a short reply.",
        sends(_choice(logprobs={"content": [_token(" ", 0.0)] * 20_000})),
        endings(ANSWERED),
    ),
    Behaviour(
        "logprobs-without-alternatives",
        "Reports null for the alternatives of a token.",
        sends(_logprobs({"token": "search", "logprob": -0.1, "bytes": None, "top_logprobs": None})),
        endings(ANSWERED),
    ),
    Behaviour(
        "usage-negative",
        "Reports fewer tokens than none, to buy budget.",
        sends(_fields(usage={"prompt_tokens": -1_000_000, "completion_tokens": -5, "total_tokens": -1})),
        endings(**_both(ANSWERED)),
    ),
    Behaviour(
        "usage-astronomic",
        "Reports tokens in a number of 400 digits.",
        sends(_fields(usage={"prompt_tokens": 10**400, "completion_tokens": 10**400, "total_tokens": 0})),
        endings(**_both(ANSWERED)),
    ),
    Behaviour(
        "usage-in-words",
        "Reports tokens in words.",
        sends(_fields(usage={"prompt_tokens": "many", "completion_tokens": None, "prompt_tokens_details": "cached"})),
        endings(**_both(ANSWERED)),
    ),
    Behaviour(
        "usage-over-budget",
        "Reports more tokens than a run may use.",
        sends(_fields(usage={"prompt_tokens": 900_000, "completion_tokens": 1, "total_tokens": 900_001})),
        endings(SPENT, ANSWERED),
    ),
    Behaviour(
        "finish-unheard-of", "Ends for a reason nobody knows.", sends(_ending("enough")), endings(**_both(ANSWERED))
    ),
    Behaviour(
        "finish-is-a-number", "Ends for the reason 7.", sends(_ending(7)), endings(_NONSENSE, cut("model_nonsense"))
    ),
    Behaviour(
        "finish-missing",
        "Does not say why it ends.",
        sends(_ending(None)),
        endings(ANSWERED, cut("model_stream_broken")),
    ),
    Behaviour(
        "finish-length", "Is cut off by the token limit in the middle.", sends(_cut_off), endings(_NONSENSE, UNVERIFIED)
    ),
    Behaviour(
        "finish-filtered",
        "Is silenced by a content filter.",
        sends(lambda call: said(call, "", "content_filter")),
        endings(_NONSENSE, UNVERIFIED),
    ),
    Behaviour(
        "another-model",
        "Says that another model replied, on a date in the far past.",
        sends(_fields(model="gpt-0", created=-(10**12), id=None)),
        endings(**_both(ANSWERED)),
    ),
    Behaviour(
        "fields-nobody-knows",
        "Sends fields that nobody knows, one of them a megabyte.",
        sends(_fields(x_debug={"a": [None] * 9}, x_blob="y" * 2**20)),
        endings(**_both(ANSWERED)),
    ),
    Behaviour(
        "duplicate-keys", "Sends the text twice under one name.", sends(_duplicate_keys), endings(**_both(ANSWERED))
    ),
    Behaviour(
        "index-not-a-number",
        "Numbers its choice NaN.",
        sends(_choice(index=float("nan"))),
        endings(_NONSENSE, _NONSENSE),
    ),
)
