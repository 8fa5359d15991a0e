"""The errors of a batch: it cannot go on, or one of its lines cannot be asked."""

from __future__ import annotations

from agent.errors import AgentError


class BatchError(AgentError):
    """A batch cannot start or go on. What is already written stays; the same command continues."""

    code = "batch_error"


class TaskError(AgentError):
    """One line cannot be asked as it is; the batch names it and goes on with the others."""

    code = "task_error"
