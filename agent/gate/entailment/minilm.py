"""The real entailment scorer: MiniLM reading sentence and statement together, with layers trained in this project.

Base and adapter are put together when it first scores. bfloat16 where the CPU multiplies it natively.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from agent.errors import EntailmentError
from agent.gate.entailment.adapter import NOT_INSTALLED, loaded_network, read_card
from retrieval import RerankerError
from retrieval.loading import LOADING
from retrieval.reranking import BaseModel, PairNetwork


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
            raise EntailmentError(NOT_INSTALLED) from error
        self._network: PairNetwork | None = None
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
            if self._network is None:
                with LOADING:
                    network = loaded_network(self._adapter, self.card, self._base)
                    self._network = PairNetwork(network, self._base, self.card.max_tokens)
            try:
                return self._network.score(sentence, premises)
            except RuntimeError as error:
                raise EntailmentError(f"The entailment scorer failed: {type(error).__name__}.") from error
