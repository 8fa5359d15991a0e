"""A language-model head that scores only the tokens that carry loss.

TRL asks a model for log-probabilities instead of logits, but on a CPU its head projects every position onto the
vocabulary and throws most of it away. A row here is ~1 100 tokens of which ~120 were sampled, and the vocabulary is
the widest matrix of a small model: scoring all of it costs more time and memory than a decoder layer. This head selects
first. On CUDA devices TRL's own kernel already does, and is left in place where all tokens weigh the same.

The first tokens of what a model says decide the most: the action, the source, which statement it quotes. They are a
few of a hundred that carry loss, and most of the others follow from them, so they may weigh more while training.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from trl.trainer.utils import FusedCausalLMOutput

#: What a trainer leaves out of the loss.
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Openings:
    """What the first tokens of everything the model says count for."""

    #: How many of each reply.
    tokens: int = 0
    #: Against 1 for every other one.
    weight: float = 1.0


EVEN = Openings()


def score_labelled_only(model: Any, openings: Openings = EVEN) -> None:
    """Replace the head that a TRL trainer put on `model`, a causal model without its PEFT wrapper.

    `model(..., labels=labels, fused_lm_head=True)` then returns the same `FusedCausalLMOutput`, of shapes
    (rows, tokens - 1), zero where the label is -100. In training, its loss weighs tokens by `openings`; a held-out
    loss weighs all alike.
    """
    on_cpu = model.get_output_embeddings().weight.device.type == "cpu"
    if not on_cpu and openings.weight == 1:
        return
    patched = model.forward

    def forward(self: Any, *args: Any, fused_lm_head: bool = False, labels: Tensor | None = None, **kwargs: Any) -> Any:
        if not fused_lm_head or labels is None:
            return patched(*args, fused_lm_head=fused_lm_head, labels=labels, **kwargs)
        items = kwargs.pop("num_items_in_batch", None)
        kwargs["use_cache"] = False
        hidden = self.base_model(*args, **kwargs).last_hidden_state[:, :-1]
        wanted = labels[:, 1:]
        mask = wanted != IGNORED
        logits = functional.linear(hidden[mask], self.get_output_embeddings().weight).float()
        own = logits.log_softmax(dim=-1)
        target = wanted[mask]
        scored = own.gather(1, target[:, None])[:, 0]
        with torch.no_grad():
            spread = -(own.exp() * own).sum(-1)
            first = scored >= own.amax(-1)
            mean = logits.mean(-1)
        log_probs = _spread(scored, mask)
        counted = scored * opening_weights(mask, openings)[mask] if self.training else scored
        return FusedCausalLMOutput(
            loss=-counted.sum() / (mask.sum().clamp(min=1) if items is None else items),
            log_probs=log_probs,
            entropy=_spread(spread, mask),
            mean_logits=_spread(mean, mask),
            is_top1=_spread(first, mask),
            label_mask=mask,
        )

    model.forward = types.MethodType(forward, model)


def opening_weights(mask: Tensor, openings: Openings) -> Tensor:
    """The weight of every position, float, of `mask`'s shape (rows, tokens), which is true where a token has loss."""
    before = functional.pad(mask, (1, 0))[:, :-1]
    # Where a reply's tokens begin, counted along the row: its position minus that of its first token.
    at = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    first = torch.where(mask & ~before, at, torch.zeros_like(at)).cummax(dim=1).values
    opening = mask & (at - first < openings.tokens)
    return torch.where(opening, openings.weight, 1.0)


def _spread(values: Tensor, mask: Tensor) -> Tensor:
    """Values back in their places; stays connected to the model where there are none."""
    return values.new_zeros(mask.shape).masked_scatter(mask, values)
