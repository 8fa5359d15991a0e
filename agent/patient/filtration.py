"""A patient's renal function against the least that a recommendation's own words ask for.

"Treat adults who have type 2 diabetes, CKD and an eGFR of at least 20 ..." is not for one whose eGFR is 12. Where a
text names renal function more than once it is advice for several degrees of it, and nothing is read.
"""

from __future__ import annotations

import re

from agent.patient.conflict import Conflict, FactKind, Weight
from agent.patient.organs import MEASURES_DIFFER
from agent.patient.patient import Patient, Range

_MEASURE = r"(?:estimated\s+)?(?P<what>e?GFR|glomerular\s+filtration\s+rate|creatinine\s+clearance|Cr\s?Cl)"
_NAMED = re.compile(rf"\b{_MEASURE}\b", re.IGNORECASE)
_UNIT = r"(?:\s*ml\s*/\s*min(?:\s*/\s*1\.73\s*m(?:2|²))?)?"
#: Of the people: "with", "and", "whose" stand before it. What is to be done "if" it is so is another matter.
_LEAST = re.compile(
    rf"\b(?:with|and|whose|have|has|having)\s+(?:an?\s+|their\s+)?{_MEASURE}\s*(?:\([^)]*\)\s*)?(?:of\s+|is\s+)?"
    rf"(?:(?:at\s+least|no\s+less\s+than|above|over|greater\s+than|more\s+than|≥|>=?)\s*(?P<n>\d{{1,3}}){_UNIT}"
    rf"|(?P<m>\d{{1,3}}){_UNIT}\s+(?:or|and)\s+(?:more|above|over|higher|greater))",
    re.IGNORECASE,
)


def filtration_conflicts(patient: Patient, text: str) -> list[Conflict]:
    """What the least renal function that a text names says against this patient; empty where it names none."""
    renal = patient.renal
    least = _LEAST.search(text)
    if renal is None or least is None or len(_NAMED.findall(text)) > 1:
        return []
    limit = float(least["n"] or least["m"])
    measure = "egfr" if least["what"][:2].lower() in ("eg", "gf", "gl") else "clearance"
    surely = limit if renal.measure in (measure, "either") else limit / MEASURES_DIFFER
    if renal.filtration.within(Range(high=surely)):
        weight = Weight.WHOLE
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
