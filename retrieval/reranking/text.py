"""What the reranker reads of a passage: its title and its words, with the population where one is stated.

Fixed apart from what BM25 and the encoder search: a trained adapter belongs to these words, however the index
changes. Headings between title and text are left out, because in part of the training data they are the question.
"""

from __future__ import annotations

from retrieval.documents import Passage

RERANKED_TEXT_VERSION = "1"


def reranked_text(passage: Passage) -> str:
    """Title, text and population of a passage; the title first, so that cutting never loses it."""
    parts = [passage.section[0] + "." if passage.section else "", passage.text]
    if passage.population:
        parts.append(f"Population: {passage.population}.")
    return " ".join(part for part in parts if part)
