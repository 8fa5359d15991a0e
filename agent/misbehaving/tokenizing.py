"""What a server may reply when it is asked how it cuts text into tokens, which only a lean towards an action needs."""

from __future__ import annotations

import json

from agent.misbehaving.behaviour import ANSWERED, NONSENSE, Behaviour, Call, Ending, endings
from agent.misbehaving.messages import head, whole
from agent.misbehaving.playing import floods, sends


def _replies(name: str, does: str, body: str, ending: Ending = ANSWERED, status: str = "200 OK") -> Behaviour:
    return Behaviour(name, does, sends(whole(body, status=status)), endings(tokenize=ending))


def _floating(call: Call) -> bytes:
    return whole(json.dumps({"tokens": [float(code) for code in call.asked.encode()]}))


TOKENIZING = (
    _replies("has-no-tokenizer", "Has no such route.", "{}", status="404 Not Found"),
    _replies("tokens-in-prose", "Cuts text into prose.", "<html>four tokens, I think</html>"),
    _replies("tokens-are-words", "Cuts text into words.", '{"tokens": ["{", "action"]}'),
    _replies("tokens-are-null", "Cuts text into null.", '{"tokens": null}'),
    _replies("tokens-below-zero", "Cuts text into negative ids, which no request can name.", '{"tokens": [-1, -2]}'),
    _replies("tokens-infinite", "Cuts text into infinity.", '{"tokens": [1, 1e999]}'),
    _replies("tokens-all-alike", "Cuts every text into the same tokens.", '{"tokens": [1, 2, 3]}'),
    Behaviour("tokens-are-fractions", "Cuts text into fractions.", sends(_floating), endings(tokenize=ANSWERED)),
    Behaviour(
        "tokens-without-end",
        "Cuts text into tokens without end.",
        floods(head() + b'{"tokens": [1', b", 1"),
        endings(tokenize=NONSENSE),
    ),
)
