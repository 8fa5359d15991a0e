"""The adapters that ship: if these fail, `make up` serves a model that speaks another prompt's language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from agent.prompts import prompt_sha256
from agent.templates import chat_template_sha256
from service.model.adapter import load_adapter
from service.model.choice import SHIPPED, adapter_names, default_adapter
from training.stages import read_trained_card
from training.stages.rows import file_sha256

#: What the repository takes.
MOST_BYTES = 25_000_000


@pytest.mark.parametrize("name", adapter_names())
def test_a_shipped_adapter_is_whole_and_fits_the_prompt_in_force(name: str) -> None:
    folder = SHIPPED / name
    adapter = load_adapter(folder, template_sha256=chat_template_sha256(), prompt_sha256=prompt_sha256())
    card = read_trained_card(folder)
    assert adapter.name == card.name == name
    assert card.adapter_sha256 == adapter.sha256 == file_sha256(folder / "adapter_model.safetensors")
    assert (folder / "adapter_model.safetensors").stat().st_size < MOST_BYTES
    with safe_open(str(folder / "adapter_model.safetensors"), framework="pt") as weights:
        kinds = {str(weights.get_slice(key).get_dtype()) for key in weights.keys()}  # noqa: SIM118 - no mapping
    assert kinds == {"BF16"}


@pytest.mark.parametrize("name", adapter_names())
def test_a_shipped_adapter_names_its_base_and_no_machine(name: str) -> None:
    folder = SHIPPED / name
    config = json.loads((folder / "adapter_config.json").read_text())
    assert "/" not in config["base_model_name_or_path"]
    assert "/tmp" not in (folder / "adapter.json").read_text() + (folder / "CARD.md").read_text()  # noqa: S108
    assert read_trained_card(folder).figures, "what ships was measured"


def test_the_default_is_one_that_ships() -> None:
    default = default_adapter()
    assert default is None or default in adapter_names()
    assert Path(SHIPPED).is_dir()
