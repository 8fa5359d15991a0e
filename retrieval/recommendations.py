"""Strength of recommendation and certainty of evidence, lifted from the words of a guideline.

Publishers write grades in brackets after a recommendation: USPSTF letters ("B recommendation"), VA/DoD
("Strong for; Reviewed"), GRADE ("strong recommendation, moderate-certainty evidence"), NHLBI, CDC
categories ("Category IB", "IA"), ACC/AHA classes, Oxford levels. What is lifted stays in the
publisher's own scheme: a letter is never turned into a word or compared across schemes. Text that only
explains a scheme ("A, B, C, D, or I") has no grade. It never guesses: no grade found is None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grade:
    """What a text says of a recommendation; at least one of strength and certainty is given."""

    strength: str | None = None
    certainty: str | None = None


@dataclass(frozen=True, slots=True)
class GradeMark:
    """A grade with the characters that state it (end exclusive)."""

    grade: Grade
    start: int
    end: int


_DASH = r"[-\u2010-\u2015\s]"
_LEVEL = (
    rf"(?:very{_DASH}+)?low(?:{_DASH}+to{_DASH}+(?:moderate|high))?|"
    rf"moderate(?:{_DASH}+to{_DASH}+high)?|high|insufficient"
)
_WORD = r"strong|weak|conditional|moderate|discretionary|context-specific|good\s+practice|strongly"
_ROMAN = r"IV|I{1,3}[ab]?"

_BRACKETED = re.compile(r"\(((?:[^()]|\([^()]*\)){1,220})\)|\[([^\[\]]{1,160})\]")
# Grades written without brackets: on a line of their own, or after a label.
_LABELLED = re.compile(
    rf"(?:strength\s+of\s+(?:the\s+)?recommendation|recommendation\s+strength|strength)\s*[:=\u2013-]\s*(?P<strength>{_WORD}|[A-E]\b|[12][ABC]?\b)"
    rf"(?P<more>\s+recommendation\b[^.|\n]{{0,90}})?"
    rf"|(?:certainty|quality|level|strength)\s+of\s+(?:the\s+)?evidence\s*[:=\u2013]\s*(?P<certainty>{_LEVEL}|{_ROMAN}\b|[1-5][a-c]?\b|[A-D]\b(?!\s+\w))"
    rf"|(?:^|[\s;])grade\s*[:=]\s*(?P<grade>[A-EI]|[12][ABC])\b"
    rf"|\btask\s+force\s+recommends\s+(?P<against>against\s+)?[^.]*?on\s+the\s+basis\s+of\s+(?P<basis>strong|sufficient)\s+evidence"
    rf"|(?:^|[.;:\n]\s*)(?P<words>(?:strong|weak|conditional)\s+recommendation(?:\s+(?:for|against)|\s*\((?:for|against)\))?"
    rf"(?:\s*[,;:]\s*|\s+with\s+|\s+based\s+on\s+)"
    rf"(?:expert\s+consensus|(?:{_LEVEL}){_DASH}+(?:certainty|quality)"
    rf"(?:{_DASH}+(?:(?:of|in)\s+)?(?:the\s+)?evidence)?(?:\s+(?:of\s+)?effects?)?))",
    re.IGNORECASE,
)

_CERTAINTY = re.compile(
    rf"\b(?P<level>{_LEVEL}){_DASH}+(?:certainty|quality|confidence)\b"
    rf"|\b(?:certainty|quality)\s*(?:of\s+(?:the\s+)?evidence)?\s*[:=]\s*(?P<named>{_LEVEL})\b",
    re.IGNORECASE,
)
_LEVEL_OF_EVIDENCE = re.compile(
    rf"\b(?:level\s+of\s+evidence|evidence\s+level|evidence\s+grade|evidence|LOE|EL|level)\b\s*[:=]?\s*"
    rf"(?P<level>{_ROMAN}|[1-5](?:[a-d]|[+\u2212-]{{1,2}})?|[A-D](?:-(?:R|NR|LD|EO))?)(?![\w%.])",
    re.IGNORECASE,
)
_STRENGTHS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE if folded else 0), form)
    for pattern, form, folded in (
        # The letter is a capital: "a recommendation" has none.
        (r"^(?:grade\s+)?(?P<x>(?-i:[A-D]))\s+(?:recommendation|statement)\b(?!s)", "Grade {X}", True),
        (r"^(?:grade\s+)?(?-i:I)\s+(?:statement|recommendation)\b(?!s)", "I statement", True),
        (r"^recommendation\s+category\s*:?\s*(?P<x>[A-D])\b", "Category {X}", True),
        (rf"^(?:CDC\s+)?category\s+(?P<x>I[A-D]|II[A-D]?|{_ROMAN}|[A-D][123]?)\b", "Category {X}", True),
        (
            # A class alone may be a safety cabinet or a degree of obesity.
            r"^(?=.*\b(?:recommendation|level|LOE|evidence|harm|benefit)\b)"
            r"class\s+(?P<x>III|IIa|IIb|II|I|1|2a|2b|3)\b(?:\s*[:(]\s*(?P<y>harm|no\s+benefit|benefit)\)?)?",
            "Class {x}",
            True,
        ),
        # Only alone: "Strong for, Weak for, ..." explains the scheme.
        (r"^(?P<x>(?:strong|weak)\s+(?:for|against))(?=\s*(?:[;.(]|$))", "{x}", True),
        (
            r"^(?P<x>(?:strong|weak|conditional|moderate|optional|discretionary)(?:\s+(?:positive|negative))?)"
            r"\s+(?:recommendation|strength)(?P<y>\s+(?:for|against)\b)?",
            "{x}{y}",
            True,
        ),
        (r"^recommendation\s*[:,-]?\s*(?P<x>strong|weak|conditional)\b", "{x}", True),
        (r"^(?P<x>strong|weak|conditional)\s*(?:[,;:]|$)", "{x}", True),
        (r"^(?P<x>(?:neither|no)\s+(?:recommendation\s+)?for\s+n?or\s+against)\b", "{x}", True),
        (r"^not\s+applicable\s*(?:;|$)", "Not applicable", True),
        (r"^N/A$", "Not applicable", False),
        (r"^(?P<x>(?:use\s+)?only\s+in\s+research)(?:\s+settings)?$", "{x}", True),
        (r"^(?P<x>consensus\s*[\u2013\u2014-]+\s*[a-z]+(?:\s+expertise)?)\b", "{x}", True),
        (
            r"^(?P<x>expert\s+(?:opinion|consensus)|consensus(?:-based)?(?:\s+recommendation|\s+statement)?|"
            r"best\s+practice(?:\s+statement|\s+advice)?|good\s+practice\s+(?:statement|point))\s*(?:[,;]|$)",
            "{x}",
            True,
        ),
        (r"^(?:recommendation\s+)?grade\s*[:=]?\s*(?P<x>[A-EI]|[12][ABCD]?[+-]?)(?![\w])", "Grade {X}", True),
        (
            r"^(?:SOR|strength\s+of\s+(?:the\s+)?recommendation)\s*[:=]?\s*"
            r"(?P<x>[A-D]|[12][ABC]?|strong|weak|conditional)\b",
            "{x}",
            True,
        ),
        # Letter for strength, roman number for evidence; "CI" is left to the confidence interval.
        (r"^(?P<x>[ABD]I|[A-D]I{2,3})$", "{x}", False),
        # Not "ID" (intradermal), "IVC" (a vein) or "IVD" (in vitro), which stand in brackets as abbreviations.
        (r"^(?P<x>I{1,3}[ABC])$", "{x}", False),
        (r"^(?P<x>[12][ABCD])$", "Grade {x}", False),
    )
)
# A lone letter counts in square brackets only: "(C)" is as often a degree or a list mark.
_SQUARE = re.compile(r"^(?P<x>[A-DI]|EO)$")
_EVIDENCE_TYPE = re.compile(r"\bevidence\s+type\s*:?\s*(?P<x>[1-4])\b", re.IGNORECASE)
_EVIDENCE_HEADING = re.compile(
    r"^(?:strong|good|some|moderate|limited|adequate|insufficient|inadequate)\s+evidence:?$", re.IGNORECASE
)
# The names of a scheme in a row ("Strong, Weak") explain it.
_SCHEME = re.compile(
    r"(?:(?:strong|weak|moderate|conditional|high|very\s+low|low)(?:,\s*(?:(?:or|and)\s+)?|\s+(?:or|and)\s+|$)){2,}",
    re.IGNORECASE,
)
_STATUS = re.compile(r"^(?:reviewed|not\s+reviewed|modified\s+from|amended|new-)", re.IGNORECASE)
# Openings of paragraphs that speak about a recommendation.
_EXPLAINS = re.compile(
    r"^(?:rationale|potential\s+consequences|quality\s+of\s+(?:the\s+)?evidence|note\s+from|refer\s+to|see\s|definitions?\b|"
    r"(?:the\s+)?(?:GDG|guideline\s+development\s+group|panel|work(?:ing)?\s+group)\s+(?:also\s+|therefore\s+|members\s+)?"
    r"(?:agreed|judged|noted|considered|recognized|recognised|emphasized|emphasised|concluded|highlighted|found|felt|discussed|acknowledged|decided|was|were|has|had)\b|"
    r"(?:an?\s+|the\s+|these\s+|this\s+|strong\s+|conditional\s+|all\s+)*recommendations?\s+"
    r"(?:statements?\s+)?(?:is|are|was|were|in\s+this|appl(?:y|ies)|provides?|should\s+be\s+(?:applied|interpreted|read)|does)\b|"
    r"note\s+that\s+the\s+recommendations?\b)",
    re.IGNORECASE,
)


def find_grades(text: str) -> tuple[GradeMark, ...]:
    """Every grade that stands in a text, in order."""
    marks = []
    for match in _BRACKETED.finditer(text):
        content = match.group(1) or match.group(2)
        grade = grade_of(content, square=match.group(2) is not None)
        if grade is not None:
            marks.append(GradeMark(grade, *match.span()))
    for match in _LABELLED.finditer(text):
        if any(mark.start <= match.start() < mark.end for mark in marks):
            continue
        named = match.groupdict()
        if named["words"]:
            found = grade_of(named["words"])
        elif named["basis"]:
            found = Grade(
                "Recommended against" if named["against"] else "Recommended", f"{_clean(named['basis'])} evidence"
            )
        elif named["grade"]:
            found = Grade(f"Grade {named['grade'].upper()}")
        else:
            found = Grade(_clean(named["strength"]), _stated_certainty(named["certainty"], named["more"]))
        if found is not None:
            # Words after a full stop: the stop belongs to the sentence before.
            start = match.start("words") if named["words"] else match.start()
            marks.append(GradeMark(found, start, match.end()))
    return tuple(sorted(marks, key=lambda mark: mark.start))


def grade_of(content: str, *, square: bool = False) -> Grade | None:
    """The grade that the words inside a pair of brackets state, or None where they state none."""
    content = " ".join(content.split()).strip(" .")
    if _SCHEME.fullmatch(content):
        return None
    clauses = [clause.strip() for clause in content.split(";")]
    graded = [clause for clause in clauses if _strength(clause, square=square) is not None]
    if len(graded) > 1:
        # Two grades for two groups of people: both, with whom each is for.
        return Grade("; ".join(graded), None)
    strength = _strength(graded[0], square=square) if graded else None
    certainty = _certainty(content, alone=strength is None)
    return Grade(strength, certainty) if strength or certainty else None


def merge_grades(grades: list[Grade]) -> Grade | None:
    """One grade for a recommendation that several marks grade: all of them, in order, each once."""
    strengths = list(dict.fromkeys(grade.strength for grade in grades if grade.strength))
    certainties = list(dict.fromkeys(grade.certainty for grade in grades if grade.certainty))
    if not strengths and not certainties:
        return None
    return Grade("; ".join(strengths) or None, "; ".join(certainties) or None)


def heading_certainty(heading: str) -> str | None:
    """Certainty that a heading gives to everything under it ("Good Evidence"), or None."""
    return heading.rstrip(":").capitalize() if _EVIDENCE_HEADING.match(heading.strip()) else None


_NORMATIVE = re.compile(
    r"\b(?:recommend(?:s|ed)?|suggests?\s+(?:against|offering|that|using|the|a|an)|should|must|is\s+indicated|are\s+indicated|"
    r"contraindicated|is\s+not\s+indicated|do\s+not|avoid|ought\s+to|insufficient\s+(?:to|evidence)|is\s+advised)\b",
    re.IGNORECASE,
)


def sounds_like_recommendation(text: str) -> bool:
    """Whether a text tells someone what to do; used only where the reader knows recommendations stand."""
    if text.rstrip().endswith(("?", ":")) or _EXPLAINS.match(text):
        return False
    return _NORMATIVE.search(text) is not None


def _strength(content: str, *, square: bool) -> str | None:
    if _STATUS.match(content):
        return None
    if square and (match := _SQUARE.match(content)):
        letter = match["x"]
        return {"EO": "Expert opinion (EO)", "I": "I statement"}.get(letter, f"Grade {letter}")
    for pattern, form in _STRENGTHS:
        if match := pattern.match(content):
            groups = match.groupdict(default="")
            x, y = groups.get("x") or "", groups.get("y") or ""
            shown = form.replace("{X}", x.upper()).replace("{x}", x).replace("{y}", y.rstrip())
            if y and "{y}" not in form:
                shown = f"{shown} ({y.lower()})"
            return _clean(shown)
    return None


def _certainty(content: str, *, alone: bool) -> str | None:
    if match := _EVIDENCE_TYPE.search(content):
        return f"Evidence type {match['x']}"
    found = list(dict.fromkeys(_level(m["level"] or m["named"]) for m in _CERTAINTY.finditer(content)))
    if found and (not alone or len(content) < 60):
        return "; ".join(found)
    match = _LEVEL_OF_EVIDENCE.search(content)
    if match and (not alone or match.start() == 0):
        return f"Level {match['level']}"
    return None


def _stated_certainty(named: str | None, more: str | None) -> str | None:
    return _level(named) if named else _certainty(more, alone=False) if more else None


def _level(text: str) -> str:
    """A level of certainty with spaces for hyphens; letters and numbers of a scheme as they are."""
    return (_clean(re.sub(_DASH, " ", text)) or "") if re.fullmatch(_LEVEL, text, re.IGNORECASE) else text


def _clean(text: str | None) -> str | None:
    if not text:
        return None
    text = " ".join(text.split())
    return text[0].upper() + text[1:] if text.islower() or text.istitle() or text.isupper() is False else text
