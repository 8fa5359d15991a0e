"""The real query encoder: MiniLM with the adapter trained in this project, mean-pooled like the passages' encoder.

Base and adapter are merged when it first encodes. fp32, as all queries are: a vector does not depend on what else is in
its batch.
"""

from __future__ import annotations

import importlib
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.encoders import Vectors, unit_rows
from retrieval.encoders.pooling import pooled
from retrieval.errors import EncoderError, RerankerError
from retrieval.loading import LOADING
from retrieval.query_adapter.adapter import NOT_INSTALLED, QUERY_ADAPTERS, adapted_encoder
from retrieval.reranking import BaseModel

#: The adapter that ships with the package.
PACKAGED_QUERY_ADAPTER = Path(__file__).parent / "minilm_adapter"


class MiniLmQueryEncoder:
    """See the module."""

    def __init__(self, adapter: Path = PACKAGED_QUERY_ADAPTER) -> None:
        """Read the card; the model is loaded when it first encodes.

        Raises:
            EncoderError: the adapter or its base is not there.
        """
        self.card = QUERY_ADAPTERS.read_card(adapter)
        self._adapter = adapter
        try:
            self._base = BaseModel()
        except RerankerError as error:
            raise EncoderError(NOT_INSTALLED) from error
        # Held while encoding: the fast tokeniser fails when two threads use it at once.
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """See `QueryEncoder.name`."""
        return self.card.name

    @property
    def fingerprint(self) -> str:
        """Hashes of the base and of the adapter, and the length at which queries are cut."""
        card = self.card
        return f"{card.name}-{card.base_sha256[:8]}-{card.adapter_sha256[:16]}-{card.max_tokens}"

    def encode_queries(self, texts: list[str]) -> Vectors:
        """See `QueryEncoder.encode_queries`."""
        if not texts:
            return np.zeros((0, self._base.width), dtype=np.float32)
        with self._lock:
            try:
                torch = importlib.import_module("torch")
                inputs = self._base.tokenised(texts, self.card.max_tokens)
                with torch.inference_mode():
                    states = self._network(**inputs).last_hidden_state
                    found = pooled(states, inputs["attention_mask"], "mean")
            except (ImportError, RerankerError) as error:
                raise EncoderError(NOT_INSTALLED) from error
            except (RuntimeError, ValueError) as error:
                raise EncoderError(f"The query adapter failed: {type(error).__name__}.") from error
        return unit_rows(found.numpy().astype(np.float32, copy=False))

    @cached_property
    def _network(self) -> Any:
        with LOADING:
            return adapted_encoder(self._adapter, self.card, self._base)
