"""Supervised training on token rows with TRL's own trainer."""

from __future__ import annotations

import os
import platform
import random
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import datasets
import torch
import trl

from training.stages.causal_attention import use_causal_blocks
from training.stages.checkpoints import last_checkpoint
from training.stages.config import StageConfig
from training.stages.following import Following
from training.stages.low_rank import fuse_low_rank
from training.stages.model import device, load_base, quiet, save_update, with_update
from training.stages.progress import Report
from training.stages.rows import TokenRow
from training.stages.scoring import Openings, score_labelled_only
from training.stages.spec import StageRun, Trained

_R = TypeVar("_R")


def arguments(config: StageConfig, folder: Path, rows: int, *, has_dev: bool) -> dict[str, Any]:
    """What the trainers of all stages are told."""
    on_gpu = device() == "cuda"
    share = max(1, config.rows_per_step // processes())
    at_once = min(config.rows_at_once_gpu if on_gpu else config.rows_at_once_cpu, share)
    steps = config.max_steps or max(1, round(rows * config.epochs / config.rows_per_step))
    every = max(1, steps // (config.dev_checks + 1))
    return {
        "output_dir": str(folder),
        "seed": config.seed,
        "data_seed": config.seed,
        "per_device_train_batch_size": at_once,
        "per_device_eval_batch_size": at_once,
        "gradient_accumulation_steps": max(1, config.rows_per_step // (at_once * processes())),
        "max_steps": steps,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        "warmup_steps": round(steps * config.warmup_share),
        "weight_decay": config.weight_decay,
        "optim": "adamw_torch_fused",
        "max_grad_norm": 1.0,
        # The base is bfloat16 already and the update float32: autocast would only cast again.
        "bf16": False,
        "use_cpu": not on_gpu,
        "ddp_backend": "gloo" if processes() > 1 and not on_gpu else None,
        "ddp_find_unused_parameters": False,
        "activation_checkpointing": False,
        "train_sampling_strategy": "group_by_length" if at_once > 1 else "sequential" if processes() > 1 else "random",
        "max_length": None,
        "logging_steps": 1,
        "logging_strategy": "steps",
        "disable_tqdm": True,
        "report_to": "none",
        "save_strategy": "steps",
        # By the clock: see Following.
        "save_steps": 10**9,
        "save_total_limit": 2,
        "eval_strategy": "steps" if has_dev else "no",
        "eval_steps": every,
        "prediction_loss_only": True,
        "dataloader_pin_memory": on_gpu,
        "dataloader_num_workers": 0,
    }


def train_supervised(stage: StageRun, rows: Sequence[TokenRow], dev: Sequence[TokenRow], report: Report) -> Trained:
    """Train, or go on with the run in its folder, and write the update there.

    Raises:
        TrainingConfigError: base or adapter do not fit.
    """
    config, folder = stage.config, stage.files.output
    use_threads(config)
    model, tokenizer = load_base(stage.base.path)
    seed_everything(config.seed)
    model = with_update(model, config, stage.files.init)
    rows = shared_rows(rows, [len(row.input_ids) for row in rows], config.seed)
    follower = Following(folder, config, [len(row.input_ids) for row in rows], report)
    settings = trl.SFTConfig(**arguments(config, folder, len(rows), has_dev=bool(dev)))
    with quiet():
        trainer = trl.SFTTrainer(
            model=model,
            args=settings,
            train_dataset=_dataset(rows),
            eval_dataset=_dataset(dev) if dev else None,
            processing_class=tokenizer,
            callbacks=[follower],
        )
    return run(trainer, follower, stage, [len(row.input_ids) for row in rows])


def run(trainer: Any, follower: Following, stage: StageRun, tokens: Sequence[int]) -> Trained:
    """Make a trainer's model fast, let it go on where it was, and write the update."""
    from transformers.trainer_callback import PrinterCallback

    folder = stage.files.output
    trainer.remove_callback(PrinterCallback)
    openings = Openings(stage.config.opening_tokens, stage.config.opening_weight)
    score_labelled_only(trainer.model.get_base_model(), openings)
    fuse_low_rank(trainer.model)
    use_causal_blocks(trainer.model.get_base_model())
    main = trainer.is_world_process_zero()
    at = last_checkpoint(folder, clean=main)
    before = None
    with quiet():
        if at is None and trainer.eval_dataset is not None:
            before = float(trainer.evaluate()["eval_loss"])
        result = trainer.train(resume_from_checkpoint=str(at) if at else None)
        after = float(trainer.evaluate()["eval_loss"]) if trainer.eval_dataset is not None else None
    if main:
        save_update(trainer.model, folder, stage.base.name)
    done = result.global_step
    mean = sum(tokens) / max(1, len(tokens))
    return Trained(
        steps=done,
        seconds=follower.seconds,
        tokens=round(mean * done * stage.config.rows_per_step),
        peak_memory_gb=_peak_memory_gb(),
        hardware=_hardware(),
        dev_loss_before=before,
        dev_loss=after,
    )


def processes() -> int:
    """How many train together; set by who started them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def shared_rows(rows: Sequence[_R], lengths: Sequence[int], seed: int) -> Sequence[_R]:
    """The rows in the order to train them where several processes share them, else as they are.

    By chance, but those computed at the same time are of like length: processes take neighbouring rows, and wait for
    each other at the end of a step.
    """
    count = processes()
    if count == 1:
        return rows
    by_length = sorted(range(len(rows)), key=lambda place: (lengths[place], place))
    groups = [by_length[at : at + count] for at in range(0, len(by_length), count)]
    whole = [group for group in groups if len(group) == count]
    random.Random(seed).shuffle(whole)  # noqa: S311 - a draw to repeat, not a secret
    return [rows[place] for group in [*whole, *groups[len(whole) :]] for place in group]


def use_threads(config: StageConfig) -> None:
    """Of the CPU, as the config says."""
    if config.threads or processes() > 1:
        torch.set_num_threads(config.threads or 1)


def seed_everything(seed: int) -> None:
    """Of every generator a new update or an order of rows is drawn from."""
    import transformers

    transformers.set_seed(seed)


def _dataset(rows: Sequence[TokenRow]) -> Any:
    return datasets.Dataset.from_dict(
        {"input_ids": [list(row.input_ids) for row in rows], "labels": [list(row.labels) for row in rows]}
    )


def _peak_memory_gb() -> float:
    if device() == "cuda":
        return float(torch.cuda.max_memory_allocated()) / 1e9
    return processes() * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _hardware() -> str:
    if device() == "cuda":
        return str(torch.cuda.get_device_name())
    return f"CPU ({platform.machine()}), processes {processes()}, threads of each {torch.get_num_threads()}, bfloat16"
