"""Everyday words: the commonest of English, less those in the name of a condition, a code or a guideline.

Of the 3,500 first whole words of BERT's vocabulary (Apache-2.0), which is in the order of frequency.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

COMMON_WORDS_FILE = Path(__file__).with_name("common_words.txt")


@cache
def common_words() -> frozenset[str]:
    """The words, in small letters."""
    return frozenset(COMMON_WORDS_FILE.read_text("utf-8").split())
