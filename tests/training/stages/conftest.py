"""A model of a few thousand random weights with a small tokenizer, and rows for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.prompts import ANSWER_LINE, SYSTEM, prompt_sha256
from agent.templates import CHAT_TEMPLATE, chat_template_sha256

from ...starter import starter

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def provenance(**changes: Any) -> dict[str, Any]:
    held = {
        "rollout_id": "r",
        "model": "teacher",
        "adapter": None,
        "template_sha256": chat_template_sha256(),
        "prompt_sha256": prompt_sha256(),
        "question_source": "made",
        "licence": "CC0-1.0",
        "training_consent": True,
    }
    return held | changes


def token_row(ids: Sequence[int], first: int, **changes: Any) -> dict[str, Any]:
    """A row whose tokens from `first` on were sampled."""
    labels = [-100] * first + list(ids[first:])
    return {"input_ids": list(ids), "labels": labels, "provenance": provenance(**changes)}


def many_rows(count: int) -> list[dict[str, Any]]:
    return [token_row([5 + (at * 7 + place) % 90 for place in range(24 + at % 5)], 16) for at in range(count)]


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared model directory, manifest included."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny") / "base"
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    # Some merges, so that a run is as long as it would be with a real tokenizer.
    trainer = trainers.BpeTrainer(
        vocab_size=1500, special_tokens=list(SPECIAL), initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    texts = [passage.text for entry in starter() for passage in entry.passages]
    inner.train_from_iterator([*texts, SYSTEM, ANSWER_LINE], trainer)
    inner.decoder = decoders.ByteLevel()
    fast: Any = PreTrainedTokenizerFast
    tokenizer = fast(tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|im_end|>", bos_token="<|im_start|>")
    tokenizer.chat_template = CHAT_TEMPLATE.read_text(encoding="utf-8")
    tokenizer.save_pretrained(str(folder))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=inner.get_vocab_size(),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=16384,
        tie_word_embeddings=True,
        eos_token_id=2,
        bos_token_id=1,
        pad_token_id=2,
    )
    model: Any = LlamaForCausalLM(config)
    model.to(torch.bfloat16).save_pretrained(str(folder))
    manifest = {
        "base": "tiny",
        "base_sha256": "0" * 64,
        "template_sha256": chat_template_sha256(),
        "prepared_at": "2026-01-01T00:00:00Z",
        "trained": False,
    }
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder
