"""The real reranker: MiniLM reading question and passage together, with the adapter trained in this project.

Base and adapter are merged when it first scores. bfloat16 where the CPU multiplies it natively.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retrieval.errors import RerankerError
from retrieval.loading import LOADING
from retrieval.reranking.adapter import merged_network, read_card
from retrieval.reranking.base_model import BaseModel
from retrieval.reranking.pair_network import PairNetwork

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
        self._network: PairNetwork | None = None

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
                network = merged_network(self._adapter, self.card, self._base)
                self._network = PairNetwork(network, self._base, self.card.max_tokens)
        try:
            return self._network.score(query, passages)
        except RuntimeError as error:
            raise RerankerError(f"The reranker failed: {type(error).__name__}.") from error
