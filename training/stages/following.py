"""Follows a trainer from step to step: records, checkpoints by the clock, held-out losses."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from training.stages.config import StageConfig
from training.stages.plots import PLOT, plot_losses
from training.stages.progress import Report, StepRecord, append_metrics, read_metrics, write_metrics


class Following(TrainerCallback):
    """Told of every step by the trainer, tells `report`."""

    def __init__(self, folder: Path, config: StageConfig, tokens: list[int], report: Report) -> None:
        """`tokens` counts the tokens of each row; their mean is what an update's row stands for."""
        self._folder = folder
        self._config = config
        self._tokens_per_step = sum(tokens) / max(1, len(tokens)) * config.rows_per_step
        self._report = report
        self._before = 0.0
        self._seconds = 0.0
        self._saved_at = 0.0
        self._dev: dict[int, float] = {}

    @property
    def seconds(self) -> float:
        """Spent in steps, over all calls that the run took."""
        return self._seconds

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Forget records of steps that will be done again."""
        kept = read_metrics(self._folder, up_to=state.global_step)
        if state.is_world_process_zero:
            write_metrics(self._folder, kept)
        self._seconds = kept[-1].seconds if kept else 0.0
        self._saved_at = time.monotonic()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """An update begins."""
        self._before = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """An update was made: save where the time for it has come."""
        self._took = time.monotonic() - self._before
        self._seconds += self._took
        last = state.global_step >= state.max_steps
        if last or time.monotonic() - self._saved_at >= self._config.checkpoint_minutes * 60:
            control.should_save = True
            self._saved_at = time.monotonic()

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:  # noqa: ARG002
        """Held-out rows were measured: into the record of the step before."""
        loss = (metrics or {}).get("eval_loss")
        records = read_metrics(self._folder)
        if state.is_world_process_zero and loss is not None and records and records[-1].step == state.global_step:
            records[-1] = records[-1].model_copy(update={"dev_loss": float(loss)})
            write_metrics(self._folder, records)
            plot_losses(records, self._folder / PLOT)
            self._report(records[-1])

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        """The trainer's own figures of a step."""
        if not state.is_world_process_zero or logs is None or "loss" not in logs:
            return
        record = StepRecord(
            step=state.global_step,
            steps=state.max_steps,
            loss=float(logs["loss"]),
            learning_rate=float(logs["learning_rate"]),
            tokens_per_s=self._tokens_per_step / max(self._took, 1e-9),
            seconds=self._seconds,
            reward_accuracy=logs.get("rewards/accuracies"),
        )
        append_metrics(self._folder, record)
        self._report(record)
