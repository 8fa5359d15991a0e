"""The training loop: low-rank updates of the query side by a softmax over every passage that may be found.

Loss of a question: -log of the share that its answers have of softmax(cosine / temperature) over all trainable passages
of the source, those that answer in part left out. Passages keep the vectors of the index, so every step sees all of
them as what is not the answer (one matrix product) and nothing has to be mined. A run takes minutes and keeps no
checkpoint: a stopped one begins again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from retrieval.expansion import expanded
from retrieval.reranking import BaseModel
from training.query_adapter.config import QueryAdapterConfig
from training.query_adapter.examples import Example, Pool
from training.reranker.low_rank import add_low_rank

_NEVER = -1e4
#: Questions of like length are put together within this many steps.
_WINDOW = 16


@dataclass(frozen=True)
class TrainedQueries:
    """What training made: "<layer>.lora_A" and "<layer>.lora_B", float32, and the seconds it took."""

    weights: dict[str, Tensor]
    seconds: float
    losses: tuple[float, ...]


def train(
    examples: Sequence[Example],
    pool: Pool,
    base: BaseModel,
    config: QueryAdapterConfig,
    report: Callable[[int, int, float], None] = lambda _done, _total, _loss: None,
) -> TrainedQueries:
    """Train on the examples; `report` is given the step, the steps and the loss."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    encoder = base.encoder().eval()
    updates = add_low_rank(encoder, rank=config.rank, alpha=config.alpha)
    trained = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=config.learning_rate, weight_decay=config.weight_decay)
    passages = torch.from_numpy(pool.vectors)
    closed = torch.from_numpy(~pool.trainable)
    order = [step for epoch in range(config.epochs) for step in steps_of(examples, config, epoch)]
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: (
            min(1.0, (step + 1) / config.warmup_steps) * max(config.floor_share, 1 - step / max(1, len(order)))
        ),
    )
    began, losses = time.perf_counter(), []
    for number, step in enumerate(order, start=1):
        batch = [examples[at] for at in step]
        inputs = base.tokenised([expanded(one.question) for one in batch], config.max_tokens)
        loss = batch_loss(_encoded(encoder, inputs) @ passages.T / config.temperature, batch, closed)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        rate.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        report(number, len(order), losses[-1])
    weights = {}
    for name, update in updates.items():
        weights[f"{name}.lora_A"] = update.down.detach().clone()
        weights[f"{name}.lora_B"] = update.up.detach().clone()
    return TrainedQueries(weights, time.perf_counter() - began, tuple(losses))


def batch_loss(scores: Tensor, batch: Sequence[Example], closed: Tensor) -> Tensor:
    """Mean loss of a batch, a scalar.

    Args:
        scores: cosines by temperature, shape [examples, passages].
        closed: passages that are neither right nor wrong for any question, shape [passages], bool.
    """
    open_scores = scores.masked_fill(closed, _NEVER)
    left_out = torch.zeros_like(scores, dtype=torch.bool)
    right = torch.zeros_like(scores, dtype=torch.bool)
    for row, example in enumerate(batch):
        left_out[row, list(example.ignored)] = True
        right[row, list(example.answers)] = True
    open_scores = open_scores.masked_fill(left_out, _NEVER)
    answers = open_scores.masked_fill(~right, _NEVER)
    return (torch.logsumexp(open_scores, 1) - torch.logsumexp(answers, 1)).mean()


def steps_of(examples: Sequence[Example], config: QueryAdapterConfig, epoch: int) -> list[list[int]]:
    """The examples of each step of an epoch: drawn at random, then put together by like length."""
    drawn = random.Random(f"{config.seed}-{epoch}")  # noqa: S311 - a draw to repeat, not a secret
    order = list(range(len(examples)))
    drawn.shuffle(order)
    size, found = config.questions_per_step, []
    for start in range(0, len(order), size * _WINDOW):
        window = sorted(order[start : start + size * _WINDOW], key=lambda at: (len(examples[at].question), at))
        found += [window[at : at + size] for at in range(0, len(window), size)]
    drawn.shuffle(found)
    return found


def _encoded(encoder: Any, inputs: dict[str, Tensor]) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = encoder(**inputs).last_hidden_state.float()
    mask = inputs["attention_mask"][..., None].float()
    return functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
