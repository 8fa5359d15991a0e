"""Calls that block, of the records and of what is built on them: in a thread, with their errors as problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from fastapi.concurrency import run_in_threadpool

from retrieval import RetrievalError
from service.problems import ProblemError
from service.records import (
    RecordsError,
    RecordsFullError,
    UnknownConversationError,
    UnknownRunError,
)

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Make a call that blocks. Raises ProblemError for what the records or the index refuse or cannot do."""
    try:
        return await run_in_threadpool(call, *arguments, **named)
    except (UnknownConversationError, UnknownRunError) as error:
        raise ProblemError(404, error.code, str(error)) from error
    except RecordsFullError as error:
        raise ProblemError(409, error.code, str(error)) from error
    except RecordsError as error:
        raise ProblemError(503, error.code, str(error), retry_after_s=2) from error
    except RetrievalError as error:
        raise ProblemError(
            503,
            error.code,
            "Whether the guidance shown still stands could not be looked up. Try again in a moment.",
            retry_after_s=2,
        ) from error
