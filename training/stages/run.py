"""One stage from files to an adapter with its card. Stopped at any moment, the same call goes on where it was."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agent.prompts import prompt_sha256
from agent.templates import chat_template_sha256
from training.export.rendering import Renderer
from training.stages.card import CARD_NAME, WEIGHTS_NAME, TrainedAdapterCard, now, write_card
from training.stages.checkpoints import hold_run, remove_checkpoints
from training.stages.config import Stage, StageConfig
from training.stages.errors import TrainingConfigError, TrainingDataError
from training.stages.gate_hash import gate_sha256, require_same_gate
from training.stages.pairs import Pair, describe_pairs, read_pairs
from training.stages.plots import PLOT, plot_losses
from training.stages.progress import Report, read_metrics
from training.stages.rows import DataFile, TokenRow, describe, file_sha256, mixed, read_token_rows

if TYPE_CHECKING:
    from training.stages.supervised import Trained

_LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
_LAST_STEPS = 10
_R = TypeVar("_R", TokenRow, Pair)
#: What the repository takes; rank 32 of a 135 million parameter model has 20 MB.
MOST_BYTES = 25_000_000


@dataclass(frozen=True, slots=True)
class Base:
    """The model that is trained on: where it is, what it is called, and the hash of what it was made from."""

    path: str
    name: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class StageFiles:
    """What a stage reads and where it writes."""

    data: Path
    output: Path
    dev: Path | None = None
    #: The adapter to start from.
    init: Path | None = None
    #: Self-distillation: rows of the earlier stage, of which a share is mixed in.
    earlier: Path | None = None


def run_supervised(
    stage: Stage, files: StageFiles, base: Base, config: StageConfig, *, report: Report = lambda _: None
) -> TrainedAdapterCard:
    """SFT, or self-distillation from an earlier adapter.

    Raises:
        TrainingDataError: rows are missing, broken, too long, not consented to, or of another prompt or template.
        TrainingConfigError: base or adapter do not fit, or a library is missing.
        CheckpointError: the output belongs to another run.
        GateChangedError: the gate changed since the run began.
    """
    rows = _rows(files.data, config)
    data = [describe(files.data, rows)]
    if files.earlier is not None and config.earlier_share > 0:
        earlier = _rows(files.earlier, config)
        rows = mixed(rows, earlier, config.earlier_share)
        data.append(describe(files.earlier, earlier))
    dev = _rows(files.dev, config) if files.dev is not None else []
    gate = _hold(stage, files, base, config, data)
    trained = _library("training.stages.supervised").train_supervised(
        base.path, rows, dev, config, files.output, init=files.init, report=report
    )
    dev_file = describe(files.dev, dev[: config.dev_rows]) if files.dev is not None else None
    return finish(stage, files, base, config, trained, data, len(rows), gate, dev_file)


def run_preferred(
    files: StageFiles, base: Base, config: StageConfig, renderer: Renderer, *, report: Report = lambda _: None
) -> TrainedAdapterCard:
    """DPO from an earlier adapter, on pairs.

    Args:
        renderer: turns pairs that are messages into ids.

    Raises:
        As `run_supervised`.
    """
    if files.init is None:
        raise TrainingConfigError("DPO starts from an adapter: name it with --init.")
    pairs = _of_this_prompt(files.data, read_pairs(files.data, renderer, config.max_tokens))
    dev = _of_this_prompt(files.dev, read_pairs(files.dev, renderer, config.max_tokens)) if files.dev else []
    data = [describe_pairs(files.data, pairs)]
    gate = _hold(Stage.DPO, files, base, config, data)
    trained = _library("training.stages.preferred").train_preferred(
        base.path, pairs, dev, config, files.output, init=files.init, report=report
    )
    dev_file = describe_pairs(files.dev, dev[: config.dev_rows]) if files.dev else None
    return finish(Stage.DPO, files, base, config, trained, data, len(pairs), gate, dev_file)


def finish(
    stage: Stage,
    files: StageFiles,
    base: Base,
    config: StageConfig,
    trained: Trained,
    data: Sequence[DataFile],
    rows: int,
    gate: str,
    dev: DataFile | None,
) -> TrainedAdapterCard:
    """Check the gate, write the card and the plot, and remove what only a running stage needs."""
    require_same_gate(gate)
    weights = files.output / WEIGHTS_NAME
    records = read_metrics(files.output)
    last = [record.loss for record in records[-_LAST_STEPS:]]
    card = TrainedAdapterCard(
        name=files.output.name,
        stage=stage,
        base=base.name,
        base_sha256=base.sha256,
        init=files.init.name if files.init else None,
        init_sha256=file_sha256(files.init / WEIGHTS_NAME) if files.init else None,
        template_sha256=chat_template_sha256(),
        prompt_sha256=prompt_sha256(),
        adapter_sha256=file_sha256(weights),
        gate_sha256=gate,
        data=tuple(data),
        rows=rows,
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
        dev_data=dev,
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


def _hold(stage: Stage, files: StageFiles, base: Base, config: StageConfig, data: Sequence[DataFile]) -> str:
    gate = gate_sha256()
    identity: dict[str, Any] = {
        "stage": stage,
        "base": base.sha256 or base.name,
        "init": file_sha256(files.init / WEIGHTS_NAME) if files.init else None,
        "data": [one.sha256 for one in data],
        "config": config.of_the_run(),
        "prompt": prompt_sha256(),
        "template": chat_template_sha256(),
        "gate": gate,
    }
    hold_run(files.output, identity)
    return gate


def _rows(path: Path, config: StageConfig) -> list[TokenRow]:
    return _of_this_prompt(path, read_token_rows(path, config.max_tokens))


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
    # Threads that wait for each other must not burn the core the other one needs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise TrainingConfigError("Training needs TRL: pip install 'clinsearch[dense,model,train]'.") from error
