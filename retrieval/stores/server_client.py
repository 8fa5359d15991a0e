"""Calls to a Qdrant server: with a deadline, tried again where that is safe, failures named.

Every call made here may be repeated without harm: reads, writes of points under their own numbers,
removing what is already gone. What is tried again is a failure of the connection or of a busy server; a
refusal is final. Error sentences name the server and the action, and never what was searched.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import httpx
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from retrieval.errors import StoreError
from retrieval.stores.server_settings import ServerSettings

T = TypeVar("T")
Connect = Callable[[ServerSettings, int], QdrantClient]

_SEARCH_ATTEMPTS = 2  # a clinician waits
_BUILD_ATTEMPTS = 6
_BUSY = frozenset({408, 429, 500, 502, 503, 504})


def connect(settings: ServerSettings, timeout_s: int) -> QdrantClient:
    """A client of the server; nothing is sent yet."""
    key = settings.api_key.get_secret_value() if settings.api_key else None
    headers = {"api-key": key} if key else None  # as `api_key=` sends it, without its warning about http
    return QdrantClient(url=settings.url, timeout=timeout_s, headers=headers, check_compatibility=False)


class ServerClient:
    """One connection to the server; safe to call from several threads."""

    def __init__(
        self,
        settings: ServerSettings,
        *,
        building: bool,
        connect: Connect = connect,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare a connection.

        Args:
            building: more attempts and a longer deadline than for a search.
            connect: makes the client.
            sleep: waits between attempts (seconds).
        """
        self._host = settings.host
        with self._named("connect"):
            self._client = connect(settings, settings.build_timeout_s if building else settings.search_timeout_s)
        self._attempts = _BUILD_ATTEMPTS if building else _SEARCH_ATTEMPTS
        self._sleep = sleep

    def call(self, action: str, function: Callable[[QdrantClient], T]) -> T:
        """Run `function`, which must be safe to repeat.

        Raises:
            StoreError: it failed for good; the sentence says that the server could not `action`.
        """
        with self._named(action):
            return Retrying(
                retry=retry_if_exception(_worth_trying_again),
                stop=stop_after_attempt(self._attempts),
                wait=wait_exponential_jitter(multiplier=0.1, jitter=0.1, max=5.0),
                sleep=self._sleep,
                reraise=True,
            )(function, self._client)

    def close(self) -> None:
        """Give the connection back."""
        with self._named("close"):
            self._client.close()

    def _named(self, action: str) -> _Named:
        return _Named(self._host, action)


class _Named:
    """Turns the client's errors into `StoreError`s."""

    def __init__(self, host: str, action: str) -> None:
        self._host = host
        self._action = action

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, (ApiException, QdrantException, httpx.HTTPError, ValueError, RuntimeError)):
            raise StoreError(f"The Qdrant server at {self._host} {self._reason(error)}") from error

    def _reason(self, error: Exception) -> str:
        if isinstance(error, ResponseHandlingException) and isinstance(error.source, httpx.TimeoutException):
            return f"did not {self._action} in time. Try again, or look at its load."
        if isinstance(error, ResponseHandlingException) and isinstance(error.source, httpx.TransportError):
            return f"could not be reached to {self._action}. Check its address and that it runs."
        if isinstance(error, UnexpectedResponse):
            if error.status_code in (401, 403):
                return f"refused to {self._action}: check the key (CLINSEARCH_QDRANT_API_KEY)."
            if error.status_code == 404:
                return f"has not what it was asked to {self._action}. Restart, or run `clinsearch index build`."
            return f"could not {self._action} (status {error.status_code})."
        if isinstance(error, ResourceExhaustedResponse):
            return f"is too busy to {self._action}. Try again in {error.retry_after_s} s."
        return f"could not {self._action} ({type(error).__name__})."


def _worth_trying_again(error: BaseException) -> bool:
    if isinstance(error, ResponseHandlingException):
        return isinstance(error.source, httpx.TransportError)
    if isinstance(error, UnexpectedResponse):
        return error.status_code in _BUSY
    return isinstance(error, ResourceExhaustedResponse)
