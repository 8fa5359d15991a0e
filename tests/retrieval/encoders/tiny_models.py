"""Small transformer models with random weights, saved as real ones are: they mean nothing, but are computed alike."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WIDTH = 32
# These state no types.
_TOKENIZER: Any = transformers.PreTrainedTokenizerFast
_MODEL: Any = transformers.AutoModel
_LETTERS = string.ascii_lowercase + string.digits + string.punctuation


def _save(directory: Path, config: Any, specials: dict[str, str], single: str, pair: str | None, seed: int) -> Path:
    """A model of two layers and a tokeniser of one token a character; `specials` are its marks, by role."""
    marks = list(dict.fromkeys(specials.values()))
    vocabulary = marks + list(_LETTERS) + [f"##{letter}" for letter in _LETTERS]
    places = {token: place for place, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(vocab=places, unk_token=specials["unk_token"], max_input_chars_per_word=99))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[(mark, places[mark]) for mark in marks]
    )
    inputs = ["input_ids", "token_type_ids", "attention_mask"] if pair else ["input_ids", "attention_mask"]
    fast = _TOKENIZER(tokenizer_object=tokenizer, model_input_names=inputs, **specials)
    fast.save_pretrained(directory)
    config.vocab_size = len(vocabulary)
    config.pad_token_id = places[specials["pad_token"]]
    torch.manual_seed(seed)
    model = _MODEL.from_config(config)
    # The mark of padding starts as zeros, but a trained model gives it a meaning: Qwen3 ends each text with it.
    torch.nn.init.normal_(model.get_input_embeddings().weight, std=0.5)
    model.save_pretrained(directory)
    return directory


_SIZES: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}


def bert(directory: Path, seed: int = 0) -> Path:
    """As MedCPT is: pairs have segments."""
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    pair = "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"
    config = transformers.BertConfig(**_SIZES, max_position_embeddings=128, initializer_range=0.5)
    return _save(directory, config, marks, "[CLS] $A [SEP]", pair, seed)


def xlm_roberta(directory: Path, seed: int = 0) -> Path:
    """As bge-m3 is: positions are counted from the mark of padding, no segments."""
    marks = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    config = transformers.XLMRobertaConfig(
        **_SIZES, max_position_embeddings=300, type_vocab_size=1, initializer_range=0.5
    )
    return _save(directory, config, marks, "<s> $A </s>", None, seed)


def qwen3(directory: Path, seed: int = 0) -> Path:
    """As Qwen3-Embedding is: causal, an end mark after each text."""
    marks = {"pad_token": "<|endoftext|>", "unk_token": "<unk>"}
    config = transformers.Qwen3Config(
        **_SIZES, num_key_value_heads=2, head_dim=8, max_position_embeddings=512, initializer_range=0.5
    )
    return _save(directory, config, marks, "$A <|endoftext|>", None, seed)
