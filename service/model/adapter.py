"""LoRA adapters and their cards.

An adapter is bound to the chat template and the prompt it was trained with: its card, `adapter.json`
beside its weights, holds both hashes. Loading refuses an adapter that does not fit, because a mismatch
gives a model that answers fluently and wrongly.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.caution import Caution
from service.model.errors import AdapterError, AdapterMismatchError

CARD_NAME = "adapter.json"
WEIGHTS_NAME = "adapter_model.safetensors"
RETRAIN = "train it again with `clinsearch train sft`"


class AdapterCard(BaseModel):
    """What preparing a model needs to know of how an adapter was trained; the card may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str | None = None
    template_sha256: str
    prompt_sha256: str
    #: Fitted on development questions, see `AgentSettings.caution`.
    caution: Caution = Caution()


class _LoraConfig(BaseModel):
    """The part of peft's `adapter_config.json` that serving needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    r: int = Field(ge=1)


@dataclass(frozen=True)
class Adapter:
    """An adapter that fits this version of the project."""

    path: Path
    name: str
    sha256: str
    rank: int
    caution: Caution = field(default_factory=Caution)


def load_adapter(path: Path, *, template_sha256: str, prompt_sha256: str) -> Adapter:
    """Read an adapter directory and check that it fits.

    Raises:
        AdapterError: not an adapter directory, or without a card.
        AdapterMismatchError: trained with another template or prompt.
    """
    try:
        config = _LoraConfig.model_validate_json((path / "adapter_config.json").read_bytes())
        with (path / WEIGHTS_NAME).open("rb") as weights:
            digest = hashlib.file_digest(weights, "sha256").hexdigest()
    except (OSError, ValidationError) as error:
        raise AdapterError(f"{path} is not a LoRA adapter: it needs adapter_config.json and {WEIGHTS_NAME}.") from error
    try:
        card = AdapterCard.model_validate_json((path / CARD_NAME).read_bytes())
    except (OSError, ValidationError) as error:
        raise AdapterError(
            f"The adapter {path} has no readable card ({CARD_NAME}), so which prompt it fits is unknown: {RETRAIN}."
        ) from error
    for part, trained_with, now in (
        ("chat template", card.template_sha256, template_sha256),
        ("prompt", card.prompt_sha256, prompt_sha256),
    ):
        if trained_with != now:
            raise AdapterMismatchError(f"The adapter {path} was trained with another {part}: {RETRAIN}.")
    return Adapter(path=path, name=card.name or path.name, sha256=digest, rank=config.r, caution=card.caution)
