"""Errors of the training stages, in the tree that all of training shares (training/reranker/errors.py)."""

from __future__ import annotations

from training.reranker.errors import CheckpointError, TrainingConfigError, TrainingDataError, TrainingError


class GateChangedError(TrainingError):
    """The gate that judged the data is not the gate of now: what was learnt would be scored by another rule."""

    code = "gate_changed"


class WorkerError(TrainingError):
    """A process that trained ended without a result."""

    code = "training_worker_failed"
    retryable = True


__all__ = [
    "CheckpointError",
    "GateChangedError",
    "TrainingConfigError",
    "TrainingDataError",
    "TrainingError",
    "WorkerError",
]
