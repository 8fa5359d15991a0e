"""Where a model's files are: a directory, or a hub id that the operator named."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from retrieval.errors import EncoderError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# Weights, tokeniser and configuration; no code, no copies for other frameworks.
_WANTED = ("*.json", "*.safetensors", "pytorch_model*.bin", "*.model", "vocab.txt", "merges.txt")


def model_directory(model: str, name: str) -> Path:
    """The directory of a model; one named by hub id is downloaded into the hub's own cache, once.

    Args:
        model: a directory, or "org/name".
        name: of the encoder, for error sentences.

    Raises:
        EncoderError: it is neither, or cannot be downloaded.
    """
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if not _HUB_ID.fullmatch(model):
        raise EncoderError(f"The weights of the encoder {name} are not in {model}: set CLINSEARCH_ENCODER_MODEL.")
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise EncoderError("The encoder is not installed: pip install 'clinsearch[dense]'.") from error
    try:
        # Directories of other runtimes ("onnx/") match no pattern that has no slash in it.
        return Path(hub.snapshot_download(model, allow_patterns=list(_WANTED), ignore_patterns=["*/*"]))
    except (OSError, ValueError, RuntimeError) as error:
        raise EncoderError(
            f"The encoder {model} could not be downloaded ({type(error).__name__}). "
            "Put its files into a directory and name that in CLINSEARCH_ENCODER_MODEL."
        ) from error
