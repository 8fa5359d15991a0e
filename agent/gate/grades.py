"""The grade that a sentence states in brackets: it must be the recommendation's own.

The text of a recommendation mostly does not hold its grade, which is lifted out of it (`Passage.strength`). So a
remark such as "(Grade B recommendation)" is compared with that, and left out of what the words are compared with.
"""

from __future__ import annotations

import re

from retrieval import Passage

_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]{1,120})[)\]]")
_LETTER = re.compile(
    r"(?:USPSTF )?(?:grade|class|category)[: ]*(?P<a>[A-D]|I)(?: (?:recommendation|statement))?"
    r"|(?P<b>[A-D]|I)[- ](?:recommendation|statement|grade)",
    re.IGNORECASE,
)
_ADJECTIVE = re.compile(
    r"(?P<word>strong|weak|conditional)(?: (?:recommendation|for|against|recommendation for|recommendation against))?"
    r"(?P<rest>[,;] .+)?",
    re.IGNORECASE,
)
_IN_STRENGTH = re.compile(r"\b(?:grade|class|category)[: ]*([A-D]|I)\b|^([A-D]|I)\b", re.IGNORECASE)
_WORDS = re.compile(r"\b(strong|weak|conditional)\b", re.IGNORECASE)
_ALIKE = {"conditional": "weak"}


def without_grade(text: str, passage: Passage) -> tuple[str, str | None]:
    """A sentence without the grades it rightly states, and the first that is not the recommendation's.

    Where the recommendation states none of that sort the remark stays: its words are then compared like any others.
    """
    kept, at = "", 0
    for found in _BRACKETS.finditer(text):
        remark = found[1].strip().rstrip(".")
        right = _is_own(remark, passage.strength or "")
        if right is False and remark.casefold() not in passage.text.casefold():
            return text, remark
        if right:
            kept, at = kept + text[at : found.start()], found.end()
    return kept + text[at:], None


def _is_own(remark: str, strength: str) -> bool | None:
    """Whether a remark is the grade of a strength; None where it is no grade, or one of another sort."""
    letter = _LETTER.fullmatch(remark)
    if letter:
        own = _IN_STRENGTH.search(strength)
        return None if own is None else (letter["a"] or letter["b"]).upper() == (own[1] or own[2]).upper()
    adjective = _ADJECTIVE.fullmatch(remark)
    own_words = {_ALIKE.get(word, word) for word in map(str.casefold, _WORDS.findall(strength))}
    if adjective is None or len(own_words) != 1:
        return None
    word = adjective["word"].casefold()
    if _ALIKE.get(word, word) not in own_words:
        return False
    rest = (adjective["rest"] or "").strip(",; ").casefold()
    return True if not rest or rest in strength.casefold() else None
