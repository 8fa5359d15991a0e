"""Which adapter is served: one named by hand must fit; where the one that ships does not, the product still starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.prompts import prompt_sha256
from agent.templates import chat_template_sha256
from service.model.choice import SHIPPED, adapter_directory, adapter_names, choose_adapter, default_adapter, model_place
from service.model.errors import AdapterError, AdapterMismatchError


def ship(folder: Path, name: str, *, default: bool = True, prompt: str | None = None) -> Path:
    path = folder / name
    path.mkdir(parents=True)
    (path / "adapter_config.json").write_text(json.dumps({"r": 16}))
    (path / "adapter_model.safetensors").write_bytes(name.encode())
    card = {"name": name, "template_sha256": chat_template_sha256(), "prompt_sha256": prompt or prompt_sha256()}
    (path / "adapter.json").write_text(json.dumps(card))
    if default:
        (folder / "DEFAULT").write_text(f"{name}\n")
    return path


def test_the_one_that_ships_is_used_where_nobody_says_otherwise(tmp_path: Path) -> None:
    ship(tmp_path, "sft", default=False)
    ship(tmp_path, "dpo")
    chosen = choose_adapter(None, tmp_path)
    assert chosen.adapter is not None
    assert (chosen.adapter.name, chosen.warning) == ("dpo", None)
    assert adapter_names(tmp_path) == ("dpo", "sft")


@pytest.mark.parametrize("text", [None, "none", ""], ids=["no file", "none", "empty"])
def test_without_a_default_the_model_is_untrained_and_nothing_is_said(tmp_path: Path, text: str | None) -> None:
    ship(tmp_path, "sft", default=False)
    if text is not None:
        (tmp_path / "DEFAULT").write_text(text)
    chosen = choose_adapter(None, tmp_path)
    assert (chosen.adapter, chosen.warning) == (None, None)


def test_one_that_ships_and_no_longer_fits_gives_the_untrained_model_with_a_plain_warning(tmp_path: Path) -> None:
    ship(tmp_path, "sft", prompt="0" * 64)
    chosen = choose_adapter(None, tmp_path)
    assert chosen.adapter is None
    assert chosen.warning is not None
    assert "trained with another prompt" in chosen.warning
    assert "only searches" in chosen.warning
    assert "clinsearch train sft" in chosen.warning


def test_a_default_that_is_not_there_does_not_stop_the_product_either(tmp_path: Path) -> None:
    (tmp_path / "DEFAULT").write_text("gone")
    chosen = choose_adapter(None, tmp_path)
    assert chosen.adapter is None
    assert chosen.warning is not None


def test_one_named_by_hand_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = ship(tmp_path, "sft", prompt="0" * 64)
    for named in ("sft", str(path)):
        with pytest.raises(AdapterMismatchError, match="another prompt"):
            choose_adapter(named, tmp_path)


@pytest.mark.parametrize("setting", ["none", "base"])
def test_the_untrained_model_can_be_asked_for(tmp_path: Path, setting: str) -> None:
    ship(tmp_path, "sft")
    assert choose_adapter(setting, tmp_path).adapter is None


def test_a_name_that_nothing_has_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    ship(tmp_path, "sft")
    with pytest.raises(AdapterError, match=r"no adapter sfy: .*\(sft\)"):
        adapter_directory("sfy", tmp_path)


def test_models_served_side_by_side_have_places_of_their_own(tmp_path: Path) -> None:
    assert model_place(tmp_path, "/somewhere/dpo") == tmp_path / "models" / "dpo"


def test_adapters_that_ship_are_in_the_package() -> None:
    """An installed package must find what the source tree has."""
    assert Path(__file__).resolve().parents[3] / "training" / "adapters" == SHIPPED


def test_the_default_that_ships_fits_the_prompt_and_the_template_in_force() -> None:
    """A change of the prompt without training again would give every clinician the untrained model."""
    chosen = choose_adapter(None)
    assert chosen.warning is None
    assert (chosen.adapter is None) == (default_adapter() is None)
