"""Phrases: how a rule says which words it looks for.

    my_wife|husband ... dies?    words in this order; `|` between alternatives, `_` for a space inside one,
                                 `?` after what may be missing, `...` for up to six other words
    poison*                      every word that begins so

A phrase matches whole words of one sentence. It is not a regular expression: whoever owns a policy need not know
those, and no phrase can take long on any question.
A match after a negation ("do not", "never", "prevent") does not count, and `...` reaches over none.
"""

from __future__ import annotations

import re
from functools import cache

from agent.policy.words import plain_words

#: Words that `...` may stand for.
GAP = 6
#: Words before a match in which a negation takes it back.
NEGATION_REACH = 3
_NEGATIONS = (
    "not|never|no|nor|neither|without|dont|doesnt|didnt|isnt|wasnt|wont|wouldnt|shouldnt|couldnt|arent|"
    "prevent(?:s|ed|ing)?|avoid(?:s|ed|ing)?|den(?:y|ies|ied|ying)"
)
_NEGATED = re.compile(rf" (?:{_NEGATIONS})(?: \S+){{0,{NEGATION_REACH - 1}}}$")
_GAP = rf"(?:(?! (?:{_NEGATIONS}) ) \S+){{0,{GAP}}}?"
_ITEM = re.compile(r"(?P<words>[^\s|*?]+\*?(?:\|[^\s|*?]+\*?)*)(?P<optional>\??)")


class PhraseError(ValueError):
    """A phrase is not one; the message says what to write instead."""


@cache
def compiled(phrase: str) -> re.Pattern[str]:
    """The phrase as what matches it in a sentence of `plain_sentences`.

    Raises:
        PhraseError: it has no word, or an item that is none.
    """
    items = phrase.split()
    if not items or all(item == "..." or item.endswith("?") for item in items):
        raise PhraseError(f"{phrase!r} has no word that must be there")
    if "..." in (items[0], items[-1]):
        raise PhraseError(f"{phrase!r} begins or ends with `...`; leave that out")
    return re.compile("".join(map(_item, items)) + "(?= )")


def found(phrases: tuple[str, ...], sentence: str) -> bool:
    """Whether any of the phrases stands in the sentence, negated or not."""
    return any(compiled(phrase).search(sentence) for phrase in phrases)


def meant(phrases: tuple[str, ...], sentence: str) -> bool:
    """Whether any of the phrases stands in the sentence and is not negated there."""
    return any(
        not _NEGATED.search(sentence[: match.start()])
        for phrase in phrases
        for match in compiled(phrase).finditer(sentence)
    )


def _item(item: str) -> str:
    if item == "...":
        return _GAP
    read = _ITEM.fullmatch(item)
    if read is None:
        raise PhraseError(
            f"{item!r} is not a word, alternatives (a|b), a beginning (word*), an optional word (word?) or `...`"
        )
    choices = "|".join(map(_choice, read["words"].split("|")))
    return f"(?: (?:{choices})(?= ))" + read["optional"]


def _choice(choice: str) -> str:
    words = plain_words(choice.rstrip("*").replace("_", " "))
    if not words:
        raise PhraseError(f"{choice!r} holds no letter or digit")
    return re.escape(words) + (r"\S*" if choice.endswith("*") else "")
