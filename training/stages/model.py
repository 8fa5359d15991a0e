"""The model that is trained: frozen base in bfloat16 and a low-rank update in float32."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peft
import torch
import transformers

from agent.templates import CHAT_TEMPLATE
from training.errors import TrainingConfigError
from training.stages.config import StageConfig


def device() -> str:
    """ "cuda" where there is a GPU, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def load_base(base: str) -> tuple[Any, Any]:
    """Model and tokenizer of a directory, or of a hub name on a machine that has one.

    Raises:
        TrainingConfigError: there is no such model.
    """
    if Path(base).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"
    # Progress is told by this package alone.
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
        tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise TrainingConfigError("The base model cannot be loaded: name a prepared one with --base.") from error
    tokenizer.chat_template = CHAT_TEMPLATE.read_text(encoding="utf-8")
    return model, tokenizer


def with_update(model: Any, config: StageConfig, init: Path | None) -> Any:
    """The model with a new low-rank update, or with the one in `init` to train on.

    Raises:
        TrainingConfigError: `init` does not fit the model.
    """
    with quiet():
        if init is None:
            update = peft.LoraConfig(
                task_type="CAUSAL_LM",
                r=config.rank,
                lora_alpha=config.alpha,
                lora_dropout=0.0,
                target_modules="all-linear",
            )
            return peft.get_peft_model(model, update)
        try:
            return peft.PeftModel.from_pretrained(model, str(init), is_trainable=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise TrainingConfigError(f"The adapter {init.name} does not fit this base model.") from error


@contextmanager
def quiet() -> Iterator[None]:
    """peft asks transformers for a property by its old name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def save_update(model: Any, folder: Path, base_name: str) -> None:
    """`adapter_config.json` and `adapter_model.safetensors`, in bfloat16; the base by its name, whatever its path."""
    folder.mkdir(parents=True, exist_ok=True)
    found = peft.get_peft_model_state_dict(model, save_embedding_layers=False)
    held = {name: value.to(torch.bfloat16).contiguous() for name, value in found.items()}
    with quiet():
        model.save_pretrained(str(folder), state_dict=held, selected_adapters=["default"], save_embedding_layers=False)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"base_model_name_or_path": base_name}
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (folder / "adapter_model.safetensors").chmod(0o644)
    (folder / "README.md").unlink(missing_ok=True)
