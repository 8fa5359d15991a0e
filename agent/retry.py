"""Retries of model calls: a few attempts with growing, jittered waits, never past the deadline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from agent.clock import Clock
from agent.errors import ModelError, ModelStatusError

T = TypeVar("T")
_WAIT = wait_random_exponential(multiplier=0.25, max=4)


class RetryingCaller:
    """Runs a call again while its error is retryable and time is left."""

    def __init__(self, clock: Clock, attempts: int = 3) -> None:
        self._clock = clock
        self._attempts = attempts

    async def call(self, attempt: Callable[[float], Awaitable[T]], timeout_s: float) -> tuple[T, int]:
        """Run `attempt(seconds left)`; returns its result and how many attempts it took.

        Raises:
            ModelError: the last attempt's error.
        """
        deadline = self._clock.monotonic() + timeout_s

        def left() -> float:
            return max(0.001, deadline - self._clock.monotonic())

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after_s if isinstance(error, ModelStatusError) else None
            return asked if asked is not None else _WAIT(state)

        def stop(state: RetryCallState) -> bool:
            # A wait that would end past the deadline is not begun.
            return state.attempt_number >= self._attempts or self._clock.monotonic() + state.upcoming_sleep >= deadline

        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ModelError) and error.retryable),
            wait=wait,
            stop=stop,
            sleep=self._clock.sleep,
            reraise=True,
        )
        async for step in retrying:
            with step:
                return await attempt(left()), step.retry_state.attempt_number
        raise AssertionError("tenacity either returns or raises")  # pragma: no cover
