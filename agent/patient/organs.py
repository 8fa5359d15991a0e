"""Renal and hepatic function, as a question tells of them."""

from __future__ import annotations

import re
from typing import Literal

from agent.patient.patient import Hepatic, Liver, Range, Renal
from agent.patient.said import Said, of_patient, said

#: ml/min per 1.73 m2, KDIGO 2024: stages of chronic kidney disease.
STAGES = {
    "1": Range(low=90), "2": Range(low=60, high=90), "3": Range(low=30, high=60), "3a": Range(low=45, high=60),
    "3b": Range(low=30, high=45), "4": Range(low=15, high=30), "5": Range(high=15),
}  # fmt: skip
#: Below it kidney disease is called severe (stages 4 and 5).
SEVERE_BELOW = 30.0
#: Kidney failure (stage 5).
FAILURE_BELOW = 15.0
#: From here on filtration is at most mildly lower.
IMPAIRED_BELOW = 60.0
#: An eGFR and a creatinine clearance of one patient differ by less than this factor.
_MEASURES_DIFFER = 2.0

_VALUE = (
    r"(?:\s*(?:is|was|of|at|now|about|around|approx(?:imately)?|only|:|=|~))*\s*"
    r"(?P<sign>[<>≤≥]|below|under|less\s+than|above|over|more\s+than)?\s*"
    r"(?P<n>\d{1,3}(?:\.\d+)?)(?:\s*(?:-|–|to)\s*(?P<m>\d{1,3}))?(?!\s*(?:mg|years?|%))"
)
_EGFR = re.compile(rf"\be?GFR\b(?:\s*\([^)]*\))?{_VALUE}", re.IGNORECASE)
_CLEARANCE = re.compile(rf"\b(?:Cr\s?Cl|creatinine\s+clearance|eCrCl)\b(?:\s*\([^)]*\))?{_VALUE}", re.IGNORECASE)
_STAGE = re.compile(
    r"\b(?:CKD|chronic\s+(?:kidney|renal)\s+disease)[\s,(-]*(?:stage\s*|G)?(?P<a>[1-5][ab]?|II?I?|IV|V)\b"
    r"|\bstage\s*(?P<b>[1-5][ab]?|II?I?|IV|V)\s+(?:CKD|(?:chronic\s+)?(?:kidney|renal)\s+disease)\b",
    re.IGNORECASE,
)
_DIALYSIS = re.compile(
    r"\b(?:h(?:a)?emo-?dialys(?:is|ed)|peritoneal\s+dialysis|dialys(?:is|ed)|HDx|CAPD)\b", re.IGNORECASE
)
#: Who needs dialysis is not on it.
_BEFORE_DIALYSIS = re.compile(
    r"\b(?:need(?:s|ing)?|start(?:ing)?|consider(?:ing)?|indications?\s+for|refer\w*\s+for|acute)\s+(?:\w+\s+)?$",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"\b(?:ES[RK][DF]|end[\s-]+stage\s+(?:renal|kidney)\s+(?:disease|failure)|(?:established\s+)?(?:renal|kidney)\s+failure)\b",
    re.IGNORECASE,
)
_IMPAIRED = re.compile(
    r"\b(?P<how>severe(?:ly)?|moderate(?:ly)?|mild(?:ly)?|poor|bad)?\s*(?:(?:renal|kidney)\s+(?:impairment|dysfunction|insufficiency|disease)|"
    r"(?:reduced|impaired|poor)\s+(?:renal|kidney)\s+function)\b",
    re.IGNORECASE,
)
_KIDNEYS_FINE = re.compile(
    r"\b(?:normal|good|adequate|preserved)\s+(?:renal|kidney)s?(?:\s+function)?\b|\b(?:renal|kidney)\s+function\s+(?:is\s+)?(?:normal|good|fine)\b|\bU&Es?\s+(?:are\s+)?normal\b",
    re.IGNORECASE,
)

_SEVERE_LIVER = re.compile(
    r"\b(?:child[\s-]*(?:turcotte[\s-]*)?pugh\s*(?:class\s*|grade\s*|score\s*)?C|Childs?\s+C|CP[\s-]?C(?=\W|$)|decompensated\s+(?:cirrhosis|liver\s+disease|\w+\s+cirrhosis)|"
    r"(?:acute\s+)?(?:liver|hepatic)\s+failure|severe\s+(?:\w+\s+)?(?:liver|hepatic)\s+(?:disease|impairment|dysfunction|cirrhosis)|severe\s+cirrhosis)\b",
    re.IGNORECASE,
)
_ACTIVE_LIVER = re.compile(
    r"\b(?:(?:acute|active)\s+(?:viral\s+|alcoholic\s+)?hepatitis(?:\s+[A-E])?|active\s+liver\s+disease)\b",
    re.IGNORECASE,
)
_LIVER_DISEASE = re.compile(
    r"\b(?:cirrhosis|cirrhotic|child[\s-]*pugh\s*[AB]|(?:chronic\s+)?liver\s+disease|(?:liver|hepatic)\s+(?:impairment|dysfunction)|chronic\s+hepatitis(?:\s+[BC])?)\b",
    re.IGNORECASE,
)
_LIVER_FINE = re.compile(
    r"\b(?:normal\s+(?:liver(?:\s+(?:function(?:\s+tests)?|tests|enzymes))?|LFTs?)|(?:liver(?:\s+(?:function(?:\s+tests?)?|tests|enzymes))?|LFTs?)\s+(?:are\s+|is\s+)?(?:normal|fine))\b",
    re.IGNORECASE,
)


def measure_named(what: str) -> Literal["egfr", "clearance"]:
    """Which measure a recommendation's words name: "eGFR", "glomerular filtration rate", "CrCl"."""
    return "egfr" if re.search(r"gfr|glomerular", what, re.IGNORECASE) else "clearance"


def sure_limit(renal: Renal, measure: Literal["egfr", "clearance"], limit: float) -> float:
    """The value below which a patient is surely below a recommendation's limit, though another measure was told."""
    return limit if renal.measure in (measure, "either") else limit / _MEASURES_DIFFER


def read_renal(text: str) -> Renal | None:
    """The patient's renal function; of several values the lowest counts."""
    found: list[Renal] = []
    measures: tuple[tuple[re.Pattern[str], Literal["egfr", "clearance"]], ...] = (
        (_EGFR, "egfr"),
        (_CLEARANCE, "clearance"),
    )
    for pattern, measure in measures:
        for match in of_patient(pattern, text):
            found.append(Renal(words=match[0], filtration=_value(match), measure=measure))
    for match in of_patient(_STAGE, text):
        found.append(Renal(words=match[0], filtration=_stage(match["a"] or match["b"]), measure="egfr"))
    for pattern, dialysis in ((_DIALYSIS, True), (_FAILURE, False)):
        for match in of_patient(pattern, text):
            if not _BEFORE_DIALYSIS.search(text[: match.start()]):
                failure = Range(high=FAILURE_BELOW)
                found.append(Renal(words=match[0], filtration=failure, measure="either", dialysis=dialysis))
    if not found:
        for match in of_patient(_IMPAIRED, text):
            how = (match["how"] or "").lower()
            filtration = (
                Range(high=SEVERE_BELOW)
                if how.startswith("severe")
                else Range(low=SEVERE_BELOW, high=IMPAIRED_BELOW)
                if how.startswith("moderate")
                else Range(low=IMPAIRED_BELOW, high=90)
                if how.startswith("mild")
                else Range(high=IMPAIRED_BELOW)
            )
            found.append(Renal(words=match[0].strip(), filtration=filtration, measure="either"))
    if not found and (fine := _KIDNEYS_FINE.search(text)) and said(text, *fine.span()) is Said.YES:
        return Renal(words=fine[0], filtration=Range(low=IMPAIRED_BELOW), measure="either")
    return min(found, key=lambda item: (item.filtration.high or 1000, not item.dialysis), default=None)


_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}


def _stage(name: str) -> Range:
    """Only stage 3 is divided."""
    name = _ROMAN.get(name.lower(), name.lower())
    return STAGES.get(name) or STAGES[name[0]]


def _value(match: re.Match[str]) -> Range:
    number = float(match["n"])
    match (match["sign"] or "").lower()[:1]:
        case "<" | "≤" | "b" | "u" | "l":
            return Range(high=number)
        case ">" | "≥" | "a" | "o" | "m":
            return Range(low=number)
    # A value is itself: 30 is not below 30.
    return Range(low=number, high=float(match["m"]) + 1 if match["m"] else number + 0.001)


def read_hepatic(text: str) -> Hepatic | None:
    """How the patient's liver is; the worst that is said counts."""
    for pattern, state in (
        (_SEVERE_LIVER, Liver.SEVERE),
        (_ACTIVE_LIVER, Liver.ACTIVE),
        (_LIVER_DISEASE, Liver.DISEASE),
    ):
        if match := next(of_patient(pattern, text), None):
            return Hepatic(words=match[0], state=state)
    if (fine := _LIVER_FINE.search(text)) and said(text, *fine.span()) is Said.YES:
        return Hepatic(words=fine[0], state=Liver.NORMAL)
    if (denied := _LIVER_DISEASE.search(text)) and said(text, *denied.span()) is Said.NO:
        return Hepatic(words=f"no {denied[0]}", state=Liver.NORMAL)
    return None
