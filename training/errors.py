"""Errors of training: what to correct before a run means anything.

TrainingError
├── TrainingConfigError   the config is not readable or not possible
├── TrainingDataError     there is too little to train on
├── CheckpointError       a run cannot go on from what is on disk
├── GateChangedError      the gate that judged the data is not the gate of now
└── WorkerError           a process that trained ended without a result
"""

from __future__ import annotations


class TrainingError(Exception):
    """Base of everything training raises on purpose; the message is one sentence for the user."""

    code = "training_error"
    retryable = False


class TrainingConfigError(TrainingError):
    """The config is not readable or not possible."""

    code = "training_config_invalid"


class TrainingDataError(TrainingError):
    """There is too little to train on."""

    code = "training_data_missing"


class CheckpointError(TrainingError):
    """A run cannot go on from what is on disk."""

    code = "checkpoint_unusable"


class GateChangedError(TrainingError):
    """The gate that judged the data is not the gate of now: what was learnt would be scored by another rule."""

    code = "gate_changed"


class WorkerError(TrainingError):
    """A process that trained ended without a result."""

    code = "training_worker_failed"
    retryable = True
