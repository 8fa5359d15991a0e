"""Adapters are refused unless they fit the prompt and template in force."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.caution import Caution
from service.container import prepared_identity
from service.model.adapter import AdapterCard, load_adapter
from service.model.errors import AdapterError, AdapterMismatchError
from service.model.prepare import prepare_model
from service.settings import Settings

TEMPLATE, PROMPT = "a" * 64, "b" * 64


def write_adapter(path: Path, card: dict[str, object] | None) -> Path:
    path.mkdir()
    (path / "adapter_config.json").write_text(json.dumps({"r": 16, "peft_type": "LORA"}))
    (path / "adapter_model.safetensors").write_bytes(b"weights")
    if card is not None:
        (path / "adapter.json").write_text(json.dumps(card))
    return path


def test_a_fitting_adapter_is_loaded_and_extra_words_in_its_card_are_kept_out(tmp_path: Path) -> None:
    card: dict[str, object] = {"name": "sft-1", "template_sha256": TEMPLATE, "prompt_sha256": PROMPT, "rows": 12}
    adapter = load_adapter(write_adapter(tmp_path / "x", card), template_sha256=TEMPLATE, prompt_sha256=PROMPT)
    assert (adapter.name, adapter.rank) == ("sft-1", 16)
    assert len(adapter.sha256) == 64
    assert not adapter.caution
    assert AdapterCard.model_validate(card).name == "sft-1"


def test_the_caution_that_was_fitted_for_an_adapter_reaches_the_model_that_is_asked(tmp_path: Path) -> None:
    """Else it is served with other odds of declining than it was measured with."""
    card: dict[str, object] = {"template_sha256": TEMPLATE, "prompt_sha256": PROMPT, "caution": 1.5}
    adapter = load_adapter(write_adapter(tmp_path / "x", card), template_sha256=TEMPLATE, prompt_sha256=PROMPT)
    manifest = prepare_model(
        tmp_path / "model", device="gpu", gpu_model="some/model", adapter=adapter, report=lambda _: None
    )
    identity = prepared_identity("clinsearch", manifest)
    assert Settings().agent_settings(trained=True, caution=identity.caution).caution == Caution(constant=1.5)
    weighed = Caution(constant=11, nearest=14, first=5)
    assert Settings().agent_settings(trained=True, caution=weighed).caution == weighed
    for number in (0.0, 1.5):  # "off" must be off, and not a lean towards answering by all that the weights give back
        assert Settings(caution=number).agent_settings(trained=True, caution=weighed).caution == Caution(
            constant=number
        )
    assert Settings(caution=0.0).agent_settings(trained=True, caution=identity.caution).caution == Caution()


@pytest.mark.parametrize(
    ("template", "prompt", "named"), [("c" * 64, PROMPT, "template"), (TEMPLATE, "c" * 64, "prompt")]
)
def test_an_adapter_trained_with_other_words_is_refused_and_retraining_is_named(
    tmp_path: Path, template: str, prompt: str, named: str
) -> None:
    path = write_adapter(tmp_path / "x", {"template_sha256": template, "prompt_sha256": prompt})
    with pytest.raises(AdapterMismatchError, match=f"another .*{named}.*clinsearch train sft"):
        load_adapter(path, template_sha256=TEMPLATE, prompt_sha256=PROMPT)


def test_an_adapter_without_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=r"adapter\.json"):
        load_adapter(write_adapter(tmp_path / "x", None), template_sha256=TEMPLATE, prompt_sha256=PROMPT)


def test_a_folder_that_is_no_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="not a LoRA adapter"):
        load_adapter(tmp_path / "missing", template_sha256=TEMPLATE, prompt_sha256=PROMPT)
