"""If retrying is wrong, a clinician waits for nothing, or a hiccup of the server costs an answer."""

from __future__ import annotations

import pytest

from agent import ManualClock
from agent.errors import ModelError, ModelStatusError, ModelTimeoutError, ModelUnavailableError
from agent.retry import RetryingCaller


class Attempts:
    """Fails with each error in turn, then succeeds."""

    def __init__(self, clock: ManualClock, *errors: Exception, takes_s: float = 0.0) -> None:
        self._clock = clock
        self._errors = list(errors)
        self._takes_s = takes_s
        self.left: list[float] = []

    async def __call__(self, left: float) -> str:
        self.left.append(left)
        self._clock.advance(min(left, self._takes_s))
        if self._errors:
            raise self._errors.pop(0)
        return "done"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
async def test_a_passing_fault_is_retried(status: int) -> None:
    clock = ManualClock()
    attempts = Attempts(clock, ModelStatusError(status), ModelUnavailableError("gone"))
    assert await RetryingCaller(clock).call(attempts, 30) == ("done", 3)


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_a_refused_request_is_not_sent_again(status: int) -> None:
    clock = ManualClock()
    attempts = Attempts(clock, ModelStatusError(status))
    with pytest.raises(ModelStatusError):
        await RetryingCaller(clock).call(attempts, 30)
    assert len(attempts.left) == 1


async def test_retries_end_with_the_last_error() -> None:
    clock = ManualClock()
    attempts = Attempts(clock, *[ModelUnavailableError("gone")] * 9)
    with pytest.raises(ModelUnavailableError):
        await RetryingCaller(clock, attempts=3).call(attempts, 60)
    assert len(attempts.left) == 3


async def test_no_attempt_starts_past_the_deadline() -> None:
    clock = ManualClock()
    attempts = Attempts(clock, *[ModelTimeoutError("slow")] * 9, takes_s=10)
    with pytest.raises(ModelError):
        await RetryingCaller(clock, attempts=9).call(attempts, 25)
    assert clock.monotonic() <= 25
    assert attempts.left[0] == 25
    assert all(left > 0.001 for left in attempts.left)
    assert attempts.left == sorted(attempts.left, reverse=True)


async def test_the_pause_the_server_asks_for_is_kept() -> None:
    clock = ManualClock()
    attempts = Attempts(clock, ModelStatusError(429, retry_after_s=7))
    await RetryingCaller(clock).call(attempts, 30)
    assert clock.monotonic() == 7


async def test_a_pause_longer_than_the_deadline_is_not_begun() -> None:
    clock = ManualClock()
    attempts = Attempts(clock, ModelStatusError(429, retry_after_s=30))
    with pytest.raises(ModelStatusError):
        await RetryingCaller(clock).call(attempts, 20)
    assert clock.monotonic() == 0


async def test_a_bug_is_not_retried() -> None:
    clock = ManualClock()
    attempts = Attempts(clock, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await RetryingCaller(clock).call(attempts, 30)
    assert len(attempts.left) == 1
