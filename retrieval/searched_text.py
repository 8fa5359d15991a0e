"""Which words of a passage are searched.

BM25 sees the condition, its other names, the guideline's title, the recommendation and its population;
the encoder sees "condition. recommendation". Grades and contraindications are shown, not searched: a
drug named only as a contraindication would otherwise find the recommendations it does not belong to.
Untuned. A change here needs a new `SEARCHED_TEXT_VERSION`, which makes existing indexes be rebuilt.
"""

from __future__ import annotations

import hashlib

from retrieval.documents import Document, Passage

SEARCHED_TEXT_VERSION = "1"


def bm25_text(passage: Passage, document: Document) -> str:
    """The text whose terms BM25 counts."""
    parts = [*passage.section[:1], *passage.synonyms, document.title, passage.text, passage.population or ""]
    return "\n".join(part for part in parts if part)


def dense_text(passage: Passage) -> str:
    """The text that is encoded; the condition comes first so that truncation never loses it."""
    return f"{passage.section[0]}. {passage.text}" if passage.section else passage.text


def text_hash(text: str) -> str:
    """SHA-256 (hex) of an encoded text: the key of its vector of record."""
    return hashlib.sha256(text.encode()).hexdigest()
