"""How something is said in a question: of the patient, denied, or of somebody else.

After NegEx (Chapman and others, J Biomed Inform 2001): a cue before a term, and what ends its reach. Where it is in
doubt the term counts as said of the patient, since a warning too many harms less than one too few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum


class Said(Enum):
    """What a text says of a term at one place."""

    YES = "yes"
    NO = "no"
    #: Of a relative, or only supposed.
    NOT_THEIRS = "not theirs"


_STOP = re.compile(r"[;\n]|[.?!](?=\s|$)")
_NO = re.compile(
    r"\b(?:(?P<list>no|nil|without|den(?:ies|ied|ying)|negative for|free of|neither|nor)"
    r"|(?P<near>not|non|never|isn'?t|wasn'?t|hasn'?t|doesn'?t|isn’t|wasn’t|hasn’t|doesn’t)(?:\s+had)?)\b(?!\s+only\b)",
    re.IGNORECASE,
)
#: What ends the reach of a denial.
_TURNS = re.compile(
    r"\b(?:but|however|although|though|except|apart from|other than|who|which|because|since|now|currently|"
    r"and|is|has|had|was|takes|taking|pregnant with)\b|[:(]",
    re.IGNORECASE,
)
#: "no allergies, pregnancy or renal disease": a list that a denial governs to its end.
_LIST = re.compile(
    r"\s*(?:known\s+)?(?:[a-z' -]{2,36},\s*)+(?:or\s+|nor\s+)?[a-z' -]{2,36}?\s(?:or|nor)\s[a-z' -]{2,36}",
    re.IGNORECASE,
)
_NEAR_WORDS = 3
_LIST_WORDS = 7
_DENIED_AFTER = re.compile(
    r"\W{0,3}(?:(?:is|was|are|were|has been|have been|test(?: is| was)?|status)\s+){0,2}"
    r"(?:(?:negative|excluded|ruled out|denied|absent|de-?labelled|disproved|none|nil)\b|:\s*(?:no|nil|none)\b)",
    re.IGNORECASE,
)

_RELATIVE = (
    r"(?:mother|mum|mom|father|dad|parents?|wife|husband|partner|sister|brother|siblings?|son|daughter|child(?:ren)?|baby|infant|"
    r"newborn|cousin|aunt|uncle|grand(?:mother|father|ma|pa|parents?)|friend|flatmate|twin|relatives?|family)"
)
_FAMILY = re.compile(
    rf"\b(?:his|her|their|(?:the\s+)?patient['’]?s)\s+(?:\w+\s+)?{_RELATIVE}\b(?!\s+(?:of\b|doctor|physician|says?|said|reports?|"
    r"states?|tells?|thinks|brought|asks?|is\s+worried|is\s+concerned))"
    rf"|(?:^|[,.;]\s*|\b(?:and|but)\s+)(?:the\s+)?{_RELATIVE}(?=\s+(?:is|has|had|was|also|takes|on|allergic)\b)"
    r"(?!\s+is\s+(?:worried|concerned|asking))"
    r"|\bfamily\s+history\b|\bFHx?\b",
    re.IGNORECASE,
)
_FAMILY_ENDS = re.compile(
    r"[,;:]|\b(?:but|and\s+(?:he|she|they|the|is|has|takes)|he|she|the\s+patient)\b", re.IGNORECASE
)
_OF_FAMILY = re.compile(
    rf"[^,.;?]{{0,24}}\b(?:in|of)\s+(?:his|her|their|the)\s+(?:\w+\s+)?{_RELATIVE}\b|\s+in\s+the\s+family\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|suppos(?:e|ing)|imagine|in\s+case|whether|unless|hypothetically|had\s+(?:she|he|they)\s+been)\b",
    re.IGNORECASE,
)


def sentence_of(text: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence that holds these characters begins and ends."""
    first = 0
    for stop in _STOP.finditer(text):
        if stop.end() <= start:
            first = stop.end()
        elif stop.start() >= end:
            return first, stop.start()
    return first, len(text)


def said(text: str, start: int, end: int) -> Said:
    """What a text says of the term at these characters."""
    first, last = sentence_of(text, start, end)
    before = text[first:start]
    if _supposed(before) or _of_relative(before, text[end:last]):
        return Said.NOT_THEIRS
    return Said.NO if _denied(before, text[first:last], text[end:last]) else Said.YES


def of_patient(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Every place where a text says what a pattern stands for, of the patient."""
    return (match for match in pattern.finditer(text) if said(text, *match.span()) is Said.YES)


def _supposed(before: str) -> bool:
    cues = list(_SUPPOSED.finditer(before))
    return bool(cues) and "," not in before[cues[-1].end() :]


def _of_relative(before: str, after: str) -> bool:
    cues = list(_FAMILY.finditer(before))
    if cues and not _FAMILY_ENDS.search(before[cues[-1].end() :]):
        return True
    return _OF_FAMILY.match(after) is not None


def _denied(before: str, sentence: str, after: str) -> bool:
    if _DENIED_AFTER.match(after):
        return True
    cues = list(_NO.finditer(before))
    if not cues:
        return False
    cue = cues[-1]
    between = before[cue.end() :]
    if _TURNS.search(between):
        return False
    if "," in between:
        governed = _LIST.match(sentence, cue.end()) if cue["list"] else None
        return governed is not None and len(before) < governed.end()
    # "non-pregnant" is one word; "not known to be" is three.
    return len(between.split()) <= (_LIST_WORDS if cue["list"] else _NEAR_WORDS)
