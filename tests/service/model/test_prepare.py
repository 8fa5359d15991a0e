"""Preparing the model for real: conversion, merging, doing it twice, and being interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.prompts import prompt_sha256
from agent.templates import CHAT_TEMPLATE, chat_template_sha256
from service.model.choice import NONE, choose_adapter
from service.model.errors import ModelStorageError
from service.model.manifest import ModelManifest, read_model_manifest
from service.model.prepare import prepare_model
from service.model.weights import BASE, packaged_gguf


def silent(_: str) -> None:
    return None


def prepare(
    model_dir: Path, adapter: Path | None = None, report: Callable[[str], None] = silent, *, gpu: bool = False
) -> ModelManifest:
    chosen = choose_adapter(str(adapter) if adapter else NONE).adapter
    return prepare_model(
        model_dir, device="gpu" if gpu else "cpu", gpu_model="some/model", adapter=chosen, report=report
    )


def test_on_a_gpu_machine_nothing_is_converted(tmp_path: Path) -> None:
    manifest = prepare(tmp_path / "model", gpu=True)
    assert manifest.base == "some/model"
    assert not manifest.trained
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["model.json"]
    assert read_model_manifest(tmp_path / "model") == manifest


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelStorageError, match="free 1 GB"):
        prepare(tmp_path / "file" / "model", gpu=True)


def test_what_a_killed_preparation_left_is_swept_up(tmp_path: Path) -> None:
    (tmp_path / ".model-left" / "new").mkdir(parents=True)
    prepare(tmp_path / "model", gpu=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.lock"]


def random_adapter(path: Path, base: Path) -> Path:
    """A tiny LoRA with random weights in both halves, so that merging it changes the model."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model: Any = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16),
        LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj"], init_lora_weights=False),
    )
    model.save_pretrained(path)
    card = {"name": "tiny", "template_sha256": chat_template_sha256(), "prompt_sha256": prompt_sha256()}
    (path / "adapter.json").write_text(json.dumps(card))
    return path


@pytest.mark.slow
# peft reads a name that transformers has deprecated.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_the_packaged_model_is_converted_once_and_an_adapter_really_merged(tmp_path: Path) -> None:
    from safetensors import safe_open

    plain = tmp_path / "plain"
    said: list[str] = []
    manifest = prepare(plain, report=said.append)
    assert (manifest.base, manifest.trained, manifest.adapter) == (BASE, False, None)
    assert (plain / "chat_template.jinja").read_bytes() == CHAT_TEMPLATE.read_bytes()
    assert prepare(plain, report=said.append) == manifest, "a second call prepares nothing"
    assert "already" in said[-1]

    merged = tmp_path / "merged"
    with_adapter = prepare(merged, random_adapter(tmp_path / "adapter", plain))
    assert (with_adapter.adapter, with_adapter.trained) == ("tiny", True)
    assert with_adapter.base_sha256 == manifest.base_sha256
    changed, same = "model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.k_proj.weight"
    with (
        safe_open(plain / "model.safetensors", framework="pt") as before,
        safe_open(merged / "model.safetensors", framework="pt") as after,
    ):
        assert sorted(before.keys()) == sorted(after.keys()), "the server finds every weight under its own name"
        assert not before.get_tensor(changed).equal(after.get_tensor(changed))
        assert before.get_tensor(same).equal(after.get_tensor(same))

    # The same place, another input: it takes the old one's place.
    (plain / "chat_template.jinja").write_text("edited by hand")
    prepare(plain)
    assert (plain / "chat_template.jinja").read_bytes() == CHAT_TEMPLATE.read_bytes()


def test_the_weights_come_from_an_installed_package() -> None:
    """No model hub is asked: a fresh machine may not reach one."""
    assert packaged_gguf().suffix == ".gguf"
