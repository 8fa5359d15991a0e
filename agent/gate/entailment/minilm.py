"""The real entailment scorer: MiniLM reading sentence and statement together, with layers trained in this project.

Base and adapter are put together when it first scores. bfloat16 where the CPU multiplies it natively.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.errors import EntailmentError
from agent.gate.entailment.adapter import loaded_network, read_card
from retrieval import RerankerError
from retrieval.encoders.precision import native_precision
from retrieval.loading import LOADING
from retrieval.reranking import BaseModel


class MiniLMEntailment:
    """See the module."""

    def __init__(self, adapter: Path) -> None:
        """Read the card; the model is loaded when it first scores.

        Raises:
            EntailmentError: the adapter or its base is not there.
        """
        self.card = read_card(adapter)
        self._adapter = adapter
        try:
            self._base = BaseModel()
        except RerankerError as error:
            raise EntailmentError("The entailment scorer is not installed: pip install 'clinsearch[dense]'.") from error
        self._network: Any = None
        self._fast = False
        self._one_at_a_time = threading.Lock()

    @property
    def name(self) -> str:
        """See `EntailmentScorer.name`."""
        return self.card.name

    @property
    def fingerprint(self) -> str:
        """Hashes of the base and of the adapter, and the length at which pairs are cut."""
        card = self.card
        return f"{card.name}-{card.base_sha256[:8]}-{card.adapter_sha256[:16]}-{card.max_tokens}"

    def score(self, sentence: str, premises: Sequence[str]) -> list[float]:
        """See `EntailmentScorer.score`."""
        if not premises:
            return []
        with self._one_at_a_time:
            return self._scored(sentence, premises)

    def _scored(self, sentence: str, premises: Sequence[str]) -> list[float]:
        if self._network is None:
            with LOADING:
                self._network = self._loaded()
        inputs = self._base.tokenise([sentence] * len(premises), premises, self.card.max_tokens)
        torch = importlib.import_module("torch")
        try:
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._fast):
                scores: list[float] = self._network(**inputs).float().tolist()
        except RuntimeError as error:
            raise EntailmentError(f"The entailment scorer failed: {type(error).__name__}.") from error
        return scores

    def _loaded(self) -> Any:
        network = loaded_network(self._adapter, self.card, self._base)
        self._fast = native_precision() == "bf16"
        if self._fast:
            torch = importlib.import_module("torch")
            for module in network.encoder.modules():
                if isinstance(module, torch.nn.Linear):
                    module.to(torch.bfloat16)  # once, instead of in every call
        return network
