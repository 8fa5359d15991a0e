"""Direct preference optimisation (Rafailov et al., NeurIPS 2023) on pairs, with TRL's own trainer.

The reference is the adapter the stage starts from. TRL's collator counts every token after the prompt; here only those
that the pair's masks name, because in a whole run most of what follows the prompt was retrieved, not said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import torch
import trl
from trl.trainer.dpo_trainer import DataCollatorForPreference

from training.stages.following import Following
from training.stages.model import load_base, quiet, with_update
from training.stages.pairs import Pair
from training.stages.progress import Report
from training.stages.spec import StageRun, Trained
from training.stages.supervised import arguments, run, seed_everything, shared_rows, use_threads

_COLUMNS = ["prompt_ids", "chosen_ids", "rejected_ids", "chosen_mask", "rejected_mask"]


class SampledOnlyCollator(DataCollatorForPreference):  # type: ignore[misc]
    """TRL's batch, in which only the tokens of the masks count."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """See `DataCollatorForPreference.torch_call`; rows also have `chosen_mask` and `rejected_mask` of 0 and 1."""
        batch: dict[str, Any] = super().torch_call(examples)
        sides = [(row, "chosen_mask") for row in examples] + [(row, "rejected_mask") for row in examples]
        for at, (row, side) in enumerate(sides):
            start = len(row["prompt_ids"])
            mask = torch.tensor(row[side])
            batch["completion_mask"][at, start : start + len(mask)] *= mask
        return batch


class PairTrainer(trl.DPOTrainer):  # type: ignore[misc]
    """TRL's trainer on rows that are tokens already."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = [*_COLUMNS, "ref_chosen_logps", "ref_rejected_logps"]


def train_preferred(stage: StageRun, pairs: Sequence[Pair], dev: Sequence[Pair], report: Report) -> Trained:
    """Train, or go on with the run in its folder, and write the update there.

    Raises:
        TrainingConfigError: base or adapter do not fit.
    """
    config, folder = stage.config, stage.files.output
    use_threads(config)
    model, tokenizer = load_base(stage.base.path)
    seed_everything(config.seed)
    model = with_update(model, config, stage.files.init)
    pairs = shared_rows(pairs, [pair.tokens for pair in pairs], config.seed)
    tokens = [pair.tokens for pair in pairs]
    follower = Following(folder, config, tokens, report)
    weighted = config.likelihood_weight > 0
    settings = trl.DPOConfig(
        **arguments(config, folder, len(pairs), has_dev=bool(dev)),
        beta=config.beta,
        loss_type=["sigmoid", "sft"] if weighted else ["sigmoid"],
        loss_weights=[1.0, config.likelihood_weight] if weighted else None,
    )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    with quiet():
        trainer = PairTrainer(
            model=model,
            args=settings,
            data_collator=SampledOnlyCollator(pad_token_id=tokenizer.pad_token_id),
            train_dataset=_dataset(pairs),
            eval_dataset=_dataset(dev) if dev else None,
            processing_class=tokenizer,
            callbacks=[follower],
        )
    return run(trainer, follower, stage, tokens)


def _dataset(pairs: Sequence[Pair]) -> Any:
    return datasets.Dataset.from_dict({name: [list(getattr(pair, name)) for pair in pairs] for name in _COLUMNS})
