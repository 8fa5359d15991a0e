"""An encoder behind any OpenAI-compatible `/embeddings` endpoint (vLLM, TEI, Ollama, a hosted service).

Passages and queries are sent there: choose a server that may see them. Which weights the server runs
under a model's name cannot be seen from here; a server that changes them needs a new name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Annotated
from urllib.parse import urlsplit

import httpx2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from retrieval.addresses import is_near
from retrieval.encoders.base import EncodeProgress, Vectors, unit_rows
from retrieval.errors import EncoderError
from retrieval.token_counts import SPECIAL_TOKENS, EstimatedCounter

_QUERY_ATTEMPTS = 2  # a clinician waits
_PASSAGE_ATTEMPTS = 6
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT_S = 30.0
_TOO_LARGE = 413


class RemoteConfig(BaseModel):
    """A model on an OpenAI-compatible server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Up to and with "/v1"; plain http only to this machine or a name without a dot.
    url: str
    model: str
    #: Components of a vector; every reply is checked against it.
    dimension: Annotated[int, Field(ge=2)]
    #: Ask the server for `dimension` components (Matryoshka); only some models can.
    send_dimension: bool = False
    api_key: SecretStr | None = None
    query_prefix: str = ""
    passage_prefix: str = ""
    #: Texts are cut here before they are sent, by an estimate that errs upwards on ordinary prose.
    max_tokens: Annotated[int, Field(ge=8)] = 512
    #: Texts in one request.
    batch: Annotated[int, Field(ge=1, le=2048)] = 32
    query_timeout_s: Annotated[float, Field(gt=0)] = 5.0
    passage_timeout_s: Annotated[float, Field(gt=0)] = 120.0

    @model_validator(mode="after")
    def _address(self) -> RemoteConfig:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address of the encoder server must be like https://host:8000/v1")
        if parts.username or parts.password:
            raise ValueError("the address of the encoder server must hold no key; it has a setting of its own")
        if parts.scheme == "http" and not is_near(parts.hostname):
            raise ValueError("questions would be readable on their way to the encoder server: use https")
        return self


class _Item(BaseModel):
    index: int
    embedding: list[float] | str


class _Reply(BaseModel):
    data: list[_Item]


class RemoteEncoder:
    """Vectors from a server; nothing is sent before the first encoding. Safe to call from several threads."""

    def __init__(
        self,
        config: RemoteConfig,
        *,
        client: httpx2.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`client` carries the requests; `sleep` waits between attempts (seconds)."""
        self.config = config
        self.name = config.model
        self.dimension = config.dimension
        self.max_tokens = config.max_tokens
        self._host = urlsplit(config.url).netloc
        self._client = client or httpx2.Client()
        self._sleep = sleep
        self._counter = EstimatedCounter()

    @property
    def fingerprint(self) -> str:
        """Hash of the model's name and of how texts are sent; not of the address, which may change."""
        decides = ("model", "dimension", "send_dimension", "query_prefix", "passage_prefix", "max_tokens")
        told = json.dumps({name: getattr(self.config, name) for name in decides}, sort_keys=True)
        return f"remote-{self.name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """See `Encoder.encode_passages`."""
        return self._encode(texts, self.config.passage_prefix, passages=True, progress=progress)

    def encode_queries(self, texts: list[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        return self._encode(texts, self.config.query_prefix, passages=False)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _encode(
        self, texts: list[str], prefix: str, *, passages: bool, progress: EncodeProgress | None = None
    ) -> Vectors:
        parts = [np.zeros((0, self.dimension), dtype=np.float32)]
        done = 0
        for start in range(0, len(texts), self.config.batch):
            # A server may refuse an empty text; a space has no words either.
            batch = [self._cut(prefix + text) or " " for text in texts[start : start + self.config.batch]]
            for vectors in self._vectors(batch, passages=passages):
                parts.append(vectors)
                done += len(vectors)
                if progress is not None:
                    progress(done, len(texts))
        return np.concatenate(parts)

    def _vectors(self, batch: list[str], *, passages: bool) -> Iterator[Vectors]:
        """A batch in one request, or in two halves where the server says that it is too large."""
        response = self._post(batch, passages=passages)
        if response.status_code == _TOO_LARGE and len(batch) > 1:
            yield from self._vectors(batch[: len(batch) // 2], passages=passages)
            yield from self._vectors(batch[len(batch) // 2 :], passages=passages)
            return
        self._accept(response)
        yield self._read(response, len(batch))

    def _post(self, batch: list[str], *, passages: bool) -> httpx2.Response:
        body: dict[str, object] = {"model": self.config.model, "input": batch, "encoding_format": "base64"}
        if self.config.send_dimension:
            body["dimensions"] = self.dimension
        key = self.config.api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key is not None else {}
        timeout = self.config.passage_timeout_s if passages else self.config.query_timeout_s

        def post() -> httpx2.Response:
            url = self.config.url.rstrip("/") + "/embeddings"
            response = self._client.post(url, json=body, headers=headers, timeout=timeout)
            if response.status_code in _BUSY:
                response.raise_for_status()
            return response

        try:
            return Retrying(
                retry=retry_if_exception(
                    lambda error: isinstance(error, httpx2.TransportError | httpx2.HTTPStatusError)
                ),
                stop=stop_after_attempt(_PASSAGE_ATTEMPTS if passages else _QUERY_ATTEMPTS),
                wait=_wait,
                sleep=self._sleep,
                reraise=True,
            )(post)
        except httpx2.HTTPStatusError as error:
            raise self._failed(f"is too busy or failing (status {error.response.status_code}). Try again.") from error
        except httpx2.TimeoutException as error:
            raise self._failed("did not answer in time. Try again, or look at its load.") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._failed("could not be reached. Check CLINSEARCH_ENCODER_URL and that it runs.") from error

    def _accept(self, response: httpx2.Response) -> None:
        status = response.status_code
        if status in (401, 403):
            raise self._failed("refused: check the key (CLINSEARCH_ENCODER_API_KEY).")
        if status == 404:
            raise self._failed(
                f"has no model {self.config.model} at that address: "
                "check CLINSEARCH_ENCODER_URL, which ends in /v1, and CLINSEARCH_ENCODER_MODEL."
            )
        if not response.is_success:
            raise self._failed(f"refused the texts (status {status}). Check CLINSEARCH_ENCODER_MAX_TOKENS.")

    def _read(self, response: httpx2.Response, count: int) -> Vectors:
        try:
            items = sorted(_Reply.model_validate_json(response.content).data, key=lambda item: item.index)
            rows = [_numbers(item.embedding) for item in items]
        except (ValidationError, ValueError, binascii.Error) as error:
            raise self._failed("sent no embeddings that can be read.") from error
        if [item.index for item in items] != list(range(count)):
            raise self._failed(f"sent {len(items)} vectors for {count} texts.")
        for row in rows:
            if len(row) != self.dimension:
                raise self._failed(
                    f"gives vectors of {len(row)} components, not {self.dimension}: set CLINSEARCH_ENCODER_DIMENSION."
                )
        vectors = np.stack(rows)
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            raise self._failed("sent a vector that has no direction.")
        return unit_rows(vectors)

    def _failed(self, what: str) -> EncoderError:
        return EncoderError(f"The encoder server at {self._host} {what}")

    def _cut(self, text: str) -> str:
        limit = self.max_tokens - SPECIAL_TOKENS
        if self._counter.count(text) <= limit:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self._counter.count(text[:middle]) <= limit:
                low = middle
            else:
                high = middle - 1
        return text[:low]


def _numbers(embedding: list[float] | str) -> Vectors:
    """Numbers as they are, or base64 of little-endian float32."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    return np.asarray(embedding, dtype=np.float32)


_backoff = wait_exponential_jitter(multiplier=0.25, jitter=0.25, max=_LONGEST_WAIT_S)


def _wait(state: RetryCallState) -> float:
    """What the server asked for, else growing and jittered."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.response.headers.get("Retry-After", "") if isinstance(error, httpx2.HTTPStatusError) else ""
    return min(float(asked), _LONGEST_WAIT_S) if asked.isdecimal() else float(_backoff(state))
