"""Causal attention in blocks of queries, for training on a CPU.

PyTorch's fused attention reaches a tenth of the rate of a bfloat16 matrix product on a CPU, and at rows of a thousand
tokens it is half of a small model's time. Here a block of queries is multiplied with the keys up to its end, the heads
that share a key head in one product; scores and probabilities are in the activations' own type, as in transformers'
eager attention, but only the half that causality leaves is computed. Probabilities are kept for the way back.

Only for rows without padding: with a mask, PyTorch's own attention is used.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

NAME = "causal_blocks"
#: Queries of one block: small enough that little above the diagonal is computed, large enough for a fast product.
BLOCK = 128


class _CausalBlocks(torch.autograd.Function):
    """q (groups, heads, tokens, width), k and v (groups, tokens, width) -> (groups, heads, tokens, width)."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        groups, heads, tokens, width = q.shape
        out = torch.empty_like(q)
        kept = []
        for start in range(0, tokens, BLOCK):
            end = min(start + BLOCK, tokens)
            block = (q[:, :, start:end] * scale).reshape(groups, -1, width)
            scores = torch.bmm(block, k[:, :end].transpose(1, 2))
            size = end - start
            later = torch.ones(size, size, dtype=torch.bool).triu_(1)
            scores.view(groups, heads, size, end)[..., start:].masked_fill_(later, float("-inf"))
            chances = torch.softmax(scores, dim=-1)
            out[:, :, start:end] = torch.bmm(chances, v[:, :end]).view(groups, heads, size, width)
            kept.append(chances)
        ctx.save_for_backward(q, k, v, *kept)
        ctx.scale = scale
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        q, k, v, *kept = ctx.saved_tensors
        groups, heads, tokens, width = q.shape
        grad_q = torch.empty_like(q)
        # Sums over the blocks: in bfloat16 the later ones would be lost.
        grad_k, grad_v = torch.zeros_like(k, dtype=torch.float32), torch.zeros_like(v, dtype=torch.float32)
        for number, start in enumerate(range(0, tokens, BLOCK)):
            end = min(start + BLOCK, tokens)
            chances = kept[number]
            above = grad[:, :, start:end].reshape(groups, -1, width)
            block = (q[:, :, start:end] * ctx.scale).reshape(groups, -1, width)
            grad_v[:, :end] += torch.bmm(chances.transpose(1, 2), above)
            of_chances = torch.bmm(above, v[:, :end].transpose(1, 2))
            of_scores = torch._softmax_backward_data(of_chances, chances, -1, chances.dtype)
            grad_k[:, :end] += torch.bmm(of_scores.transpose(1, 2), block)
            own = torch.bmm(of_scores, k[:, :end]).mul_(ctx.scale)
            grad_q[:, :, start:end] = own.view(groups, heads, end - start, width)
        return grad_q, grad_k.to(k.dtype), grad_v.to(v.dtype), None


def causal_attention(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """Attention of every query to the keys up to its own place.

    Args:
        q: (rows, heads, tokens, width); k, v: (rows, key heads, tokens, width), of which `heads` is a multiple.
        scale: of the scores.
    """
    rows, heads, tokens, width = q.shape
    shared = rows * k.shape[1]
    out = _CausalBlocks.apply(  # type: ignore[no-untyped-call]
        q.reshape(shared, -1, tokens, width), k.reshape(shared, tokens, width), v.reshape(shared, tokens, width), scale
    )
    return out.view(rows, heads, tokens, width)  # type: ignore[no-any-return]


def use_causal_blocks(model: Any) -> bool:
    """Have a model on a CPU attend this way; False, and nothing is changed, where it is elsewhere."""
    if next(model.parameters()).device.type != "cpu":
        return False
    ALL_ATTENTION_FUNCTIONS.register(NAME, _forward)
    ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)
    return True


def _forward(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    if attention_mask is not None or dropout or query.shape[2] != key.shape[2]:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return causal_attention(query, key, value, scale).transpose(1, 2).contiguous(), None
