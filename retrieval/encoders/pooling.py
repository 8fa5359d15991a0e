"""One vector of the last hidden states of a text's tokens (torch)."""

from __future__ import annotations

from typing import Any

from retrieval.encoders.config import Pooling


def pooled(states: Any, mask: Any, pooling: Pooling) -> Any:
    """Vectors of shape [texts, width] (float32) from states [texts, tokens, width] and a mask [texts, tokens].

    The mask is 1 for tokens and 0 for padding, which may stand on either side.
    """
    if pooling == "mean":
        # Summed in float32: in bf16 the sum of a long text loses its small parts.
        wide = mask.unsqueeze(-1).to(states.dtype)
        return (states * wide).sum(1, dtype=_float32(states)) / mask.sum(1, keepdim=True)
    places = mask.argmax(1) if pooling == "cls" else mask.shape[1] - 1 - mask.flip(1).argmax(1)
    return states[_rows(mask), places].float()


def _float32(states: Any) -> Any:
    return states.new_empty(0).float().dtype


def _rows(mask: Any) -> Any:
    return mask.new_ones(mask.shape[0]).cumsum(0) - 1
