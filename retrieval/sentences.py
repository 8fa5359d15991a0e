"""Sentence boundaries in clinical prose, as character spans.

Rule based (Unicode UAX #29 cannot tell "e.g." from the end of a sentence). A sentence never begins with an
opening bracket, so a grade in brackets stays with the sentence it grades. When in doubt it does not
split: a passage with two sentences in one is readable, one that begins in the middle is not.
"""

from __future__ import annotations

import re

_BOUNDARY = re.compile(r"(?:[.!?]['\"’”)\]]*)(?:\s+)(?=[\"'“‘]?[A-Z0-9À-Þ•*])|\n+(?=\S)")
# Words that end in a full stop without ending a sentence, lower case and without the stop itself.
_ABBREVIATION_TEXT = (
    "e.g i.e vs etc al dr mr mrs ms st no nos fig figs tab ref refs approx ca cf dept ed eds incl max min p pp vol "
    "resp sp spp subsp var jan feb mar apr jun jul aug sept sep oct nov dec u.s u.k inc ltd prof jr sr ph.d m.d"
)
_ABBREVIATIONS = frozenset(_ABBREVIATION_TEXT.split())
_NAMED_LETTER = re.compile(r"(?:vitamin|hepatitis|grade|type|group)\s\w\.$", re.IGNORECASE)
_LAST_WORD = re.compile(r"([^\s(\[]+)\.$")
# "18." alone is the number of what follows.
_LIST_NUMBER = re.compile(r"\(?\d{1,3}\.")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans (start, end) of the sentences of a text; between two spans there is white space only.

    Every character that is not white space is in exactly one span.
    """
    spans = []
    start = _skip_space(text, 0)
    for match in _BOUNDARY.finditer(text):
        if match.start() < start or _is_abbreviation(text, match):
            continue
        end = match.start() + len(match.group().rstrip())
        if "\n" not in match.group() and _LIST_NUMBER.fullmatch(text, start, end):
            continue
        if end > start:
            spans.append((start, end))
        start = _skip_space(text, match.end())
    end = len(text.rstrip())
    if end > start:
        spans.append((start, end))
    return spans


def _is_abbreviation(text: str, match: re.Match[str]) -> bool:
    if "\n" in match.group() or text[match.start()] != ".":
        return False
    word = _LAST_WORD.search(text, max(0, match.start() - 20), match.start() + 1)
    if word is None:
        return False
    stem = word.group(1).lower()
    if stem in _ABBREVIATIONS:
        return True
    # "J. Smith", "p. 4": a single letter is an initial, unless it names a vitamin or a hepatitis virus.
    named = _NAMED_LETTER.search(text, max(0, match.start() - 14), match.start() + 1)
    return len(stem) == 1 and stem.isalpha() and text[match.end() :][:1].isupper() and named is None


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position
