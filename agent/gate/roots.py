"""Roots: one form for the forms of a word, so that "hypertensive" and "hypertension" are not two words.

Cuts endings of number, tense and part of speech, and joins British and American spelling. What an ending would leave
is kept long enough that two drugs or two diseases do not fall together.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SPELLINGS = tuple(
    (re.compile(pattern), becomes)
    for pattern, becomes in (
        (r"ae|oe", "e"),
        (r"our(?=s|ed|ing|al|$)", "or"),
        (r"is(?=ation|e$|ed$|es$|ing$)", "iz"),
        (r"ys(?=e$|ed$|es$|ing$)", "yz"),
        (r"sulph", "sulf"),
        (r"ll(?=ed|ing)", "l"),
        (r"tre$", "ter"),
    )
)
_ENDINGS = sorted(
    (  # noqa: SIM905
        "iasis iases ational ations ation ative atory ated ating ates atic atal ancy ances ance ant ants ency ences "
        "ence ent ents ments ment ing ion ions ive ic ical ically al ally ous y ies s es ed e er ers or ors ia ias ity "
        "is osis ose oses otic ostic ists ist ism ly a ie us ary ory ar ate"
    ).split(),
    key=len,
    reverse=True,
)
#: What is left of these is a verb, or one without its last "e".
_OF_VERBS = ("ed", "ing")
_LEAST = 4


@lru_cache(maxsize=20_000)
def root(word: str) -> str:
    """The root of a word in small letters."""
    for pattern, becomes in _SPELLINGS:
        word = pattern.sub(becomes, word)
    if len(word) > _LEAST and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            stem = word[: -len(ending)]
            # "Prevented" has the root of "prevent", which loses an ending of its own.
            return root(stem) if ending in _OF_VERBS and stem.endswith("ent") else stem
    return word
