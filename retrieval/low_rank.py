"""Low-rank updates as they lie on disk: two small matrices a layer, added to its weight when it is loaded.

    W' = W + alpha / rank * B A        (Hu et al., "LoRA", 2021)

Imports no torch: it works on whatever tensors it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DOWN, _UP = ".lora_A", ".lora_B"


def add_updates(encoder: Any, weights: Mapping[str, Any], *, rank: int, alpha: float) -> None:
    """Add the updates in `weights` ("<layer>.lora_A" and "<layer>.lora_B") to the encoder's weights, in place.

    Raises:
        KeyError: half of an update is missing.
        AttributeError: the encoder has no such layer.
        RuntimeError: an update is of another shape than its layer.
    """
    for name in [name.removesuffix(_DOWN) for name in weights if name.endswith(_DOWN)]:
        down, up = weights[name + _DOWN].float(), weights[name + _UP].float()
        encoder.get_submodule(name).weight.data += alpha / rank * (up @ down)
