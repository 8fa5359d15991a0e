"""Low-rank layers in fewer passes over memory.

PEFT adds an update in five operations, each writing a whole activation, and casts activations to the update's float32.
On a CPU those passes cost as much as the frozen weights' products. Here one product is added into the other in place,
forwards and backwards, in the activations' own type; the update's parameters and their gradients stay float32.

y = x W' + s (x A') B'   (Hu et al., "LoRA", 2021; ' is the transpose)
"""

from __future__ import annotations

import types
from typing import Any

import torch
from torch import Tensor


class _LowRankProduct(torch.autograd.Function):
    """(rows, in) x frozen (out, in), A (rank, in), B (out, rank) -> (rows, out)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, down: Tensor, up: Tensor, scale: float) -> Tensor:
        a, b = down.to(x.dtype), (up * scale).to(x.dtype)
        inner = x @ a.t()
        ctx.save_for_backward(x, weight, a, b, inner)
        ctx.scale = scale
        return torch.mm(x, weight.t()).addmm_(inner, b.t())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, a, b, inner = ctx.saved_tensors
        (grad,) = grads
        grad_inner = grad @ b
        grad_x = torch.mm(grad, weight).addmm_(grad_inner, a) if ctx.needs_input_grad[0] else None
        grad_a = (grad_inner.t() @ x).float()
        grad_b = (grad.t() @ inner).float() * ctx.scale
        return grad_x, None, grad_a, grad_b, None


def fuse_low_rank(model: Any) -> int:
    """Make the plain low-rank layers of a PEFT model use the product above; returns how many.

    A layer with bias, dropout or more than one active update keeps PEFT's own way, and so does every layer while its
    update is switched off or merged.
    """
    from peft.tuners.lora import Linear

    fused = 0
    for module in model.modules():
        if isinstance(module, Linear) and not module.lora_bias.get("default", False):
            setattr(module, "forward", types.MethodType(_forward(module.forward), module))  # noqa: B010 - a patch
            fused += 1
    return fused


def _forward(original: Any) -> Any:
    def forward(self: Any, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        active = [name for name in self.active_adapters if name in self.lora_A]
        base = self.get_base_layer()
        if (
            args
            or kwargs
            or self.disable_adapters
            or self.merged
            or len(active) != 1
            or active[0] in self.lora_variant
            or base.bias is not None
            or not isinstance(self.lora_dropout[active[0]], torch.nn.Identity)
        ):
            result: Tensor = original(x, *args, **kwargs)
            return result
        name = active[0]
        flat = x.reshape(-1, x.shape[-1])
        product = _LowRankProduct.apply(  # type: ignore[no-untyped-call]
            flat, base.weight, self.lora_A[name].weight, self.lora_B[name].weight, self.scaling[name]
        )
        return product.view(*x.shape[:-1], -1)  # type: ignore[no-any-return]

    return forward
