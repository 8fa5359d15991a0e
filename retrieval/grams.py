"""Character n-grams of words: what two related words share that no stemmer sees.

"hypercholesterolaemia" and "cholesterol", or a British and an American spelling, have no stem in common but most of
their n-grams. McNamee, Mayfield: "Character N-Gram Tokenization for European Language Text Retrieval", Information
Retrieval 7, 2004, which also finds n = 4 best. Only words in letters are taken apart: a number is compared whole,
so that one dose is never half of another. Grams only order passages that a leg has found (see
`retrieval.rescoring`); an exact match of the word counts beside them.
"""

from __future__ import annotations

from functools import lru_cache

from retrieval.tokens import words

GRAM_LENGTH = 4


def grams(text: str) -> list[str]:
    """Grams of the words of `text` in reading order, repeats kept."""
    return [gram for word in words(text) for gram in word_grams(word)]


@lru_cache(maxsize=200_000)
def word_grams(word: str) -> tuple[str, ...]:
    """The grams of one word between its marked ends; the whole where it is short or holds a digit."""
    marked = f"^{word}$"
    if len(marked) <= GRAM_LENGTH or any(character.isdigit() for character in word):
        return (marked,)
    return tuple(marked[start : start + GRAM_LENGTH] for start in range(len(marked) - GRAM_LENGTH + 1))
