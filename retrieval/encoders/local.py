"""Encoders that run here, on the CPU: one model, or one for queries and one for passages.

Queries are encoded in fp32: a query's vector does not depend on what else is in its batch beyond 1e-5.
Passages are encoded in bf16 where the CPU has instructions for it (two to three times as fast; cosine
with fp32 above 0.99), else in fp32. That is not part of the fingerprint: an index may be built on one
machine and opened on another, and a passage's vector of record is never encoded a second time.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from retrieval.encoders.base import EncodeProgress, Vectors, unit_rows
from retrieval.encoders.config import EncoderConfig, TowerConfig
from retrieval.encoders.hub import model_directory
from retrieval.encoders.precision import Dtype, native_precision
from retrieval.encoders.tower import Tower
from retrieval.errors import EncoderError

# Texts tokenised and sorted by length together. More gives little: padding is a few per cent by then.
_WINDOW = 2048
# Files that decide vectors, where a model has them.
_DECIDING = (
    "*.safetensors",
    "pytorch_model*.bin",
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "*.model",
    "vocab.txt",
)


class LocalEncoder:
    """An encoder as its configuration says; the weights are loaded at the first encoding."""

    def __init__(self, config: EncoderConfig) -> None:
        """Find the weights.

        Raises:
            EncoderError: a model is not there or not complete.
        """
        self.config = config
        self.name = config.name
        self._directories = {
            tower.model: model_directory(tower.model, config.name) for tower in (config.queries, config.passages)
        }
        widths = {_width(self._directories[tower.model]) for tower in (config.queries, config.passages)}
        if len(widths) != 1:
            raise EncoderError("The encoder of queries and the encoder of passages give vectors of different lengths.")
        (width,) = widths
        if config.dimension is not None and config.dimension > width:
            raise EncoderError(f"The encoder gives vectors of {width} components, fewer than {config.dimension}.")
        self.dimension = config.dimension or width
        self.max_tokens = config.passages.max_tokens
        # Held while encoding: the fast tokeniser fails when two threads use it at once.
        self._lock = threading.Lock()
        self._towers: dict[tuple[TowerConfig, Dtype], Tower] = {}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the weights and tokenisers and of all of the configuration that decides vectors."""
        told = self.config.model_dump(mode="json", exclude={"name", "precision", "batch_tokens"})
        for side in ("queries", "passages"):
            told[side]["model"] = _content_hash(self._directories[told[side]["model"]])
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{digest[:16]}-{self.max_tokens}"

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        """See `Encoder.encode_passages`."""
        precision = self.config.precision
        dtype = native_precision() if precision == "auto" else precision
        return self._encode(self.config.passages, dtype, texts, progress)

    def encode_queries(self, texts: list[str]) -> Vectors:
        """See `Encoder.encode_queries`."""
        return self._encode(self.config.queries, "fp32", texts, None)

    def _encode(self, tower: TowerConfig, dtype: Dtype, texts: list[str], progress: EncodeProgress | None) -> Vectors:
        parts = [np.zeros((0, self.dimension), dtype=np.float32)]
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if progress is not None:
                progress(done, len(texts))

        for start in range(0, len(texts), _WINDOW):
            with self._lock:
                vectors = self._tower(tower, dtype).encode(texts[start : start + _WINDOW], advance)
            if vectors.shape[1] < self.dimension:
                raise EncoderError("The encoder gave vectors of another length than its configuration says.")
            parts.append(unit_rows(vectors[:, : self.dimension]))
        return np.concatenate(parts)

    def _tower(self, config: TowerConfig, dtype: Dtype) -> Tower:
        key = (config, dtype)
        if key not in self._towers:
            directory = self._directories[config.model]
            self._towers[key] = Tower(config, directory, dtype=dtype, batch_tokens=self.config.batch_tokens)
        return self._towers[key]


def _width(directory: Path) -> int:
    try:
        return int(json.loads((directory / "config.json").read_text(encoding="utf-8"))["hidden_size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"There is no encoder in {directory}: its config.json cannot be read.") from error


def _content_hash(directory: Path) -> str:
    digest = hashlib.sha256()
    try:
        for path in sorted(set(_deciding(directory))):
            digest.update(path.name.encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    except OSError as error:
        raise EncoderError(f"The encoder in {directory} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()


def _deciding(directory: Path) -> Iterator[Path]:
    for pattern in _DECIDING:
        yield from directory.glob(pattern)
