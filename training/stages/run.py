"""One stage from files to an adapter with its card. Stopped at any moment, the same call goes on where it was."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from agent.prompts import prompt_sha256
from agent.templates import chat_template_sha256
from training.errors import TrainingConfigError, TrainingDataError
from training.export.rendering import TokenizerRenderer
from training.stages.card import CARD_NAME, WEIGHTS_NAME, TrainedAdapterCard, now, write_card
from training.stages.checkpoints import hold_run, remove_checkpoints
from training.stages.config import Stage
from training.stages.gate_hash import gate_sha256, require_same_gate
from training.stages.pairs import Pair, describe_pairs, read_pairs
from training.stages.plots import PLOT, plot_losses
from training.stages.progress import Report, read_metrics
from training.stages.rows import DataFile, TokenRow, describe, file_sha256, mixed, read_token_rows
from training.stages.spec import StageRun, Trained
from training.stages.together import process_count, train_together

_LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
_LAST_STEPS = 10
_R = TypeVar("_R", TokenRow, Pair)
#: What the repository takes; rank 32 of a 135 million parameter model has 20 MB.
MOST_BYTES = 25_000_000


def run_stage(run: StageRun, *, report: Report = lambda _: None) -> TrainedAdapterCard:
    """Train a stage, or go on with it, and write the adapter with its card.

    Raises:
        TrainingDataError: rows are missing, broken, too long, not consented to, or of another prompt.
        TrainingConfigError: base or adapter do not fit, or a library is missing.
        CheckpointError: the output belongs to another run.
        GateChangedError: the gate changed since the run began.
        WorkerError: a training process ended early.
    """
    if run.stage is not Stage.SFT and run.files.init is None:
        raise TrainingConfigError(f"The stage {run.stage} starts from an adapter: name it with --init.")
    material = _material(run)
    gate = _hold(run, material.data)
    together = 1 if _library("training.stages.model").device() == "cuda" else process_count(run.config)
    trained = train_together(run, together, report) if together > 1 else _train(run, material, report)
    return _finish(run, material, trained, gate)


def train_here(run: StageRun, report: Report) -> Trained:
    """Train in this process, which may be one of several. Raises as `run_stage`."""
    return _train(run, _material(run), report)


@dataclass(frozen=True, slots=True)
class _Material:
    """Rows or pairs, and what the card says of their files."""

    rows: list[TokenRow]
    dev_rows: list[TokenRow]
    pairs: list[Pair]
    dev_pairs: list[Pair]
    data: tuple[DataFile, ...]
    dev: DataFile | None

    @property
    def count(self) -> int:
        return len(self.rows) + len(self.pairs)


def _material(run: StageRun) -> _Material:
    files, config = run.files, run.config
    if run.stage is Stage.DPO:
        renderer = TokenizerRenderer(Path(run.base.path))
        pairs = _of_this_prompt(files.data, read_pairs(files.data, renderer, config.max_tokens))
        held = _of_this_prompt(files.dev, read_pairs(files.dev, renderer, config.max_tokens)) if files.dev else []
        held = held[: config.dev_rows]
        told = describe_pairs(files.dev, held) if files.dev else None
        return _Material([], [], pairs, held, (describe_pairs(files.data, pairs),), told)
    rows = _of_this_prompt(files.data, read_token_rows(files.data, config.max_tokens))
    data = [describe(files.data, rows)]
    if files.earlier is not None and config.earlier_share > 0:
        earlier = _of_this_prompt(files.earlier, read_token_rows(files.earlier, config.max_tokens))
        rows = mixed(rows, earlier, config.earlier_share)
        data.append(describe(files.earlier, earlier))
    dev = _of_this_prompt(files.dev, read_token_rows(files.dev, config.max_tokens)) if files.dev else []
    dev = dev[: config.dev_rows]
    return _Material(rows, dev, [], [], tuple(data), describe(files.dev, dev) if files.dev else None)


def _train(run: StageRun, material: _Material, report: Report) -> Trained:
    if run.stage is Stage.DPO:
        trained: Trained = _library("training.stages.preferred").train_preferred(
            run, material.pairs, material.dev_pairs, report
        )
    else:
        trained = _library("training.stages.supervised").train_supervised(run, material.rows, material.dev_rows, report)
    return trained


def _finish(run: StageRun, material: _Material, trained: Trained, gate: str) -> TrainedAdapterCard:
    """Check the gate, write the card and the plot, and remove what only a running stage needs."""
    require_same_gate(gate)
    files, base, config = run.files, run.base, run.config
    weights = files.output / WEIGHTS_NAME
    records = read_metrics(files.output)
    last = [record.loss for record in records[-_LAST_STEPS:]]
    card = TrainedAdapterCard(
        name=files.output.name,
        stage=run.stage,
        base=base.name,
        base_sha256=base.sha256,
        init=files.init.name if files.init else None,
        init_sha256=file_sha256(files.init / WEIGHTS_NAME) if files.init else None,
        template_sha256=chat_template_sha256(),
        prompt_sha256=prompt_sha256(),
        adapter_sha256=file_sha256(weights),
        gate_sha256=gate,
        data=material.data,
        rows=material.count,
        config=config.model_dump(mode="json"),
        steps=trained.steps,
        tokens=trained.tokens,
        seconds=round(trained.seconds, 1),
        tokens_per_s=round(trained.tokens / max(trained.seconds, 1e-9), 1),
        peak_memory_gb=round(trained.peak_memory_gb, 2),
        hardware=trained.hardware,
        final_loss=round(sum(last) / len(last), 4) if last else None,
        dev_loss_before=_rounded(trained.dev_loss_before),
        dev_loss=_rounded(trained.dev_loss),
        dev_data=material.dev,
        versions={name: importlib.metadata.version(name) for name in _LIBRARIES},
        trained_at=now(),
    )
    write_card(files.output, card)
    plot_losses(records, files.output / PLOT)
    remove_checkpoints(files.output)
    return card


def is_finished(folder: Path) -> bool:
    """Whether a stage has written its card there, which it does last."""
    return (folder / CARD_NAME).is_file() and (folder / WEIGHTS_NAME).is_file()


def _hold(run: StageRun, data: Sequence[DataFile]) -> str:
    gate = gate_sha256()
    identity: dict[str, Any] = {
        "stage": run.stage,
        "base": run.base.sha256 or run.base.name,
        "init": file_sha256(run.files.init / WEIGHTS_NAME) if run.files.init else None,
        "data": [one.sha256 for one in data],
        "config": run.config.of_the_run(),
        "prompt": prompt_sha256(),
        "template": chat_template_sha256(),
        "gate": gate,
    }
    hold_run(run.files.output, identity)
    return gate


def _of_this_prompt(path: Path, rows: list[_R]) -> list[_R]:
    for number, row in enumerate(rows, 1):
        if row.provenance.prompt_sha256 != prompt_sha256():
            raise TrainingDataError(
                f"{path.name} row {number} was made with another prompt: generate the rollouts again."
            )
    return rows


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _library(name: str) -> Any:
    """A module that needs torch and TRL, which only training does."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise TrainingConfigError("Training needs TRL: pip install 'clinsearch[dense,model,train]'.") from error
