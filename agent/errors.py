"""Errors of the agent package, named after the boundary they crossed.

AgentError
├── ModelError                     the model server could not give a usable reply
│   ├── ModelUnavailableError      nothing listens, or the connection broke before a reply
│   ├── ModelTimeoutError          no reply within the deadline
│   ├── ModelStatusError           the server answered with an HTTP error
│   ├── ModelStreamBrokenError     the stream ended before its finish reason
│   └── ModelNonsenseError         the reply is not a permitted action, after one repair
├── PolicyFileError                the policy file breaks its schema
├── EntailmentError                the entailment scorer cannot be loaded or failed
├── QuestionError                  the question cannot be asked as it is
└── JournalError                   rollouts cannot be written or read

A bad rollout is data, not a crash: inside a run every `ModelError` and every retrieval error is
caught once, recorded with its code, and ends in a typed stop reason.
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of everything this package raises on purpose."""

    code = "agent_error"
    retryable = False


class ModelError(AgentError):
    """The model server could not give a usable reply."""

    code = "model_error"


class ModelUnavailableError(ModelError):
    """Nothing listens at the model's address, or the connection broke before a reply."""

    code = "model_unavailable"
    retryable = True


class ModelTimeoutError(ModelError):
    """No reply within the deadline."""

    code = "model_timeout"
    retryable = True


class ModelStatusError(ModelError):
    """The server answered with an HTTP error.

    Retryable for 408, 409, 429 and 5xx; `retry_after_s` is what the server asked for, if it did.
    """

    code = "model_status"

    def __init__(self, status: int, retry_after_s: float | None = None) -> None:
        super().__init__(f"the model server answered with HTTP status {status}")
        self.status = status
        self.retry_after_s = retry_after_s
        self.retryable = status in (408, 409, 429) or status >= 500


class ModelStreamBrokenError(ModelError):
    """The stream ended before its finish reason; what had arrived was handled as it came."""

    code = "model_stream_broken"


class ModelNonsenseError(ModelError):
    """The reply is not a permitted action, also after one repair."""

    code = "model_nonsense"


class PolicyFileError(AgentError):
    """The policy file breaks its schema; the message names the line and the field, and what to do."""

    code = "policy_file_invalid"


class EntailmentError(AgentError):
    """The entailment scorer cannot be loaded or failed; the gate's rules decide without it."""

    code = "entailment_error"


class QuestionError(AgentError):
    """The question cannot be asked as it is; the message says what to change."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JournalError(AgentError):
    """Rollouts cannot be written or read; the message names the file and what to do."""

    code = "journal_error"
