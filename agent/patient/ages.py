"""Ages and sex: of the patient, and of the people that a recommendation is for. All ages in years."""

from __future__ import annotations

import re

from agent.patient.patient import Age, Range, Sex
from agent.patient.said import Said, of_patient, said

_IN_YEARS = {"d": 1 / 365.25, "w": 7 / 365.25, "m": 1 / 12, "y": 1.0}
_NUMBERS = {
    word: number
    for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)  # noqa: SIM905
}
_N = rf"(?P<n>\d{{1,3}}|{'|'.join(_NUMBERS)})"
_UNIT = r"(?P<unit>years?|yrs?|y|months?|mths?|mo|weeks?|wks?|days?)"
_AGES = (
    re.compile(rf"\b{_N}[\s-]*{_UNIT}[\s-]*old\b", re.IGNORECASE),
    re.compile(r"\b(?P<n>\d{1,3})\s*(?:y\.?/?o\.?|yo)(?![a-z])", re.IGNORECASE),
    re.compile(r"(?<![\w.])(?P<n>\d{1,3})\s?(?P<sex>[MF])(?=[\s,.;:?)]|$)"),
    re.compile(r"\b(?P<sex>[MF])/(?P<n>\d{1,3})\b"),
    re.compile(
        rf"\bage(?:d|:)?\s+(?:of\s+)?(?P<n>\d{{1,3}})(?:\s*{_UNIT})?(?![\s-]*(?:to|or|and|-|–)\s*\d)\b", re.IGNORECASE
    ),
    re.compile(
        r"\b(?:man|woman|lady|gentleman|male|female|boy|girl|child|patient)\s+of\s+(?P<n>\d{1,3})\b", re.IGNORECASE
    ),
    re.compile(r"\b(?:he|she|patient)\s+is\s+(?P<n>\d{1,3})(?=\s*[,.;]|\s+and\b|$)", re.IGNORECASE),
    re.compile(r"\bin\s+(?:his|her|their)\s+(?:early\s+|mid[\s-]*|late\s+)?(?P<decade>[2-9]0)['’]?s\b", re.IGNORECASE),
)
_OLDEST = 120
#: An age that stands behind these is a child's whose mother is the patient.
_OF_HER_CHILD = re.compile(
    r"(?:\b(?:mothers?|mum|mom|father|dad|parents?)\s+(?:of|to|with)|breast-?\s?feeding|nursing|delivered|gave\s+birth\s+to)\s+"
    r"(?:an?\s+|her\s+)?$",
    re.IGNORECASE,
)
#: What a word for somebody says of the age. "Adult" begins at 16 or 18, so that between is left open.
_NOUNS: dict[str, Range] = {
    "adult": Range(low=16), "outpatient": Range(), "man": Range(low=16), "woman": Range(low=16), "lady": Range(low=16),
    "gentleman": Range(low=16), "child": Range(high=18), "toddler": Range(low=1, high=4), "infant": Range(high=2),
    "baby": Range(high=2), "newborn": Range(high=0.25), "neonate": Range(high=0.25), "teenager": Range(low=13, high=20),
    "adolescent": Range(low=10, high=20), "boy": Range(high=18), "girl": Range(high=18),
}  # fmt: skip
_SOMEBODY = re.compile(
    r"\b(?<!as a )(?<!when a )(?<!since a )(?<!has a )(?<!of a )"
    r"(?P<noun>adult|man|woman|lady|gentleman|child(?![\s-]*pugh|bearing|birth|hood|\s+(?:abuse|care|protection|health))|"
    r"toddler|infant|baby|newborn|neonate|teenager|adolescent|boy|girl)\b",
    re.IGNORECASE,
)
_FEMALE = (
    r"wom[ae]n|lad(?:y|ies)|females?|girls?|mrs|ms|miss|"
    # "His mother" is not the patient; a nursing mother is.
    r"(?:new|nursing|breast-?feeding|lactating|expectant|pregnant|post-?natal|post-?partum)\s+(?:mother|mum|mom)|"
    r"(?:mother|mum|mom)(?=\s+of\b)"
)
_MALE = r"m[ae]n|gentlem[ae]n|males?|boys?|mr|MSM"
_SEXES = re.compile(rf"\b(?:(?P<female>{_FEMALE})|(?P<male>{_MALE}))\b", re.IGNORECASE)
_PRONOUNS = re.compile(r"\b(?:(?P<female>she|her)|(?P<male>he|his|him))\b", re.IGNORECASE)


def read_age(text: str) -> Age | None:
    """The patient's age: the first that is stated, else what "child" or "woman" allows."""
    found = sorted(
        (match for pattern in _AGES for match in pattern.finditer(text)),
        key=lambda match: (match.start(), -match.end()),
    )
    for match in found:
        if said(text, *match.span()) is not Said.YES or _OF_HER_CHILD.search(text[: match.start()]):
            continue
        groups = match.groupdict()
        if decade := groups.get("decade"):
            return Age(words=match[0], years=Range(low=float(decade), high=float(decade) + 10))
        number = _number(groups["n"])
        unit = (groups.get("unit") or "y")[0].lower()
        if unit == "y" and number > _OLDEST:
            continue
        year = _IN_YEARS[unit]
        return Age(words=match[0].strip(), years=Range(low=number * year, high=(number + 1) * year))
    for match in _SOMEBODY.finditer(text):
        if said(text, *match.span()) is not Said.NOT_THEIRS and not _OF_HER_CHILD.search(text[: match.start()]):
            return Age(words=match[0], years=_NOUNS[match["noun"].lower()], stated=False)
    return None


def read_sex(text: str) -> Sex | None:
    """The patient's sex: as stated, else by the first pronoun."""
    for pattern in _AGES:
        for match in of_patient(pattern, text):
            if match.groupdict().get("sex"):
                return Sex(words=match[0].strip(), female=match["sex"] == "F")
    for pattern in (_SEXES, _PRONOUNS):
        for match in pattern.finditer(text):
            if said(text, *match.span()) is not Said.NOT_THEIRS:
                return Sex(words=match[0], female=match["female"] is not None)
    return None


def _number(word: str) -> float:
    return float(_NUMBERS.get(word.lower()) or word)


# What a recommendation says of the people it is for.

_PEOPLE = re.compile(
    r"\b(?P<noun>adults?|children|child|infants?|babies|baby|neonates?|newborns?|adolescents?|teenagers?|young\s+(?:people|person)|"
    r"people|persons?|everyone|anyone|patients?|individuals?|(?:out|in)patients?|wom[ae]n|m[ae]n|girls?|boys?|drivers?|travellers?|"
    r"contacts?|partners?)\b",
    re.IGNORECASE,
)
_BASE: dict[str, Range] = {
    "adult": Range(low=16), "child": Range(high=18), "infant": Range(high=2), "bab": Range(high=2),
    "neonate": Range(high=0.25),
    "newborn": Range(high=0.25), "adolescent": Range(low=10, high=20), "teenager": Range(low=10, high=20),
    "young": Range(low=10, high=26), "girl": Range(high=20), "boy": Range(high=20),
}  # fmt: skip
_Y = r"(?:years?|months?|weeks?)"
#: Not a weight, a length of time or a level.
_AGE_ENDS = rf"(?=\s*(?:{_Y}\b|[,;.)]|$|(?:and|or|with|who|at|to|without|not|having|in|of\s+age)\b))"
_FROM_TO = re.compile(
    rf"(?<![\w.])(?P<low>\d{{1,3}})\s*(?P<lu>{_Y})?\s*(?:to|-|–|and)\s*(?P<high>\d{{1,3}}){_AGE_ENDS}\s*(?P<hu>{_Y})?",
    re.IGNORECASE,
)
_FROM = re.compile(
    rf"(?<![\w.])(?P<low>\d{{1,3}})\s*(?P<lu>{_Y})?\s*(?:of\s+age\s+)?(?:and|or)\s+(?:over|older|above|more)\b"
    rf"|\b(?:over|older\s+than|above|from|at\s+least|aged\s+at\s+least)\s+(?:age\s+)?(?P<low2>\d{{1,3}}){_AGE_ENDS}\s*(?P<lu2>{_Y})?",
    re.IGNORECASE,
)
_TO = re.compile(
    rf"(?<![\w.])(?P<upto>\d{{1,3}})\s*(?P<uu>{_Y})?\s*(?:of\s+age\s+)?(?:and|or)\s+(?:under|younger|below)\b"
    rf"|\b(?:under|younger\s+than|below)\s+(?:age\s+)?(?P<below>\d{{1,3}}){_AGE_ENDS}\s*(?P<bu>{_Y})?",
    re.IGNORECASE,
)
#: "People with an eGFR above 60": what is measured has a number that is no age.
_MEASURED = re.compile(
    r"\b(?:e?GFR|filtration\s+rate|clearance|Cr\s?Cl|BMI|body\s+mass\s+index|scores?|pressure|BP|HbA1c|A1C|LDL|cholesterol|"
    r"glucose|ha?emoglobin|potassium|sodium|ferritin|platelets?|counts?|CD4|temperature|weight|heart\s+rate|pulse|saturation|"
    r"SpO2|LVEF|ejection\s+fraction|risk|INR)\s*(?:\([^)]*\)\s*)?(?:(?:of|is|was|that\s+is)\s+)?"
    r"(?:over|above|from|at\s+least|below|under|less\s+than|(?:more|greater|higher|lower)\s+than|[<>≤≥]=?)?\s*\d{1,3}(?:\.\d+)?"
    r"(?:\s+(?:or|and)\s+(?:more|over|above|higher|below|under|less))?",
    re.IGNORECASE,
)
#: "Adult patients" are adults, and nobody else.
_AGED_PATIENTS = re.compile(
    r"\b(adult|adolescent|infant|teenage)s?\s+(?:patients?|people|persons?|individuals?|outpatients?|inpatients?)\b",
    re.IGNORECASE,
)
_INCLUDING = re.compile(r",?\s+(?:including|particularly)\b[^;]*", re.IGNORECASE)
#: "Adults (men and women)" are adults.
_OF_BOTH_SEXES = re.compile(r"\(\s*(?:both\s+)?(?:men\s+and\s+women|women\s+and\s+men)\b[^)]*\)", re.IGNORECASE)
#: Behind it stands what else is to be known, mostly whom the guideline is not for.
_NOTE = re.compile(r"\s+Note\s*:")
_LEFT_OUT = re.compile(
    r"[^.;]*\b(?:(?:do|does)\s+not\s+(?:apply\s+to|address|include)|(?:is|are)\s+not\s+(?:for|intended\s+for))\b[^.;]*",
    re.IGNORECASE,
)
_OR_WITH = re.compile(r",?\s+or\s+(?:with|who|after)\b", re.IGNORECASE)


def people_ages(text: str) -> tuple[Range, ...]:
    """The ages of everybody that a description of people names; empty where it names nobody.

    One group is enough for a recommendation to be for a patient, so a group without an age takes in all that its word
    allows.
    """
    text = _those_meant(text)
    found = list(_PEOPLE.finditer(text))
    groups: list[Range] = []
    for place, match in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(text)
        rest = re.split(r";", text[match.end() : end], maxsplit=1)[0]
        base = next((of for word, of in _BASE.items() if match["noun"].lower().startswith(word)), Range())
        ages = stated_ages(rest)
        groups += ages or [base]
        if ages and _OR_WITH.search(rest):
            groups.append(base)
    return tuple(groups)


def stated_ages(text: str) -> list[Range]:
    """Every range of ages in a text."""
    found: list[Range] = []
    rest = text = _MEASURED.sub(" ", text)
    for match in _FROM_TO.finditer(text):
        high_unit = match["hu"] or "years"
        low_unit = match["lu"] or high_unit
        found.append(Range(low=int(match["low"]) * _year(low_unit), high=(int(match["high"]) + 1) * _year(high_unit)))
        rest = rest.replace(match[0], " ")
    for match in _FROM.finditer(rest):
        low, unit = (match["low"], match["lu"]) if match["low"] else (match["low2"], match["lu2"])
        found.append(Range(low=int(low) * _year(unit or "years")))
    for match in _TO.finditer(rest):
        if match["upto"]:
            found.append(Range(high=(int(match["upto"]) + 1) * _year(match["uu"] or "years")))
        else:
            found.append(Range(high=int(match["below"]) * _year(match["bu"] or "years")))
    return found


def people_sexes(text: str) -> frozenset[bool]:
    """The sexes of the people named, True for female; both where a word for people in general stands among them."""
    sexes: set[bool] = set()
    for match in _PEOPLE.finditer(_those_meant(text)):
        noun = match["noun"].lower()
        if noun in ("woman", "women") or noun.startswith("girl"):
            sexes.add(True)
        elif noun in ("man", "men") or noun.startswith("boy"):
            sexes.add(False)
        else:
            return frozenset((True, False))
    return frozenset(sexes)


def _those_meant(text: str) -> str:
    """A description of people without those whom a group includes, since they are no further people, or leaves out."""
    text = _NOTE.split(text, maxsplit=1)[0]
    for pattern in (_INCLUDING, _OF_BOTH_SEXES, _LEFT_OUT):
        text = pattern.sub("", text)
    return _AGED_PATIENTS.sub(r"\1s", text)


def _year(unit: str) -> float:
    return _IN_YEARS[unit[0].lower()]
