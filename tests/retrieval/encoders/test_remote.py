"""If these fail, a remote encoder gives vectors to the wrong texts, or breaks without saying what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import numpy as np
import pytest
from pydantic import ValidationError

from retrieval.encoders import HashingEncoder, RemoteConfig
from retrieval.errors import EncoderError
from tests.retrieval.encoders.embedding_server import DIMENSION, EmbeddingServer

TEXTS = [f"passage about {word}" for word in ("asthma", "gout", "cystitis", "stroke", "otitis")]


@pytest.mark.parametrize("floats", [True, False], ids=["floats", "base64"])
def test_vectors_belong_to_their_texts_whatever_the_order_of_the_reply(floats: bool) -> None:
    server = EmbeddingServer(floats=floats)
    vectors = server.encoder(batch=2).encode_passages(TEXTS)
    np.testing.assert_allclose(vectors, HashingEncoder(DIMENSION).encode_passages(TEXTS), atol=1e-6)
    assert [len(body["input"]) for body in server.bodies] == [2, 2, 1]


def test_what_is_sent_is_what_was_configured() -> None:
    server = EmbeddingServer()
    encoder = server.encoder(query_prefix="query: ", passage_prefix="p: ", api_key="k-1", send_dimension=True)
    encoder.encode_queries(["gout"])
    encoder.encode_passages(["gout"])
    assert [body["input"] for body in server.bodies] == [["query: gout"], ["p: gout"]]
    assert server.bodies[0]["model"] == "scripted"
    assert server.bodies[0]["dimensions"] == DIMENSION
    assert str(server.requests[0].url) == "http://127.0.0.1:9/v1/embeddings"
    assert server.requests[0].headers["Authorization"] == "Bearer k-1"
    assert "k-1" not in repr(encoder.config)


def test_long_texts_are_cut_before_they_are_sent() -> None:
    server = EmbeddingServer()
    server.encoder(max_tokens=20).encode_passages(["fever " * 500])
    (sent,) = server.bodies[0]["input"]
    assert 10 <= len(sent.split()) <= 18


def test_a_busy_server_is_asked_again_after_the_time_it_names() -> None:
    def busy(number: int, _: dict[str, Any]) -> httpx2.Response | None:
        return httpx2.Response(429, headers={"Retry-After": "7"}) if number < 3 else None

    server = EmbeddingServer(before=busy)
    assert len(server.encoder().encode_passages(TEXTS)) == len(TEXTS)
    assert server.waits == [7, 7]


def test_a_query_is_given_up_sooner_than_a_passage() -> None:
    server = EmbeddingServer(before=lambda *_: httpx2.Response(503))
    encoder = server.encoder()
    with pytest.raises(EncoderError, match="status 503"):
        encoder.encode_queries(["gout"])
    assert len(server.bodies) == 2
    with pytest.raises(EncoderError, match="status 503"):
        encoder.encode_passages(["gout"])
    assert len(server.bodies) == 2 + 6


def test_a_request_that_is_too_large_is_halved() -> None:
    def limited(_: int, body: dict[str, Any]) -> httpx2.Response | None:
        return httpx2.Response(413) if len(body["input"]) > 2 else None

    server = EmbeddingServer(before=limited)
    vectors = server.encoder().encode_passages(TEXTS)
    np.testing.assert_allclose(vectors, HashingEncoder(DIMENSION).encode_passages(TEXTS), atol=1e-6)


def _raise(error: Exception) -> Callable[[int, dict[str, Any]], httpx2.Response]:
    def before(_number: int, _body: dict[str, Any]) -> httpx2.Response:
        raise error

    return before


def _reply(status: int = 200, **body: Any) -> Callable[[int, dict[str, Any]], httpx2.Response]:
    return lambda *_: httpx2.Response(status, json=body)


def _vector(*values: float, index: int = 0) -> dict[str, Any]:
    return {"index": index, "embedding": list(values)}


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        (_raise(httpx2.ConnectError("refused")), "could not be reached. Check CLINSEARCH_ENCODER_URL"),
        (_raise(httpx2.ReadTimeout("slow")), "did not answer in time"),
        (_reply(401), "check the key"),
        (_reply(404), "has no model scripted at that address"),
        (_reply(413), "status 413"),
        (_reply(400), "Check CLINSEARCH_ENCODER_MAX_TOKENS"),
        (_reply(200, other=1), "no embeddings that can be read"),
        (_reply(200, data=[{"index": 0, "embedding": "%%"}]), "no embeddings that can be read"),
        (_reply(200, data=[_vector(1, 2, 3)]), "3 components, not 16: set CLINSEARCH_ENCODER_DIMENSION"),
        (_reply(200, data=[_vector(*range(16)), _vector(*range(16), index=1)]), "2 vectors for 1 texts"),
        (_reply(200, data=[_vector(*[0.0] * 16)]), "no direction"),
    ],
    ids=["down", "slow", "key", "model", "large", "refused", "shape", "base64", "length", "count", "zero"],
)
def test_failures_are_sentences_that_name_the_server_and_no_text(
    before: Callable[[int, dict[str, Any]], httpx2.Response], sentence: str
) -> None:
    with pytest.raises(EncoderError) as failed:
        EmbeddingServer(before=before).encoder().encode_queries(["secret question"])
    assert sentence in str(failed.value)
    assert "127.0.0.1:9" in str(failed.value)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"model": "other"}, False),
        ({"dimension": 8}, False),
        ({"query_prefix": "q: "}, False),
        ({"passage_prefix": "p: "}, False),
        ({"max_tokens": 64}, False),
        ({"url": "http://127.0.0.1:10/v1"}, True),
        ({"api_key": "k"}, True),
    ],
    ids=["model", "dimension", "query-prefix", "passage-prefix", "max-tokens", "address", "key"],
)
def test_the_fingerprint_follows_what_decides_vectors(change: dict[str, Any], same: bool) -> None:
    server = EmbeddingServer()
    assert (server.encoder(**change).fingerprint == server.encoder().fingerprint) is same


@pytest.mark.parametrize(
    ("url", "key", "message"),
    [
        ("ftp://host/v1", None, "must be like https"),
        ("http://user:pass@host/v1", None, "must hold no key"),
        ("http://encoder.example.org/v1", "k", "use https"),
        ("http://encoder.example.org/v1", None, "questions would be readable"),
        ("http://192.0.2.7:8000/v1", None, "use https"),
    ],
    ids=["scheme", "password", "clear", "clear-without-a-key", "clear-by-number"],
)
def test_an_unsafe_address_is_refused(url: str, key: str | None, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RemoteConfig.model_validate({"url": url, "model": "m", "dimension": 8, "api_key": key})


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://encoder:8000/v1", "https://encoder.example.org/v1"]
)
def test_a_near_or_an_encrypted_address_is_taken(url: str) -> None:
    assert RemoteConfig(url=url, model="m", dimension=8).url == url
