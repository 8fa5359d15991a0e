"""The strength of a recommendation in classes that can be filtered across publishers.

A passage keeps and shows its publisher's own wording ("Grade B", "Class IIa"); a class is used to filter and
never shown as the grade. The classes say how firmly something is recommended, not how good its evidence is:

    strong        Strong, Grade/Level A, 1, 1A-1C, Class I/1, CDC IA-IC and category A, IDSA letters A
    moderate      Moderate, Grade/Level B, Class IIa/2a, IDSA letters B
    weak          Weak, Conditional, Optional, Grade/Level C, 2, 2A-2C, Class IIb/2b, CDC category II, IDSA letters C
    against       do not do it: USPSTF D, Class III/3, IDSA letters D and E, "strong against", "weak against"
    insufficient  neither for nor against: USPSTF I statement, "no recommendation for or against"
    consensus     good practice, expert opinion: advice that was not graded on evidence
    not_stated    the publisher gives no strength
    other         a wording that this table does not know

A recommendation can have several: "Strong against" is strong and against, so a clinician who asks for strong
recommendations also sees what strongly must not be done; a grade for two groups of people has both.
What depends on the publisher is read by publisher (D is "against" at USPSTF and the weakest grade elsewhere,
C is weak at USPSTF and no recommendation at VA/DoD) and is `other` where the publisher does not settle it.
A wording is never guessed at. A change of the tables needs a new `PAYLOAD_VERSION` (`retrieval.stores.conditions`):
the classes stand in every index. Schemes: GRADE (BMJ 2008;336:924), USPSTF grade definitions (2012), ACC/AHA and
ESC classes of recommendation, CDC/HICPAC categories, IDSA/NIH letters with roman levels, SORT, Oxford CEBM.
"""

from __future__ import annotations

import re
from enum import StrEnum


class StrengthClass(StrEnum):
    """See the module."""

    STRONG = "strong"
    MODERATE = "moderate"
    WEAK = "weak"
    AGAINST = "against"
    INSUFFICIENT = "insufficient"
    CONSENSUS = "consensus"
    NOT_STATED = "not_stated"
    OTHER = "other"


_S = StrengthClass
_USPSTF = re.compile(r"(?<!community )preventive services task force|\buspstf\b", re.IGNORECASE)
_CDC = re.compile(r"centers for disease control|\bcdc\b|\bacip\b|advisory committee on immunization", re.IGNORECASE)
_VA_DOD = re.compile(r"department of veterans affairs|department of defense|\bva/dod\b", re.IGNORECASE)

_Rule = tuple[re.Pattern[str], tuple[StrengthClass, ...]]


def _rules(*rows: tuple[str, tuple[StrengthClass, ...]]) -> tuple[_Rule, ...]:
    return tuple((re.compile(pattern, re.IGNORECASE), classes) for pattern, classes in rows)


# Matched against one grade with its brackets and its trailing "recommendation" taken off; the first that fits.
_RULES = _rules(
    (r"n/?a|not applicable|none|not graded", (_S.NOT_STATED,)),
    (r"(?:neither|no)(?: recommendations?)? (?:for|in favou?r) n?or against", (_S.INSUFFICIENT,)),
    (r"i statement|insufficient(?: evidence)?", (_S.INSUFFICIENT,)),
    (r"(?:strong(?:ly)? (?:against|negative)|recommended against: strong)", (_S.STRONG, _S.AGAINST)),
    (r"(?:weak(?:ly)?|conditional(?:ly)?) (?:against|negative)", (_S.WEAK, _S.AGAINST)),
    (r"moderate (?:against|negative)", (_S.MODERATE, _S.AGAINST)),
    (r"(?:recommended |recommend )?against", (_S.AGAINST,)),
    (r"strong(?:ly)?(?: (?:for|positive|recommended))?", (_S.STRONG,)),
    (r"moderate(?: (?:for|positive))?", (_S.MODERATE,)),
    (r"(?:weak|conditional|optional|discretionary)(?: (?:for|positive))?", (_S.WEAK,)),
    (
        r"(?:expert (?:opinion|consensus)(?: \(eo\))?|consensus.*|good[- ]practice.*|best[- ]practice.*|eo)",
        (_S.CONSENSUS,),
    ),
    (r"class (?:i|1)", (_S.STRONG,)),
    (r"class (?:iia|2a)", (_S.MODERATE,)),
    (r"class (?:iib|2b)", (_S.WEAK,)),
    (r"class (?:iii|3)(?: \((?:harm|no benefit)\))?", (_S.AGAINST,)),
    (r"category i[abc]?", (_S.STRONG,)),
    (r"category ii", (_S.WEAK,)),
    # One digit for strength, one letter for evidence (GRADE as ACCP writes it).
    (r"(?:grade )?1[abcd]?[+-]?", (_S.STRONG,)),
    (r"(?:grade )?2[abcd]?[+-]?", (_S.WEAK,)),
    # One letter for strength, a roman number for evidence (IDSA, NIH).
    (r"ai{1,3}[ab]?", (_S.STRONG,)),
    (r"bi{1,3}[ab]?", (_S.MODERATE,)),
    (r"ci{1,3}[ab]?", (_S.WEAK,)),
    (r"di{1,3}[ab]?", (_S.MODERATE, _S.AGAINST)),
    (r"ei{1,3}[ab]?", (_S.STRONG, _S.AGAINST)),
    (r"(?:(?:grade|level) )?a", (_S.STRONG,)),
    (r"(?:(?:grade|level) )?b", (_S.MODERATE,)),
    (r"(?:(?:grade|level) )?c", (_S.WEAK,)),
)
_BY_PUBLISHER: tuple[tuple[re.Pattern[str], tuple[_Rule, ...]], ...] = (
    (_USPSTF, _rules((r"(?:grade )?d", (_S.AGAINST,)), (r"(?:grade )?i", (_S.INSUFFICIENT,)))),
    # ACIP's category A is for everybody in a group; the letters of HICPAC stand with and without "category".
    (_CDC, _rules((r"(?:category )?i[abc]|category a", (_S.STRONG,)))),
    (
        _VA_DOD,
        _rules(
            (r"(?:grade )?c", (_S.INSUFFICIENT,)),
            (r"(?:grade )?d", (_S.AGAINST,)),
            (r"(?:grade )?i", (_S.INSUFFICIENT,)),
        ),
    ),
)
_TRAILING = re.compile(r"\s*\b(?:recommendations?|strength|statements?)\b(?!\s*\()", re.IGNORECASE)


def strength_classes(strength: str | None, publisher: str = "") -> frozenset[StrengthClass]:
    """The classes of a publisher's wording; never empty.

    Grades joined by semicolons, as a passage has them that grades two groups of people, are read one by one.
    """
    if strength is None or not strength.strip():
        return frozenset({_S.NOT_STATED})
    found: set[StrengthClass] = set()
    for part in strength.split(";"):
        if part.strip():
            found.update(_classes(part, publisher))
    return frozenset(found) or frozenset({_S.NOT_STATED})


def _classes(wording: str, publisher: str) -> tuple[StrengthClass, ...]:
    plain = " ".join(wording.split()).strip(" .,[]")
    # "I statement" and "good practice statement" are names; "Strong recommendation for" only says that it is one.
    unmarked = " ".join(re.sub(r"[,():]", " ", plain).split())
    forms = (plain, *(" ".join(_TRAILING.sub(" ", form).split()) for form in (plain, unmarked)), _before_comment(plain))
    for pattern, rules in _BY_PUBLISHER:
        if pattern.search(publisher) and (found := _first(rules, forms)):
            return found
    return _first(_RULES, forms) or (_S.OTHER,)


def _before_comment(wording: str) -> str:
    """Without what stands in brackets or after a comma: "Strong recommendation (in adults)" is strong.

    Empty where that would turn advice against something into advice for it.
    """
    short, *comment = re.split(r"\s*[,(:]", wording, maxsplit=1)
    if comment and "against" in comment[0].casefold():
        return ""
    return " ".join(_TRAILING.sub(" ", short).split())


def _first(rules: tuple[_Rule, ...], forms: tuple[str, ...]) -> tuple[StrengthClass, ...] | None:
    for form in forms:
        for pattern, classes in rules:
            if form and pattern.fullmatch(form):
                return classes
    return None
