"""What a recommendation advises to give, as opposed to what it names on the way.

"For an adult with penicillin allergy who cannot take doxycycline, give clarithromycin; do not give phenytoin" advises
one drug of four.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from agent.patient.names import Named, drug_names

_FORBIDS = (
    r"do(?:es)?\s+not|don['’]t|avoid|must\s+not|never|should\s+not|stop|withhold|rather\s+than|instead\s+of|"
    r"not\s+(?:routinely\s+)?(?:offer|give|use)"
)
#: From a prohibition to where advice begins again.
_FORBIDDEN = re.compile(
    rf"\b(?:{_FORBIDS})\b.*?(?=;|\.(?:\s|$)|,\s+(?:use|give|offer|choose|start|switch|prefer|advise|then)\b|\b(?:but|and)\s+(?:use|give|offer|choose|start|switch)\b|$)",
    re.IGNORECASE | re.DOTALL,
)
_FORBIDDEN_BEFORE = re.compile(
    r"\b[\w/-]+(?:\s+(?:and|or)\s+[\w/-]+)?\s+(?:must\s+not|should\s+not|(?:is|are)\s+not\s+(?:recommended|advised)|(?:is|are)\s+contraindicated)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if|when|where|unless|although|because|after|before|until|while|since)\b[^,;.]*", re.IGNORECASE
)
#: What stands before a drug that is not advised: an allergy to it, or a treatment there is already.
_NOT_GIVEN = re.compile(
    r"\b(?:allerg(?:y|ic)\s+to|hypersensitiv\w+\s+to|intoleran(?:t|ce)\s+(?:of|to)|cannot\s+(?:take|have)|unable\s+to\s+take|tolerat(?:e|es|ed|ing)|taking|takes|on|using|"
    r"replace|without|than|to|over|prescribed|having|had|last|for|with\s+severe|response\s+to|failure\s+of|dose\s+of)\s+(?:(?:an?|the|oral|severe|no)\s+)*$",
    re.IGNORECASE,
)
_ALLERGY_AFTER = re.compile(
    r"[\s-]+(?:or\s+\w+\s+)?(?:allerg\w+|hypersensitiv\w+|intoleran\w+|resistan\w+)", re.IGNORECASE
)


class Advice(NamedTuple):
    """What is to be given."""

    #: As named in the text, in its order.
    drugs: tuple[Named, ...]
    #: Nothing is to be given: the recommendation forbids.
    only_forbids: bool


@lru_cache(maxsize=4096)
def advice_of(text: str) -> Advice:
    """The advice of a recommendation's text."""
    hidden = [match.span() for pattern in (_FORBIDDEN, _FORBIDDEN_BEFORE) for match in pattern.finditer(text)]
    forbids = bool(hidden)
    hidden += [match.span() for match in _CONDITION.finditer(text)]
    drugs = tuple(
        drug
        for drug in drug_names().find(text)
        if not any(start <= drug.start < end for start, end in hidden)
        and not _NOT_GIVEN.search(text[: drug.start])
        and not _ALLERGY_AFTER.match(text[drug.end :])
    )
    return Advice(drugs, forbids and not drugs)
