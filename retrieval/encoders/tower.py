"""One transformer model on the CPU: texts to pooled vectors, in batches of texts of like length.

A batch holds as many texts as its token budget allows, longest first, so that little is padding: on a
mixed corpus that doubles what a fixed number of texts per batch gives. torch and transformers are
imported at the first encoding. No code that comes with a model is ever run.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.encoders.base import Vectors
from retrieval.encoders.config import TowerConfig
from retrieval.encoders.pooling import pooled
from retrieval.encoders.precision import Dtype
from retrieval.errors import EncoderError
from retrieval.loading import LOADING


class Tower:
    """A tokeniser and a model, loaded when first used. Not safe to share between threads: callers hold a lock."""

    def __init__(self, config: TowerConfig, directory: Path, *, dtype: Dtype, batch_tokens: int) -> None:
        self._config = config
        self._directory = directory
        self._dtype = dtype
        self._batch_tokens = batch_tokens
        self._loaded: tuple[Any, Any, Any] | None = None

    def encode(self, texts: Sequence[str], advance: Callable[[int], None] = lambda _: None) -> Vectors:
        """Vectors of texts, shape [texts, width of the model], not scaled; `advance` is given each batch's texts.

        Raises:
            EncoderError: the model could not be loaded or failed.
        """
        with _boundary():
            torch, tokenizer, model = self._loaded = self._loaded or self._load()
            fields = self._tokens(tokenizer, texts)
            lengths = [len(ids) for ids in fields["input_ids"]]
            parts: list[tuple[list[int], Vectors]] = []
            with torch.inference_mode():
                for batch in batches(lengths, self._batch_tokens):
                    inputs = self._padded(torch, tokenizer, fields, batch)
                    states = model(**inputs).last_hidden_state
                    vectors = pooled(states, inputs["attention_mask"], self._config.pooling)
                    parts.append((batch, vectors.numpy().astype(np.float32, copy=False)))
                    advance(len(batch))
            result = np.empty((len(texts), parts[0][1].shape[1]), dtype=np.float32)
            for batch, vectors in parts:
                result[batch] = vectors
        return result

    def _tokens(self, tokenizer: Any, texts: Sequence[str]) -> dict[str, list[list[int]]]:
        prefixed = [self._config.prefix + text for text in texts]
        separator = self._config.pair_separator
        pair: list[str] | None = None
        if separator is not None:
            halves = [titled(text, separator) for text in prefixed]
            prefixed, pair = [title for title, _ in halves], [body for _, body in halves]
        fields: dict[str, list[list[int]]] = dict(
            tokenizer(prefixed, pair, truncation=True, max_length=self._config.max_tokens, padding=False)
        )
        return fields

    def _padded(self, torch: Any, tokenizer: Any, fields: dict[str, list[list[int]]], batch: list[int]) -> Any:
        length = max(len(fields["input_ids"][row]) for row in batch)
        left = self._config.pooling == "last"
        inputs = {}
        for name, rows in fields.items():
            # The mark of padding matters in `input_ids` alone: XLM-R counts positions by it.
            filler = tokenizer.pad_token_id if name == "input_ids" else 0
            table = np.full((len(batch), length), filler, dtype=np.int64)
            for place, row in enumerate(batch):
                ids = rows[row]
                if left:
                    table[place, length - len(ids) :] = ids
                else:
                    table[place, : len(ids)] = ids
            inputs[name] = torch.from_numpy(table)
        return inputs

    def _load(self) -> tuple[Any, Any, Any]:
        torch = importlib.import_module("torch")
        transformers = importlib.import_module("transformers")
        with LOADING, _silent():
            tokenizer = transformers.AutoTokenizer.from_pretrained(self._directory, local_files_only=True)
            model = transformers.AutoModel.from_pretrained(
                self._directory,
                local_files_only=True,
                dtype=torch.bfloat16 if self._dtype == "bf16" else torch.float32,
            )
        if tokenizer.pad_token_id is None:
            raise EncoderError(f"The encoder in {self._directory} has no mark for padding, so it cannot encode texts.")
        return torch, tokenizer, model.eval()


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Places of texts in batches, longest first; texts times the longest stays within `budget` where it can."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batch and (len(batch) + 1) * max(1, lengths[batch[0]]) > budget:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def titled(text: str, separator: str) -> tuple[str, str]:
    """A text cut at its first `separator` into title and body; the title is empty where there is none."""
    title, found, body = text.partition(separator)
    return (title, body) if found else ("", text)


@contextmanager
def _silent() -> Iterator[None]:
    """Without the progress bar and the report that loading weights would draw into the terminal."""
    logging = importlib.import_module("transformers.utils.logging")
    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()


@contextmanager
def _boundary() -> Iterator[None]:
    """Messages of the libraries could quote a text; only their kind is told."""
    try:
        yield
    except ImportError as error:
        raise EncoderError("The encoder is not installed: pip install 'clinsearch[dense]'.") from error
    except (OSError, RuntimeError, ValueError, KeyError, IndexError) as error:
        raise EncoderError(f"The encoder failed: {type(error).__name__}.") from error
