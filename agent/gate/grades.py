"""The grade that a sentence states in brackets: it must be the recommendation's own.

The text of a recommendation mostly does not hold its grade, which is lifted out of it (`Passage.strength`). So a
remark such as "(Grade B recommendation)" is compared with that, and left out of what the words are compared with.
"""

from __future__ import annotations

import re

from retrieval import Passage

_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]{1,120})[)\]]")
#: A letter with what it is a letter of, "Grade B", "I statement": of another scheme it says another thing.
_LETTER = re.compile(
    r"(?:USPSTF )?(?:(?P<scheme>grade|class|category)[: ]*)?(?P<letter>[A-D]|I)"
    r"(?:[- ](?P<of>recommendation|statement|grade))?",
    re.IGNORECASE,
)
_ADJECTIVE = re.compile(
    r"(?P<word>strong|weak|conditional)(?: recommendation)?(?: (?P<way>for|against))?(?:[,;] (?P<rest>.+))?",
    re.IGNORECASE,
)
_IN_STRENGTH = re.compile(
    r"\b(?P<scheme>grade|class|category)[: ]*(?P<a>[A-D]|I)\b|^(?P<b>[A-D]|I)(?: (?P<of>recommendation|statement))?$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\b(strong|weak|conditional)\b", re.IGNORECASE)
_WAYS = re.compile(r"\b(for|against)\b", re.IGNORECASE)
_PIECES = re.compile(r"[,;]\s*")
_ALIKE = {"conditional": "weak"}


def without_grade(text: str, passage: Passage) -> tuple[str, str | None]:
    """A sentence without the grades it rightly states, and the first that is not the recommendation's.

    Where the recommendation states none of that sort the remark stays: its words are then compared like any others.
    """
    kept, at = "", 0
    for found in _BRACKETS.finditer(text):
        remark = found[1].strip().rstrip(".")
        right = _is_own(remark, passage.strength or "")
        in_text = re.search(rf"[(\[]{re.escape(remark)}[.)\]]", passage.text, re.IGNORECASE)
        if right is False and in_text is None:
            return text, remark
        if right:
            kept, at = kept + text[at : found.start()], found.end()
    return kept + text[at:], None


def _is_own(remark: str, strength: str) -> bool | None:
    """Whether a remark is the grade of a strength; None where it is no grade, or one of another sort."""
    letter = _LETTER.fullmatch(remark)
    if letter and (letter["scheme"] or letter["of"]):
        return _is_own_letter(letter, strength)
    adjective = _ADJECTIVE.fullmatch(remark)
    own_words = {_ALIKE.get(word, word) for word in map(str.casefold, _WORDS.findall(strength))}
    if adjective is None or len(own_words) != 1:
        return None
    word = adjective["word"].casefold()
    if _ALIKE.get(word, word) not in own_words:
        return False
    way, ways = (adjective["way"] or "").casefold(), {found.casefold() for found in _WAYS.findall(strength)}
    if way and way not in ways:
        return False if ways else None
    if not adjective["rest"]:
        return True
    own = {piece.casefold() for piece in _PIECES.split(strength)}
    return True if {piece.casefold() for piece in _PIECES.split(adjective["rest"])} <= own else None


def _is_own_letter(letter: re.Match[str], strength: str) -> bool | None:
    own = _IN_STRENGTH.search(strength)
    if own is None:
        return None
    # "I statement" says that evidence is insufficient, "Class I" that it is best.
    schemes = {"class", "category"}
    if ((letter["scheme"] or "").casefold() in schemes) != ((own["scheme"] or "").casefold() in schemes):
        return None
    return letter["letter"].upper() == (own["a"] or own["b"]).upper()
