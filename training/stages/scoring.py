"""A language-model head that scores only the tokens that carry loss.

TRL asks a model for log-probabilities instead of logits, but on a CPU its head projects every position onto the
vocabulary and throws most of it away. A row here is ~1 100 tokens of which ~120 were sampled, and the vocabulary is
the widest matrix of a small model: scoring all of it costs more time and memory than a decoder layer. This head selects
first. On CUDA devices TRL's own kernel already does, and is left in place.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from trl.trainer.utils import FusedCausalLMOutput

#: What a trainer leaves out of the loss.
IGNORED = -100


def score_labelled_only(model: Any) -> None:
    """Replace the head that a TRL trainer put on `model`, a causal model without its PEFT wrapper.

    `model(..., labels=labels, fused_lm_head=True)` then returns the same `FusedCausalLMOutput`, of shapes
    (rows, tokens - 1), zero where the label is -100.
    """
    if model.get_output_embeddings().weight.device.type != "cpu":
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
        return FusedCausalLMOutput(
            loss=-scored.sum() / (mask.sum().clamp(min=1) if items is None else items),
            log_probs=log_probs,
            entropy=_spread(spread, mask),
            mean_logits=_spread(mean, mask),
            is_top1=_spread(first, mask),
            label_mask=mask,
        )

    model.forward = types.MethodType(forward, model)


def _spread(values: Tensor, mask: Tensor) -> Tensor:
    """Values back in their places; stays connected to the model where there are none."""
    return values.new_zeros(mask.shape).masked_scatter(mask, values)
