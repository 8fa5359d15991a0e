"""The one error of a batch: it cannot go on, and the message says what to do."""

from __future__ import annotations

from agent.errors import AgentError


class BatchError(AgentError):
    """A batch cannot start or go on. What is already written stays; the same command continues."""

    code = "batch_error"
