"""Drugs that the patient is said not to tolerate: "cannot tolerate statins", "muscle pains on three statins".

An intolerance is no allergy. It rules out nothing but what is meant for those who tolerate the drug; what advises the
drug is to be checked.
"""

from __future__ import annotations

import re

from agent.patient.names import drug_names
from agent.patient.patient import Allergy
from agent.patient.said import Said, said, sentence_of

_NOT = (
    r"(?:can(?:no|['’])t|can\s+not|unable\s+to|failed\s+to|never|(?:could|did|does|do|has|have|had)(?:n['’]t|\s+not))"
)
#: Between a complaint and the drug: how many, which, how much.
_WHICH = (
    r"(?:(?:taking|an?|the|his|her|their|all|any|both|every|even|several|multiple|different|other|two|three|four|\d+|"
    r"oral|long[\s-]term|high[\s-]dose|low[\s-]dose|a\s+low\s+dose\s+of)\s+)*$"
)
_CANNOT_TOLERATE = re.compile(rf"\b{_NOT}\s+(?:been\s+able\s+to\s+)?tolerat(?:e|ed|ing)\s+{_WHICH}", re.IGNORECASE)
#: What drugs do often enough that "on" or "with" says that the drug did it.
_COMPLAINT = re.compile(
    r"\b(?:(?:side|adverse)[\s-]+effects?|muscle\s+(?:pains?|aches?|cramps?|symptoms?|weakness)|myalgias?|myopathy|"
    r"rhabdomyolysis|(?:dry\s+|persistent\s+)?cough)\s+(?:with|on|from|to|after|caused\s+by|due\s+to|of)\s+" + _WHICH,
    re.IGNORECASE,
)
_NOT_TOLERATED = re.compile(
    r"\s*(?:(?:was|were|is|are|has\s+been|have\s+been)\s+)?(?:not|never|poorly|badly)\s+tolerated\b", re.IGNORECASE
)
#: In a recommendation: for whom it is.
_TOLERATING = re.compile(
    r"\b(?:who\s+(?:can\s+)?tolerate|able\s+to\s+tolerate|(?<!not\s)tolerating|tolerant\s+(?:of|to))\s+(?P<what>[^,.;()]{3,60})",
    re.IGNORECASE,
)


def read_intolerances(text: str) -> tuple[Allergy, ...]:
    """What the patient is said not to tolerate, as allergies that are intolerances."""
    found: dict[frozenset[str], Allergy] = {}
    for drug in drug_names().find(text):
        first, last = sentence_of(text, drug.start, drug.end)
        before = text[first : drug.start]
        cue = _CANNOT_TOLERATE.search(before) or _COMPLAINT.search(before)
        if cue is not None:
            start, end = first + cue.start(), drug.end
        elif after := _NOT_TOLERATED.match(text[drug.end : last]):
            start, end = drug.start, drug.end + after.end()
        else:
            continue
        if said(text, start, end) is Said.YES:
            found[drug.names] = Allergy(words=text[start:end], names=drug.names, intolerance=True)
    return tuple(found.values())


def tolerated_drugs(text: str) -> dict[str, str]:
    """The drugs and classes that those whom a recommendation is for are said to tolerate, with the words for it."""
    return {
        name: match[0].strip()
        for match in _TOLERATING.finditer(text)
        for drug in drug_names().find(match["what"])
        for name in drug.names
    }
