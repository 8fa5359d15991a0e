"""What a recommendation itself gives instead of a drug that a patient may not have.

Two ways are read: a choice ("amoxicillin, clarithromycin, or doxycycline") and what is given for the allergy ("with
penicillin allergy give clarithromycin"). In doubt there is no alternative: drugs that are given together are no choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise

from agent.patient.names import Named, drug_names

#: As in `agent.patient.advice`, but for resistance and intolerance: nothing is given instead for those here.
_ALLERGY_OF = re.compile(r"[\s-]+(?:or\s+\w+\s+)?(?:allerg\w+|hypersensitiv\w+)", re.IGNORECASE)
_ALLERGIC_TO = re.compile(r"\b(?:allerg(?:y|ic)|hypersensitiv\w+)\s+to\s+(?:(?:an?|the)\s+)?$", re.IGNORECASE)
_NO_SUCH = re.compile(r"\b(?:no|not|without|never)\b[^,;.]*$", re.IGNORECASE)
#: An allergy that is asked about, or that forbids, gives nothing instead.
_GIVES_NOTHING = re.compile(r"\b(?:no|not|avoid|contra-?indicat\w*|unless|check|ask|caution)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[;\n]|\.(?:\s|$)")
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
        clause_end = _CLAUSE_END.search(text, start)
        end = clause_end.start() if clause_end else len(text)
        given = next((drug for drug in free if start <= drug.start < end), None)
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
