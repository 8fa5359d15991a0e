"""Errors of the retrieval evaluation: what to correct before a measurement means anything.

EvaluationError
├── SetMissingError       the files of a question set are not on this machine; the run goes on without it
├── SetInvalidError       a question set is damaged or contradicts itself
├── UnknownSystemError    a system was named that does not exist
├── OutputError           a result cannot be written where it was asked for
└── ExtraMissingError     a package of the extra `eval` is not installed
"""

from __future__ import annotations


class EvaluationError(Exception):
    """Base of everything this package raises on purpose; the message is one sentence for the user."""

    code = "evaluation_error"
    retryable = False


class SetMissingError(EvaluationError):
    """The files of a question set are not on this machine."""

    code = "question_set_missing"


class SetInvalidError(EvaluationError):
    """A question set is damaged or contradicts itself; the message names the file and the place, never its text."""

    code = "question_set_invalid"


class UnknownSystemError(EvaluationError):
    """A system was named that does not exist."""

    code = "unknown_system"


class OutputError(EvaluationError):
    """A result cannot be written where it was asked for."""

    code = "output_invalid"


class ExtraMissingError(EvaluationError):
    """A package of the extra `eval` is not installed."""

    code = "extra_missing"
