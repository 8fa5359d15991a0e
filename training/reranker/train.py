"""The training loop: MiniLM with low-rank updates and a scoring head, by a softmax over each question's passages.

Loss of a group: cross-entropy between softmax(scores) and the gains 2^grade - 1 scaled to sum to 1 (ListNet's top-one
form: Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach", ICML 2007). On the CPU in bfloat16
autocast. A checkpoint every few steps: a run that was stopped goes on from there with the same steps and learning rates
it would have had.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import peft
import torch
from torch import Tensor
from torch.nn import functional

from retrieval.reranking.base_model import BaseModel
from retrieval.reranking.network import LORA_LAYERS, CrossEncoderNetwork
from training.errors import CheckpointError
from training.reranker.config import RerankerConfig
from training.reranker.groups import Group
from training.reranker.schedule import Schedule
from training.reranker.steps import StepReport

_CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"
# May change while a run goes on: they decide nothing of its weights.
_NOT_OF_THE_RUN = {"threads", "checkpoint_steps", "max_tokens", "candidates", "kept_shares"}


Report = Callable[[StepReport], None]
#: Low-rank updates by layer ("...lora_A", "...lora_B") and the head's weights ("head. ..."), float32.
Weights = dict[str, Tensor]


def train(
    plan: Schedule,
    base: BaseModel,
    config: RerankerConfig,
    folder: Path,
    *,
    data_hash: str,
    report: Report = lambda _: None,
    after_corpora: Callable[[Weights], None] = lambda _: None,
) -> tuple[Weights, float]:
    """Train, or go on with the run in `folder`.

    Args:
        data_hash: of the groups; a checkpoint of other data is refused.
        after_corpora: given the weights before the first graded answer is seen.

    Returns:
        The weights, and the seconds spent in steps over all calls that the run took.

    Raises:
        CheckpointError: the checkpoint there belongs to another run or cannot be read.
    """
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    network = _network(base, config)
    optimiser = _optimiser(network, config)
    steps = len(plan.steps)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, config))
    identity = {
        "data": data_hash,
        "config": config.model_dump(exclude={"threads", "checkpoint_steps", "max_tokens", "candidates", "kept_shares"}),
    }
    start, seconds = _resume(folder / _CHECKPOINT, identity, network, optimiser, rate)
    network.train()
    with (folder / METRICS).open("a", encoding="utf-8") as metrics:
        for number in range(start, steps):
            if number == plan.corpus_steps:
                after_corpora(trained_weights(network))
            began = time.perf_counter()
            loss, right, pairs = _step(plan.steps[number], network, base, config)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], 1.0)
            optimiser.step()
            rate.step()
            optimiser.zero_grad(set_to_none=True)
            taken = time.perf_counter() - began
            seconds += taken
            told = StepReport(
                number + 1, steps, float(loss.detach()), right, pairs / taken, float(rate.get_last_lr()[0])
            )
            metrics.write(json.dumps({name: getattr(told, name) for name in told.__slots__}) + "\n")
            metrics.flush()
            report(told)
            if (number + 1) % config.checkpoint_steps == 0 or number + 1 == steps:
                _save(folder / _CHECKPOINT, identity, (number + 1, seconds), network, optimiser, rate)
    if plan.corpus_steps == steps:
        after_corpora(trained_weights(network))
    return trained_weights(network), seconds


def trained_weights(network: CrossEncoderNetwork) -> Weights:
    """A copy of everything that was trained, by the names the adapter file uses."""
    updates = peft.get_peft_model_state_dict(network.encoder)
    weights = {
        name.removeprefix("base_model.model.").removesuffix(".weight"): value.detach().clone()
        for name, value in updates.items()
    }
    weights.update({f"head.{name}": value.detach().clone() for name, value in network.head.state_dict().items()})
    return weights


def listwise_loss(scores: Tensor, grades: Sequence[int]) -> Tensor:
    """Cross-entropy of one group, a scalar; `grades` has one of 0 .. 3 a passage, at least one above 0."""
    gains = torch.tensor([2.0**grade - 1 for grade in grades])
    return -(gains / gains.sum() * functional.log_softmax(scores, dim=0)).sum()


def _network(base: BaseModel, config: RerankerConfig) -> CrossEncoderNetwork:
    network = base.network()
    for parameter in network.encoder.parameters():
        parameter.requires_grad = False
    updates = peft.LoraConfig(
        r=config.rank, lora_alpha=config.alpha, target_modules=list(LORA_LAYERS), lora_dropout=0.0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers for a property by its old name
        network.encoder = peft.get_peft_model(network.encoder, updates)
    return network


def _optimiser(network: CrossEncoderNetwork, config: RerankerConfig) -> torch.optim.Optimizer:
    updates = [p for p in network.encoder.parameters() if p.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": updates, "lr": config.learning_rate, "weight_decay": config.weight_decay},
            {"params": list(network.head.parameters()), "lr": config.head_learning_rate, "weight_decay": 0.0},
        ]
    )


def _rate(step: int, steps: int, config: RerankerConfig) -> float:
    """Linear warm-up, then linear decay to a tenth."""
    warm = max(1, round(steps * config.warmup_share))
    if step < warm:
        return (step + 1) / warm
    return max(0.1, (steps - step) / max(1, steps - warm))


def _step(
    groups: Sequence[Group], network: CrossEncoderNetwork, base: BaseModel, config: RerankerConfig
) -> tuple[Tensor, float, int]:
    questions = [group.question for group in groups for _ in group.passages]
    passages = [passage for group in groups for passage in group.passages]
    inputs = base.tokenise(questions, passages, config.trained_tokens)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = network(**inputs)
    losses, right, at = [], 0, 0
    for group in groups:
        own = scores[at : at + len(group.passages)]
        at += len(group.passages)
        losses.append(listwise_loss(own, group.grades))
        right += group.grades[int(own.argmax())] == max(group.grades)
    return torch.stack(losses).mean(), right / len(groups), len(passages)


def _save(
    path: Path, identity: dict[str, Any], reached: tuple[int, float], network: Any, optimiser: Any, rate: Any
) -> None:
    trained = {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}
    state = {
        "identity": json.dumps(identity, sort_keys=True),
        "reached": list(reached),
        "trained": trained,
        "optimiser": optimiser.state_dict(),
        "rate": rate.state_dict(),
    }
    written = path.with_suffix(".part")
    torch.save(state, written)
    written.replace(path)


def _resume(path: Path, identity: dict[str, Any], network: Any, optimiser: Any, rate: Any) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    try:
        state = torch.load(path, weights_only=True)
        if state["identity"] != json.dumps(identity, sort_keys=True):
            raise CheckpointError(
                f"The run in {path.parent.name} has other data or another config: use another folder, or remove it."
            )
        held = dict(network.named_parameters())
        with torch.no_grad():
            for name, value in state["trained"].items():
                held[name].copy_(value)
        optimiser.load_state_dict(state["optimiser"])
        rate.load_state_dict(state["rate"])
    except (OSError, RuntimeError, KeyError, ValueError, EOFError) as error:
        raise CheckpointError(
            f"The checkpoint in {path.parent.name} cannot be read: remove it to start anew."
        ) from error
    step, seconds = state["reached"]
    return int(step), float(seconds)
