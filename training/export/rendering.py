"""Messages to token ids, exactly as the model server makes them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from agent import Message
from agent.templates import CHAT_TEMPLATE


class Renderer(Protocol):
    """The chat template and the tokenizer of one model."""

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a prompt that ends where the assistant begins to speak."""

    def sample(self, text: str) -> list[int]:
        """Token ids of what the assistant says, its end marker included."""


class TokenizerRenderer:
    """A prepared model's tokenizer with this project's template.

    A sample is tokenised apart from its prompt, as a server samples it: a token never spans the two.
    """

    def __init__(self, model_dir: Path, end: str = "<|im_end|>") -> None:
        self._directory = model_dir
        self._end = end

    @cached_property
    def _tokenizer(self) -> Any:
        return importlib.import_module("transformers").AutoTokenizer.from_pretrained(
            str(self._directory), local_files_only=True
        )

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """See `Renderer.prompt`."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self._tokenizer.apply_chat_template(
            turns, chat_template=CHAT_TEMPLATE.read_text(encoding="utf-8"), tokenize=False, add_generation_prompt=True
        )
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def sample(self, text: str) -> list[int]:
        """See `Renderer.sample`."""
        return list(self._tokenizer(text + self._end, add_special_tokens=False)["input_ids"])
