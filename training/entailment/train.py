"""The training loop: the upper layers of MiniLM and a comparing head, by the cross-entropy of "entailed or not".

The lower layers stay as they are, so what they make of every pair is computed once and kept in memory (bfloat16, about
70 KB a pair); a step costs half of what it would. On the CPU in bfloat16 autocast. A checkpoint every few steps: a run
that was stopped goes on from there with the same steps and learning rates it would have had.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from agent.gate.entailment.adapter import new_network
from agent.gate.entailment.network import EntailmentNetwork, token_masks
from retrieval.reranking import BaseModel
from training.entailment.config import EntailmentConfig
from training.entailment.dataset import Pair
from training.errors import CheckpointError

_CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"
#: May change while a run goes on: they decide nothing of its weights.
_NOT_OF_THE_RUN = {"threads", "checkpoint_steps", "max_tokens", "most_wrong"}
_POOL_STEPS = 16  # steps whose pairs are sorted by length together
_ONCE = 64  # pairs whose lower layers are computed together
_MASKED = -1e4

#: By their names in the network.
Weights = dict[str, Tensor]
#: Says what happens now: the stage, done, in all.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class _Read:
    """A pair as the lower layers leave it."""

    #: bfloat16, shape [tokens, width].
    hidden: Tensor
    #: 0 for the sentence with [CLS] and [SEP], 1 for the premise; shape [tokens].
    types: Tensor


def train(
    pairs: Sequence[Pair],
    base: BaseModel,
    config: EntailmentConfig,
    folder: Path,
    *,
    data_hash: str,
    progress: Progress = lambda _stage, _done, _total: None,
) -> tuple[Weights, float]:
    """Train, or go on with the run in `folder`.

    Args:
        data_hash: of the pairs; a checkpoint of other data is refused.

    Returns:
        The trained weights by their names in the network, float32, and the seconds spent in steps.

    Raises:
        CheckpointError: the checkpoint there belongs to another run or cannot be read.
        EntailmentError: the base is not installed.
    """
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    folder.mkdir(parents=True, exist_ok=True)
    network = new_network(base)
    upper = network.encoder.encoder.layer[config.kept_layers :]
    for parameter in network.encoder.parameters():
        parameter.requires_grad = False
    for parameter in upper.parameters():
        parameter.requires_grad = True
    read = _lower(network, base, pairs, config, progress)
    trained = [*upper.parameters(), *network.head.parameters()]
    optimiser = torch.optim.AdamW(
        [
            {"params": list(upper.parameters()), "lr": config.learning_rate},
            {"params": list(network.head.parameters()), "lr": config.head_learning_rate},
        ],
        weight_decay=config.weight_decay,
    )
    steps = schedule([len(one.types) for one in read], config)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate_share(step, len(steps), config))
    identity = json.dumps({"data": data_hash, "config": config.model_dump(exclude=_NOT_OF_THE_RUN)}, sort_keys=True)
    state = {"network": network, "optimiser": optimiser, "rate": rate}
    start, seconds = _resume(folder / _CHECKPOINT, identity, state)
    network.head.train()
    with (folder / METRICS).open("a", encoding="utf-8") as metrics:
        for number in range(start, len(steps)):
            began = time.perf_counter()
            scores = _upper(network, upper, [read[at] for at in steps[number]])
            wanted = torch.tensor([abs(float(pairs[at].entailed) - config.label_smoothing) for at in steps[number]])
            loss = functional.binary_cross_entropy_with_logits(scores, wanted)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            rate.step()
            seconds += time.perf_counter() - began
            metrics.write(json.dumps({"step": number + 1, "loss": loss.item()}) + "\n")
            metrics.flush()
            progress(f"training, loss {loss.item():.3f}", number + 1, len(steps))
            if (number + 1) % config.checkpoint_steps == 0 or number + 1 == len(steps):
                _save(folder / _CHECKPOINT, identity, (number + 1, seconds), state)
    network.eval()
    names = {f"encoder.encoder.layer.{at}." for at in range(config.kept_layers, len(network.encoder.encoder.layer))}
    weights = {
        name: value.detach().clone()
        for name, value in network.state_dict().items()
        if name.startswith("head.") or any(name.startswith(layer) for layer in names)
    }
    return weights, seconds


def schedule(lengths: Sequence[int], config: EntailmentConfig) -> tuple[tuple[int, ...], ...]:
    """Which pairs each step sees, by number; each pass sees each pair once, and pairs of like length share a step."""
    drawn = random.Random(config.seed + 1)  # noqa: S311 - a draw to repeat, not a secret
    size = config.pairs_per_step
    steps: list[tuple[int, ...]] = []
    for _ in range(config.epochs):
        order = list(range(len(lengths)))
        drawn.shuffle(order)
        passed: list[tuple[int, ...]] = []
        for first in range(0, len(order), size * _POOL_STEPS):
            near = sorted(order[first : first + size * _POOL_STEPS], key=lengths.__getitem__)
            passed += [tuple(near[at : at + size]) for at in range(0, len(near), size)]
        drawn.shuffle(passed)
        steps += passed
    return tuple(steps)


def learning_rate_share(step: int, steps: int, config: EntailmentConfig) -> float:
    """Share of the full learning rate: up in a line over the warm-up, then down in a line to nothing."""
    warm = config.warmup_share * steps
    return min(1.0, (step + 1) / warm if warm else 1.0) * max(0.0, 1 - step / steps)


@torch.inference_mode()
def _lower(
    network: EntailmentNetwork, base: BaseModel, pairs: Sequence[Pair], config: EntailmentConfig, progress: Progress
) -> list[_Read]:
    """What the kept layers make of every pair."""
    found: list[_Read | None] = [None] * len(pairs)
    order = sorted(range(len(pairs)), key=lambda at: len(pairs[at].sentence) + len(pairs[at].premise))
    kept = network.encoder.encoder.layer[: config.kept_layers]
    for first in range(0, len(order), _ONCE):
        chosen = order[first : first + _ONCE]
        inputs = base.tokenise(
            [pairs[at].sentence for at in chosen], [pairs[at].premise for at in chosen], config.trained_tokens
        )
        with torch.autocast("cpu", dtype=torch.bfloat16):
            embedded = network.encoder.embeddings(
                input_ids=inputs["input_ids"], token_type_ids=inputs["token_type_ids"]
            )
            hidden = _through(kept, embedded, inputs["attention_mask"])
        for row, at in enumerate(chosen):
            tokens = int(inputs["attention_mask"][row].sum())
            found[at] = _Read(
                hidden[row, :tokens].to(torch.bfloat16).clone(),
                inputs["token_type_ids"][row, :tokens].to(torch.uint8).clone(),
            )
        progress("reading pairs", first + len(chosen), len(order))
    return [one for one in found if one is not None]


def _upper(network: EntailmentNetwork, upper: Any, chosen: Sequence[_Read]) -> Tensor:
    """Log-odds of pairs, shape [pairs]."""
    longest = max(len(one.types) for one in chosen)
    width = chosen[0].hidden.shape[-1]
    hidden = torch.zeros(len(chosen), longest, width, dtype=torch.bfloat16)
    mask, types = torch.zeros(len(chosen), longest), torch.zeros(len(chosen), longest)
    for row, one in enumerate(chosen):
        tokens = len(one.types)
        hidden[row, :tokens], mask[row, :tokens], types[row, :tokens] = one.hidden, 1.0, one.types.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        read = _through(upper, hidden, mask)
    return network.head(read.float(), *token_masks(mask, types))  # type: ignore[no-any-return]


def _through(layers: Any, hidden: Tensor, attention_mask: Tensor) -> Tensor:
    added = (1.0 - attention_mask[:, None, None, :].to(torch.bfloat16)) * _MASKED
    for layer in layers:
        made = layer(hidden, added)
        hidden = made[0] if isinstance(made, tuple) else made
    return hidden


def _resume(path: Path, identity: str, state: dict[str, Any]) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    try:
        held = torch.load(path, weights_only=True)
        if held["identity"] != identity:
            raise CheckpointError(f"The run in {path.parent.name} is of other data or settings: use another folder.")
        for name, one in state.items():
            one.load_state_dict(held[name])
        torch.set_rng_state(held["random"])
        return int(held["step"]), float(held["seconds"])
    except (OSError, RuntimeError, KeyError, ValueError, UnpicklingError) as error:
        raise CheckpointError(f"The checkpoint in {path.parent.name} cannot be read: remove the folder.") from error


def _save(path: Path, identity: str, done: tuple[int, float], state: dict[str, Any]) -> None:
    written = path.with_suffix(".part")
    held = {name: one.state_dict() for name, one in state.items()}
    torch.save(
        {**held, "identity": identity, "step": done[0], "seconds": done[1], "random": torch.get_rng_state()}, written
    )
    written.replace(path)
