"""Pregnancy and breast-feeding, as a question tells of them."""

from __future__ import annotations

import re

from agent.patient.patient import BreastFeeding, Pregnancy, Range
from agent.patient.said import Said, said

_WEEKS = r"(?P<weeks>[4-9]|[1-3]\d|4[0-3])(?:\s*\+\s*\d)?"
#: Says of itself that somebody is pregnant.
_PREGNANT = re.compile(
    rf"\b{_WEEKS}(?:/40|[\s-]*(?:weeks?|wks?|/40)[\s-]+(?:pregnant|gestation|of\s+pregnancy|of\s+gestation|gravid|antenatal))\b"
    r"|(?<![\d/.+])(?P<plus>[4-9]|[1-3]\d|4[0-3])\+[0-6](?:/40|/7)?(?![\d.]|\s*(?:mg|mmol|mcg|ml)\b)"
    r"|\b(?:(?P<trimester>first|second|third|1st|2nd|3rd)[\s-]+trimester)\b"
    r"|\b(?:pregnan(?:t|cy)|antenatal|expectant|expecting\s+(?:a\s+baby|twins)|gravid|in\s+utero\s+pregnancy)\b"
    r"|\b(?:gestational\s+(?:diabetes|hypertension)|pre-?eclampsia|obstetric\s+cholestasis)\b",
    re.IGNORECASE,
)
#: Words that make "at 28 weeks" a gestation.
_OBSTETRIC = re.compile(
    r"\b(?:gravida|G\d+\s?P\d+|primi(?:gravida|p)|multi(?:gravida|p)|antenatal|obstetric|fetal|foetal|fetus|"
    r"pregnan\w+|gestation\w*|trimester|pre-?eclampsia)\b",
    re.IGNORECASE,
)
_AT_WEEKS = re.compile(
    rf"\b(?:at|is|now|currently|she['’]s)\s+{_WEEKS}\s*(?:weeks?|wks?)"
    r"(?!\s*(?:of\s+(?:age|treatment|therapy)|after|post|old|ago))\b"
    rf"|\bG\d+\s?P\d+\D{{1,8}}{_WEEKS.replace('weeks', 'parity')}\s*(?:weeks?|wks?)\b"
    rf"|(?:^|[,(]\s*){_WEEKS.replace('weeks', 'alone')}\s*(?:weeks|wks)(?=\s*[,.;)]|\s+with\b|$)"
    rf"|(?<![\d/+.]){_WEEKS.replace('weeks', 'bare')}\s*(?:weeks|wks)"
    r"(?!\s*(?:of|after|post|old|ago|course|history|\w+partum))\b",
    re.IGNORECASE,
)
_WOMAN = re.compile(r"\b(?:woman|lady|female|girl|she|her|\d{2}\s?F)\b", re.IGNORECASE)
_FOLLOWED_UP = re.compile(
    r"\b(?:review(?:ed)?|follow(?:ed)?[\s-]*up|after|for|within|over|course|ago|every)\s+(?:\w+\s+)?$", re.IGNORECASE
)
#: Not a pregnancy now.
_NOT_NOW = re.compile(
    r"\b(?:previous|prior|past|last|earlier|history\s+of|had|avoid(?:ing)?|prevent(?:ing)?|planning|plans?|planned|trying(?:\s+(?:for|to))?|wants?|wish(?:es)?\s+for|"
    r"after|since|before|ectopic|risk\s+of|possible|possibly|maybe|may\s+be|might\s+be|could\s+(?:(?:she|it|the\s+patient)\s+)?be|exclude|suspected|screen\w*\s+for|unplanned)\s+"
    r"(?:(?:a|an|the|her|be|get|to|become)\s+)*$",
    re.IGNORECASE,
)
#: A disorder of a pregnancy that is over.
_IN_ANOTHER = re.compile(r"\b(?:previous|prev|prior|past|last|earlier|history|had)\b[^,.;]*$", re.IGNORECASE)
_TEST = re.compile(
    r"^\s*(?:test|tests|testing|prevention|category|rate)\b(?P<positive>[^.;,]{0,20}\bpositive)?", re.IGNORECASE
)
_SURELY_NOT = re.compile(
    r"\b(?:negative\s+(?:\w+\s+)?(?:pregnancy\s+test|hCG|β-?hCG)|(?:pregnancy\s+test|hCG)\s*(?:is|was|:)?\s*(?:negative|neg)\b|"
    r"post-?menopausal|menopausal|hysterectom\w+|post-?(?:partum|natal)|non-?\s?pregnant)",
    re.IGNORECASE,
)
_FEEDING = re.compile(
    r"\b(?:breast-?\s?feed(?:ing|s)?|lactat(?:ing|es)|nursing\s+(?:mother|mum|mom|woman|her|a\s+(?:baby|infant|newborn))|breast-?\s?feeder)\b",
    re.IGNORECASE,
)
_NOT_FEEDING = re.compile(
    r"\b(?:formula[\s-]+f(?:ed|eeding|eeds)|bottle[\s-]+f(?:ed|eeding|eeds)|(?:stopped|finished)\s+breast-?\s?feeding)\b",
    re.IGNORECASE,
)
_TRIMESTERS = {"f": Range(low=0, high=14), "1": Range(low=0, high=14), "s": Range(low=14, high=28),
               "2": Range(low=14, high=28), "t": Range(low=28, high=45), "3": Range(low=28, high=45)}  # fmt: skip


def read_pregnancy(text: str) -> Pregnancy | None:
    """Whether the patient is pregnant, and how far; None where nothing is said of it."""
    yes: list[Pregnancy] = []
    no: Pregnancy | None = None
    for match in _PREGNANT.finditer(text):
        test = _TEST.match(text[match.end() :]) if match[0].lower() == "pregnancy" else None
        if (test and not test["positive"]) or _NOT_NOW.search(text[: match.start()]):
            continue
        if not match[0].lower().startswith("preg") and _IN_ANOTHER.search(text[: match.start()]):
            continue
        match said(text, *match.span()):
            case Said.YES:
                yes.append(Pregnancy(words=match[0].strip(" ,("), holds=True, weeks=_weeks(match)))
            case Said.NO:
                no = no or Pregnancy(words=_with_denial(text, match), holds=False)
            case Said.NOT_THEIRS:
                pass
    for match in _AT_WEEKS.finditer(text):
        sure = _OBSTETRIC.search(text) or ((match["weeks"] or match["alone"]) and _WOMAN.search(text))
        if sure and said(text, *match.span()) is Said.YES and not _FOLLOWED_UP.search(text[: match.start()]):
            yes.append(Pregnancy(words=match[0].strip(" ,("), holds=True, weeks=_weeks(match)))
    if yes:
        return next((item for item in yes if item.weeks is not None), yes[0])
    if no is None and (surely := _SURELY_NOT.search(text)) and said(text, *surely.span()) is not Said.NOT_THEIRS:
        no = Pregnancy(words=surely[0], holds=False)
    return no


def read_breast_feeding(text: str) -> BreastFeeding | None:
    """Whether the patient breast-feeds; None where nothing is said of it."""
    no: BreastFeeding | None = None
    if instead := _NOT_FEEDING.search(text):
        no = BreastFeeding(words=instead[0], holds=False)
    for match in _FEEDING.finditer(text):
        if instead and instead.start() <= match.start() < instead.end():
            continue
        match said(text, *match.span()):
            case Said.YES:
                return BreastFeeding(words=match[0], holds=True)
            case Said.NO:
                no = no or BreastFeeding(words=_with_denial(text, match), holds=False)
            case Said.NOT_THEIRS:
                pass
    return no


def _weeks(match: re.Match[str]) -> Range | None:
    groups = match.groupdict()
    if trimester := groups.get("trimester"):
        return _TRIMESTERS[trimester[0].lower()]
    number = next((groups[name] for name in ("weeks", "plus", "parity", "alone", "bare") if groups.get(name)), None)
    return Range(low=int(number), high=int(number) + 1) if number else None


def _with_denial(text: str, match: re.Match[str]) -> str:
    """The word with the denial before it, as written."""
    before = re.search(
        r"\b(?:not|no|non|denies|denied|without|never|neither|nor|isn['’]t)\b[^.;,]{0,24}$",
        text[: match.start()],
        re.IGNORECASE,
    )
    return text[before.start() if before else match.start() : match.end()]
