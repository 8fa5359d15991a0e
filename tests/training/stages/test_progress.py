"""If these fail, the curve of a run that was killed shows steps twice, or none."""

from __future__ import annotations

from pathlib import Path

from training.stages.plots import plot_losses
from training.stages.progress import METRICS, StepRecord, append_metrics, read_metrics, write_metrics


def record(step: int, loss: float = 1.0, dev_loss: float | None = None) -> StepRecord:
    return StepRecord(
        step=step, steps=9, loss=loss, learning_rate=1e-4, tokens_per_s=10, seconds=step, dev_loss=dev_loss
    )


def test_a_torn_line_is_left_out_and_a_step_done_again_counts_once(tmp_path: Path) -> None:
    for one in (record(1), record(2), record(2, loss=0.5)):
        append_metrics(tmp_path, one)
    with (tmp_path / METRICS).open("a") as file:
        file.write('{"step": 3, "lo')
    assert [(one.step, one.loss) for one in read_metrics(tmp_path)] == [(1, 1.0), (2, 0.5)]
    assert [one.step for one in read_metrics(tmp_path, up_to=1)] == [1]
    write_metrics(tmp_path, read_metrics(tmp_path, up_to=1))
    assert [one.step for one in read_metrics(tmp_path)] == [1]


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "loss.png"
    assert plot_losses([record(1), record(2, 0.5, dev_loss=0.7)], path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert not plot_losses([], path)
