"""A network on pairs of texts, ready to score: its linear layers in bfloat16 where the CPU multiplies it natively."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from retrieval.encoders.precision import native_precision
from retrieval.reranking.base_model import BaseModel


class PairNetwork:
    """See the module."""

    def __init__(self, network: Any, base: BaseModel, max_tokens: int) -> None:
        """Take the network over.

        Args:
            network: a torch module with an `encoder`, from the tokeniser's tensors to one score a pair.
            max_tokens: of both texts together; the second is cut.
        """
        self._network, self._base, self._max_tokens = network, base, max_tokens
        self._fast = native_precision() == "bf16"
        if self._fast:
            torch = importlib.import_module("torch")
            for module in network.encoder.modules():
                if isinstance(module, torch.nn.Linear):
                    module.to(torch.bfloat16)  # once, instead of in every call

    def score(self, first: str, seconds: Sequence[str]) -> list[float]:
        """One score for the first text with each of the others.

        Raises:
            RuntimeError: torch failed.
        """
        inputs = self._base.tokenise([first] * len(seconds), seconds, self._max_tokens)
        torch = importlib.import_module("torch")
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._fast):
            scores: list[float] = self._network(**inputs).float().tolist()
        return scores
