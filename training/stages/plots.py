"""Loss over steps as a picture, for the folder of a run."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from training.stages.progress import StepRecord

PLOT = "loss.png"
_SMOOTHED_OVER = 10


def plot_losses(records: Sequence[StepRecord], path: Path) -> bool:
    """Draw training and held-out loss; False where matplotlib is not installed or there is nothing to draw."""
    if not records or importlib.util.find_spec("matplotlib") is None:
        return False
    figure_class = importlib.import_module("matplotlib.figure").Figure
    figure = figure_class(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    steps = [record.step for record in records]
    losses = [record.loss for record in records]
    smooth = [
        sum(losses[max(0, at - _SMOOTHED_OVER + 1) : at + 1]) / min(at + 1, _SMOOTHED_OVER) for at in range(len(losses))
    ]
    axes.plot(steps, losses, color="0.8", linewidth=1, label="training, each step")
    axes.plot(steps, smooth, linewidth=1.5, label=f"training, mean of {_SMOOTHED_OVER} steps")
    held = [(record.step, record.dev_loss) for record in records if record.dev_loss is not None]
    if held:
        axes.plot([step for step, _ in held], [loss for _, loss in held], "o-", label="held-out rows")
    axes.set(xlabel="step", ylabel="loss", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=100)
    return True
