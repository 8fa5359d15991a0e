"""Good replies with something wrong beside their text: token ids, probabilities, counts, why it ends, other fields."""

from __future__ import annotations

import json
from collections.abc import Callable

from agent.misbehaving.behaviour import (
    ANSWERED,
    NONSENSE,
    SPENT,
    UNVERIFIED,
    Behaviour,
    Call,
    CallKind,
    both,
    cut,
    endings,
)
from agent.misbehaving.messages import USAGE, chunk, completion, finish, good, pieces, said, stream, whole
from agent.misbehaving.playing import sends


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
    data = good(call).replace(b"content-length: ", b"x-length: ")
    for ids in (b"[1, 5, 9]", b"[11, 12, 2]", b"[21]"):
        data = data.replace(ids, b"null")
    return data


BESIDE_THE_TEXT = (
    Behaviour("ids-null", "Reports null for token ids.", sends(_null_ids), both(ANSWERED)),
    Behaviour(
        "ids-with-holes",
        "Reports token ids with null among them.",
        sends(_choice(token_ids=[1, None, 2])),
        both(NONSENSE),
    ),
    Behaviour(
        "ids-infinite",
        "Reports an infinite token id.",
        sends(_choice(token_ids=[1, float("inf")])),
        both(NONSENSE),
    ),
    Behaviour(
        "ids-out-of-range",
        "Reports token ids below zero and beyond 64 bits.",
        sends(_choice(token_ids=[-1, 2**80])),
        both(NONSENSE),
    ),
    Behaviour(
        "ids-flood",
        "Reports 200 000 token ids for a short reply.",
        sends(_choice(token_ids=[7] * 200_000)),
        both(ANSWERED),
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
        endings(NONSENSE),
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
        both(ANSWERED),
    ),
    Behaviour(
        "usage-astronomic",
        "Reports tokens in a number of 400 digits.",
        sends(_fields(usage={"prompt_tokens": 10**400, "completion_tokens": 10**400, "total_tokens": 0})),
        both(ANSWERED),
    ),
    Behaviour(
        "usage-in-words",
        "Reports tokens in words.",
        sends(_fields(usage={"prompt_tokens": "many", "completion_tokens": None, "prompt_tokens_details": "cached"})),
        both(ANSWERED),
    ),
    Behaviour(
        "usage-over-budget",
        "Reports more tokens than a run may use.",
        sends(_fields(usage={"prompt_tokens": 900_000, "completion_tokens": 1, "total_tokens": 900_001})),
        endings(SPENT, ANSWERED),
    ),
    Behaviour("finish-unheard-of", "Ends for a reason nobody knows.", sends(_ending("enough")), both(ANSWERED)),
    Behaviour(
        "finish-is-a-number", "Ends for the reason 7.", sends(_ending(7)), endings(NONSENSE, cut("model_nonsense"))
    ),
    Behaviour(
        "finish-missing",
        "Does not say why it ends.",
        sends(_ending(None)),
        endings(ANSWERED, cut("model_stream_broken")),
    ),
    Behaviour(
        "finish-length", "Is cut off by the token limit in the middle.", sends(_cut_off), endings(NONSENSE, UNVERIFIED)
    ),
    Behaviour(
        "finish-filtered",
        "Is silenced by a content filter.",
        sends(lambda call: said(call, "", "content_filter")),
        endings(NONSENSE, UNVERIFIED),
    ),
    Behaviour(
        "another-model",
        "Says that another model replied, on a date in the far past.",
        sends(_fields(model="gpt-0", created=-(10**12), id=None)),
        both(ANSWERED),
    ),
    Behaviour(
        "fields-nobody-knows",
        "Sends fields that nobody knows, one of them a megabyte.",
        sends(_fields(x_debug={"a": [None] * 9}, x_blob="y" * 2**20)),
        both(ANSWERED),
    ),
    Behaviour("duplicate-keys", "Sends the text twice under one name.", sends(_duplicate_keys), both(ANSWERED)),
    Behaviour(
        "index-not-a-number",
        "Numbers its choice NaN.",
        sends(_choice(index=float("nan"))),
        both(NONSENSE),
    ),
)
