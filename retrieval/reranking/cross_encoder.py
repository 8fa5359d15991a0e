"""The real reranker: MiniLM reading question and passage together, with the adapter trained in this project.

Base and adapter are merged when it first scores. bfloat16 where the CPU multiplies it natively.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retrieval.encoders.precision import native_precision
from retrieval.errors import RerankerError
from retrieval.loading import LOADING
from retrieval.reranking.adapter import merged_network, read_card
from retrieval.reranking.base_model import BaseModel

#: The adapter that ships with the package.
PACKAGED_ADAPTER = Path(__file__).parent / "minilm_adapter"


class CrossEncoderReranker:
    """See the module."""

    def __init__(self, adapter: Path = PACKAGED_ADAPTER) -> None:
        """Read the card; the model is loaded when it first scores.

        Raises:
            RerankerError: the adapter or its base is not there.
        """
        self.card = read_card(adapter)
        self._adapter = adapter
        self._base = BaseModel()
        self._network: Any = None
        self._fast = False

    @property
    def name(self) -> str:
        """See `Reranker.name`."""
        return self.card.name

    @property
    def fingerprint(self) -> str:
        """Hashes of the base and of the adapter, and the length at which pairs are cut."""
        card = self.card
        return f"{card.name}-{card.base_sha256[:8]}-{card.adapter_sha256[:16]}-{card.max_tokens}"

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """See `Reranker.score`."""
        if not passages:
            return []
        if self._network is None:
            with LOADING:
                self._network = self._loaded()
        inputs = self._base.tokenise([query] * len(passages), passages, self.card.max_tokens)
        torch = importlib.import_module("torch")
        try:
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._fast):
                scores: list[float] = self._network(**inputs).float().tolist()
        except RuntimeError as error:
            raise RerankerError(f"The reranker failed: {type(error).__name__}.") from error
        return scores

    def _loaded(self) -> Any:
        network = merged_network(self._adapter, self.card, self._base)
        self._fast = native_precision() == "bf16"
        if self._fast:
            torch = importlib.import_module("torch")
            for module in network.encoder.modules():
                if isinstance(module, torch.nn.Linear):
                    module.to(torch.bfloat16)  # once, instead of in every call
        return network
