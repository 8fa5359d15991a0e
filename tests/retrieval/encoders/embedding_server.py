"""A scripted OpenAI-compatible `/embeddings` server, without a socket."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import numpy as np

from retrieval.encoders import HashingEncoder, RemoteConfig, RemoteEncoder

DIMENSION = 16


@dataclass
class EmbeddingServer:
    """Answers with hashed vectors; `before` may answer first, and gets each request's number."""

    floats: bool = False
    before: Callable[[int, dict[str, Any]], httpx2.Response | None] = lambda _number, _body: None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def encoder(self, **config: Any) -> RemoteEncoder:
        """An encoder that speaks to this server."""
        made = RemoteConfig.model_validate(
            {"url": "http://127.0.0.1:9/v1", "model": "scripted", "dimension": DIMENSION, **config}
        )
        client = httpx2.Client(transport=httpx2.MockTransport(self._answer))
        return RemoteEncoder(made, client=client, sleep=self.waits.append)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        self.bodies.append(body)
        self.requests.append(request)
        early = self.before(len(self.bodies), body)
        if early is not None:
            return early
        vectors = HashingEncoder(DIMENSION).encode_queries(body["input"]) * 3
        data = [{"object": "embedding", "index": n, "embedding": self._written(v)} for n, v in enumerate(vectors)]
        # Replies of real servers need not be in order.
        return httpx2.Response(200, json={"object": "list", "data": data[::-1], "model": body["model"]})

    def _written(self, vector: np.ndarray[Any, np.dtype[np.float32]]) -> list[float] | str:
        if self.floats:
            return [float(value) for value in vector]
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
