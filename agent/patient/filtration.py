"""A patient's renal function against the least that a recommendation's own words ask for.

"Treat adults who have type 2 diabetes, CKD and an eGFR of at least 20 ..." is not for one whose eGFR is 12. Only one
plain statement says so of the whole recommendation. Where there is more in the text, a part of it may be for the
patient, and it is said to be checked; where the measure is named twice it is advice for several degrees, and where a
"not" governs it the limit is the other way round: nothing is read.
"""

from __future__ import annotations

import re

from agent.patient.conflict import Conflict, FactKind, Weight
from agent.patient.organs import measure_named, sure_limit
from agent.patient.patient import Patient, Range

_MEASURE = r"(?:estimated\s+)?(?P<what>e?GFR|glomerular\s+filtration\s+rate|creatinine\s+clearance|Cr\s?Cl)"
#: "glomerular filtration rate (eGFR)" names one thing once.
_SHORT_BEHIND = re.compile(r"\s*\(\s*(?:e?GFR|Cr\s?Cl)\s*\)", re.IGNORECASE)
_NAMED = re.compile(rf"\b{_MEASURE}\b", re.IGNORECASE)
_UNIT = r"(?:\s*ml\s*/\s*min(?:ute)?(?:\s*(?:/|per)\s*1\.73\s*m(?:2|²))?)?"
#: What follows the number where it is no filtration.
_ELSE = r"(?![\d.]*\s*(?:%|per\s*cent|hours?|days?|weeks?|months?|years?|times?)\b)(?!\d)"
#: Of the people: "with", "and", "whose" stand before it.
_LEAST = re.compile(
    rf"\b(?:with|and|whose|have|has|having)\s+(?:an?\s+|their\s+)?{_MEASURE}\s*(?:of\s+|is\s+)?"
    r"(?:(?:at\s+least|not?\s+less\s+than|at\s+or\s+above|above|over|(?:greater|more|higher)\s+than(?:\s+or\s+equal\s+to)?|≥|⩾|>=?)"
    rf"\s*(?P<n>\d{{1,3}}){_ELSE}{_UNIT}|(?P<m>\d{{1,3}}){_ELSE}{_UNIT}\s+(?:or|and)\s+(?:more|above|over|higher|greater))",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:not|never|avoid|contraindicated|even|including|unless|without)\b", re.IGNORECASE)
#: Anything that may be advice for others beside it.
_MORE = re.compile(
    r";|\.\s+\S|\n|\b(?:if|when|where|otherwise|dialysis|renal|impairment)\b|\d\s*(?:[-–]|to)\s*\d", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.;])\s+")


def filtration_conflicts(patient: Patient, text: str) -> list[Conflict]:
    """What the least renal function that a text names says against this patient; empty where it names none.

    Args:
        text: of the recommendation or of whom it is for, without its contraindications: those are limits of their own.
    """
    plain = _SHORT_BEHIND.sub("", text)
    renal = patient.renal
    least = _LEAST.search(plain)
    if renal is None or least is None or len(_NAMED.findall(plain)) > 1:
        return []
    if _NOT.search(_SENTENCE.split(plain[: least.start()])[-1]):
        return []
    limit = float(least["n"] or least["m"])
    if renal.filtration.within(Range(high=sure_limit(renal, measure_named(least["what"]), limit))):
        others = plain[: least.start()] + plain[least.end() :].rstrip(". \n")
        weight = Weight.CHECK if _MORE.search(others) else Weight.WHOLE
    elif renal.filtration.high is not None and renal.filtration.meets(Range(high=limit)):
        weight = Weight.CHECK
    else:
        return []
    return [
        Conflict(
            kind=FactKind.RENAL,
            weight=weight,
            fact=renal.words,
            against="the recommendation is for better renal function",
            question_words=renal.words,
            recommendation_words=least[0],
        )
    ]
