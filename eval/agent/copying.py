"""Whether a sentence is copied word for word, and whether an answer holds the words it must."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent import Citation
from retrieval.tokens import tokenise

_WORD = re.compile(r"[^\W_]+")
#: What stands between two statements; inside one there may be commas, brackets and dashes.
_BETWEEN = re.compile(r"[.:;!?\n•|]")


def is_copied(sentence: str, cited: Sequence[Citation]) -> bool:
    """True where the sentence is one or several whole statements of one cited passage, word for word.

    Letter case and punctuation do not count. A part of a statement, or one with words added, is not a copy.
    """
    wanted = [word.casefold() for word in _WORD.findall(sentence)]
    return bool(wanted) and any(_holds(_text(citation), wanted) for citation in cited)


def _text(citation: Citation) -> str:
    warnings = "; ".join(citation.contraindications)
    return f"{citation.text}\nContraindications: {warnings}" if warnings else citation.text


def _holds(text: str, wanted: Sequence[str]) -> bool:
    words, begins = [], []
    end = 0
    for match in _WORD.finditer(text):
        words.append(match.group().casefold())
        begins.append(end == 0 or _BETWEEN.search(text, end, match.start()) is not None)
        end = match.end()
    begins.append(True)  # after the last word
    size = len(wanted)
    return any(
        begins[start] and begins[start + size] and words[start : start + size] == list(wanted)
        for start in range(len(words) - size + 1)
    )


def covered(must_have: Sequence[str], shown: str) -> int:
    """How many of the stated phrases have all their words in what was shown: stems and numbers, in any order.

    Lexical: the right words in a wrong statement count, and the right statement in other words does not.
    """
    held = set(tokenise(shown))
    return sum(set(tokenise(phrase)) <= held for phrase in must_have)
