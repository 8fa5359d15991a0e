"""What a recommendation advises to give, as opposed to what it names on the way.

"For an adult with penicillin allergy who cannot take doxycycline, give clarithromycin; do not give phenytoin" advises
one drug of four.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from itertools import pairwise
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


_ALLERGY_OF = re.compile(r"[\s-]+(?:or\s+\w+\s+)?(?:allerg\w+|hypersensitiv\w+)", re.IGNORECASE)
_ALLERGIC_TO = re.compile(r"\b(?:allerg(?:y|ic)|hypersensitiv\w+)\s+to\s+(?:(?:an?|the)\s+)?$", re.IGNORECASE)
_NO_SUCH = re.compile(r"\b(?:no|not|without|never)\b[^,;.]*$", re.IGNORECASE)
#: An allergy that is asked about, or that forbids, gives nothing instead.
_GIVES_NOTHING = re.compile(r"\b(?:no|not|avoid|contra-?indicat\w*|unless|check|ask|caution)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[;\n]|\.(?:\s|$)|$")
#: The last word before the next drug of a list: "two or three times daily, ..." joins no drugs.
_OR = re.compile(r"\bor\s+(?:[a-z-]+\s+){0,6}$", re.IGNORECASE)
_TOGETHER = re.compile(
    r"\b(?:and|plus|with|together|followed|add(?:ed)?|in\s+addition|as\s+well\s+as|combin\w+|then(?!\s+\d))\b|[+&]",
    re.IGNORECASE,
)
#: Goes from one item of a list to the next; another sentence is no item.
_ENDS = re.compile(r"[;:\n]|\.(?:\s|$)")


def gives_instead(
    text: str, drugs: Sequence[Named], barred: Collection[Named], concerns: Callable[[Named], bool]
) -> bool:
    """Whether a drug that is not barred is given for an allergy: "with penicillin allergy give clarithromycin".

    Args:
        drugs: what is advised, `barred` among it.
        concerns: whether an allergy to this drug or class is the patient's.
    """
    free = [drug for drug in drugs if drug not in barred]
    for allergen in filter(concerns, drug_names().find(text)):
        stated = _ALLERGY_OF.match(text, allergen.end)
        start = stated.end() if stated else allergen.end
        if not stated and not _ALLERGIC_TO.search(text[: allergen.start]):
            continue
        end = _CLAUSE_END.search(text, start)
        given = next((drug for drug in free if start <= drug.start < (end.start() if end else len(text))), None)
        if given is None or _NO_SUCH.search(text[: allergen.start]) or _GIVES_NOTHING.search(text[start : given.start]):
            continue
        return True
    return False


def offers_instead(text: str, drugs: Sequence[Named], barred: Collection[Named]) -> bool:
    """Whether each of `barred` is one choice beside another: "amoxicillin 500 mg, clarithromycin, or doxycycline"."""
    choices = _joined_by_or(text, drugs)
    free = [drug for drug in drugs if drug not in barred]
    return all(any({one, other} <= group for group in choices for other in free) for one in barred)


def _joined_by_or(text: str, drugs: Sequence[Named]) -> list[set[Named]]:
    """Drugs that stand in one list of choices, in reading order; a comma joins as the next word of the list does."""
    groups: list[set[Named]] = []
    waiting: list[Named] = []
    for drug, following in pairwise(drugs):
        between = text[drug.end : following.start]
        waiting.append(drug)
        if _TOGETHER.search(between) or _ENDS.search(between):
            waiting = []
        elif _OR.search(between):
            groups.append({*waiting, following})
            waiting = []
        elif "," not in between:
            waiting = []
    return groups
