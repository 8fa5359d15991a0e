"""The training loop: MiniLM with low-rank updates and a scoring head, by a softmax over each question's passages.

Beside the passages of a group stands one learnt score, that of "none of these". Loss of a group: cross-entropy between
softmax(scores) and the gains 2^grade - 1 scaled to sum to 1 (ListNet's top-one form: Cao et al., "Learning to Rank:
From Pairwise Approach to Listwise Approach", ICML 2007); of a question that nothing answers the whole gain is that of
"none of these", so that scores can be read against it. On the CPU in bfloat16 autocast. A checkpoint every few steps: a
run that was stopped goes on from there with the same steps and learning rates it would have had.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval.reranking.base_model import BaseModel
from retrieval.reranking.network import CrossEncoderNetwork
from training.errors import CheckpointError
from training.reranker.config import RerankerConfig
from training.reranker.low_rank import LowRank, add_low_rank
from training.reranker.schedule import Step
from training.reranker.steps import StepReport

_CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"
#: May change while a run goes on: they decide nothing of its weights.
_NOT_OF_THE_RUN = {"threads", "checkpoint_steps", "max_tokens", "candidates", "kept_shares"}

Report = Callable[[StepReport], None]
#: Low-rank updates by layer ("...lora_A", "...lora_B") and the head's weights ("head. ..."), float32.
Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Trained:
    """What training made."""

    weights: Weights
    #: The score of "none of these".
    none_score: float
    #: Spent in steps, over all calls that the run took.
    seconds: float


def train(
    steps: Sequence[Step],
    base: BaseModel,
    config: RerankerConfig,
    folder: Path,
    *,
    data_hash: str,
    report: Report = lambda _: None,
) -> Trained:
    """Train, or go on with the run in `folder`.

    Args:
        data_hash: of the groups; a checkpoint of other data is refused.

    Raises:
        CheckpointError: the checkpoint there belongs to another run or cannot be read.
    """
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    learner = _Learner(base, config)
    count = len(steps)
    rate = torch.optim.lr_scheduler.LambdaLR(learner.optimiser, lambda step: learning_rate_share(step, count, config))
    identity = json.dumps({"data": data_hash, "config": config.model_dump(exclude=_NOT_OF_THE_RUN)}, sort_keys=True)
    start, seconds = _resume(folder / _CHECKPOINT, identity, learner, rate)
    with (folder / METRICS).open("a", encoding="utf-8") as metrics:
        for number in range(start, count):
            began = time.perf_counter()
            loss, right, pairs = learner.step(steps[number])
            rate.step()
            taken = time.perf_counter() - began
            seconds += taken
            told = StepReport(
                step=number + 1,
                steps=count,
                loss=loss,
                first_right=right,
                none_score=float(learner.none.detach()),
                pairs_per_s=pairs / taken,
                learning_rate=float(rate.get_last_lr()[0]),
            )
            metrics.write(json.dumps({name: getattr(told, name) for name in told.__slots__}) + "\n")
            metrics.flush()
            report(told)
            if (number + 1) % config.checkpoint_steps == 0 or number + 1 == count:
                _save(folder / _CHECKPOINT, identity, (number + 1, seconds), learner, rate)
    return Trained(trained_weights(learner.updates, learner.network), float(learner.none.detach()), seconds)


def trained_weights(updates: Mapping[str, LowRank], network: CrossEncoderNetwork) -> Weights:
    """A copy of everything that was trained, by the names the adapter file uses."""
    weights: Weights = {}
    for name, update in updates.items():
        weights[f"{name}.lora_A"] = update.down.detach().clone()
        weights[f"{name}.lora_B"] = update.up.detach().clone()
    weights.update({f"head.{name}": value.detach().clone() for name, value in network.head.state_dict().items()})
    return weights


def group_loss(scores: Tensor, none: Tensor, grades: Sequence[int]) -> Tensor:
    """Cross-entropy of one group, a scalar.

    Args:
        scores: of the passages, shape [passages].
        none: the score of "none of these", a scalar.
        grades: one of 0 .. 3 a passage.
    """
    gains = torch.tensor([*(2.0**grade - 1 for grade in grades), 0.0 if any(grades) else 1.0])
    return -(gains / gains.sum() * functional.log_softmax(torch.cat([scores, none[None]]), dim=0)).sum()


def learning_rate_share(step: int, steps: int, config: RerankerConfig) -> float:
    """Share of the learning rates at a step, from 0: linear warm-up, then linear decay to the floor."""
    warm = int(steps * config.warmup_share)
    if step < warm:
        return (step + 1) / warm
    return max(config.floor_share, (steps - step) / max(1, steps - warm))


class _Learner:
    """The network, what is trained of it, and its optimiser."""

    def __init__(self, base: BaseModel, config: RerankerConfig) -> None:
        self._base, self._tokens = base, config.trained_tokens
        self.network = base.network()
        self.updates = add_low_rank(self.network.encoder, rank=config.rank, alpha=config.alpha)
        self.none = nn.Parameter(torch.tensor(config.none_start))
        self.network.eval()
        self._clipped = [p for p in self.network.parameters() if p.requires_grad]
        low_rank = [p for p in self.network.encoder.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": low_rank, "lr": config.learning_rate, "weight_decay": config.weight_decay},
                {"params": list(self.network.head.parameters()), "lr": config.head_learning_rate, "weight_decay": 0.0},
                {"params": [self.none], "lr": config.none_learning_rate, "weight_decay": 0.0},
            ]
        )

    def step(self, groups: Step) -> tuple[float, float | None, int]:
        """Learn from one step; gives its loss, the share of right firsts, and its pairs."""
        questions = [group.question for group in groups for _ in group.passages]
        passages = [passage for group in groups for passage in group.passages]
        inputs = self._base.tokenise(questions, passages, self._tokens)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = self.network(**inputs)
        losses, right, at = [], [], 0
        for group in groups:
            own = scores[at : at + len(group.passages)]
            at += len(group.passages)
            losses.append(group_loss(own, self.none, group.grades))
            if any(group.grades):
                right.append(group.grades[int(own.argmax())] == max(group.grades))
        loss = torch.stack(losses).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._clipped, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return float(loss.detach()), sum(right) / len(right) if right else None, len(passages)

    def trained(self) -> dict[str, Tensor]:
        """Everything that is trained, by name."""
        return {**{name: p for name, p in self.network.named_parameters() if p.requires_grad}, "none": self.none}


def _save(path: Path, identity: str, reached: tuple[int, float], learner: _Learner, rate: Any) -> None:
    state = {
        "identity": identity,
        "reached": list(reached),
        "trained": {name: p.detach() for name, p in learner.trained().items()},
        "optimiser": learner.optimiser.state_dict(),
        "rate": rate.state_dict(),
    }
    written = path.with_suffix(".part")
    torch.save(state, written)
    written.replace(path)


def _resume(path: Path, identity: str, learner: _Learner, rate: Any) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    try:
        state = torch.load(path, weights_only=True)
        if state["identity"] != identity:
            raise CheckpointError(
                f"The run in {path.parent.name} has other data or another config: use another folder, or remove it."
            )
        held = learner.trained()
        with torch.no_grad():
            for name, value in state["trained"].items():
                held[name].copy_(value)
        learner.optimiser.load_state_dict(state["optimiser"])
        rate.load_state_dict(state["rate"])
    except (OSError, RuntimeError, KeyError, ValueError, EOFError, UnpicklingError) as error:
        raise CheckpointError(
            f"The checkpoint in {path.parent.name} cannot be read: remove it to start anew."
        ) from error
    step, seconds = state["reached"]
    return int(step), float(seconds)
