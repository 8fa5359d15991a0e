"""Quantities in clinical text: numbers with their unit and comparator, in one normal form.

Used by the gate to compare a sentence with the passage it cites. Both sides go through the same
reading, so what matters is that different quantities stay different; a form this module does not
know is kept as it stands, which makes the gate stricter, never looser. Every digit of a text ends
up in some quantity: a number cannot hide by being written strangely.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Context, Decimal
from typing import NamedTuple

_UNITS = {
    "mcg": "microgram", "µg": "microgram", "μg": "microgram", "ug": "microgram", "micrograms": "microgram",
    "nanograms": "ng", "nanogram": "ng",
    "milligram": "mg", "milligrams": "mg", "mgs": "mg", "gram": "g", "grams": "g", "kilogram": "kg", "kilograms": "kg",
    "millilitre": "ml", "millilitres": "ml", "milliliter": "ml", "milliliters": "ml", "mls": "ml",
    "litre": "l", "litres": "l", "liter": "l", "liters": "l",
    "iu": "unit", "units": "unit", "u": "unit", "percent": "%",
    "second": "s", "seconds": "s", "sec": "s", "secs": "s",
    "minute": "min", "minutes": "min", "mins": "min",
    "hour": "h", "hours": "h", "hr": "h", "hrs": "h", "hourly": "h",
    "day": "d", "days": "d", "daily": "d", "week": "wk", "weeks": "wk", "weekly": "wk",
    "month": "mo", "months": "mo", "monthly": "mo", "night": "night", "nights": "night", "nightly": "night",
    "year": "y", "years": "y", "yrs": "y", "yearly": "y", "annually": "y",
    "times": "time", "doses": "dose", "tablets": "tablet", "capsules": "capsule", "puffs": "puff", "drops": "drop",
    "sprays": "spray", "sachets": "sachet", "patches": "patch", "ampoules": "ampoule", "vials": "vial",
    "beats": "beat", "breaths": "breath",
}  # fmt: skip
_MORE_UNITS = "mmhg kpa mmol nmol pmol mol meq pg bpm cm mm m km mv °c °f j kj kcal inr fl dl nm packyear".split()  # noqa: SIM905
_KNOWN_UNITS = frozenset([*_UNITS.values(), *_MORE_UNITS])
_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30",
    "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
    "once": "1 time", "twice": "2 times", "thrice": "3 times", "half": "0.5",
}  # fmt: skip
_WORD = re.compile(r"\b(" + "|".join(_WORDS) + r")\b")
_POWERS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9}
_NUMBER = r"(?<![^\W_])(?<!\d[.,])(?:\d+(?:[.,]\d+)*|\.\d+)(?:\^-?\d+)?"
_UNIT = r"[a-zµμ°]+(?:/[a-z0-9.µμ]+)*(?:\s+m2)?"
_QUANTITY = re.compile(
    rf"(?P<sign>(?<![^\s(,;:=<>≤≥])-)?(?P<n>{_NUMBER})(?:\s*(?:-|–|\bto\b)\s*(?P<m>{_NUMBER}))?"
    rf"(?:\s*(?P<power>{'|'.join(_POWERS)})\b)?(?:[\s-]*(?P<u>%|{_UNIT}))?"
)
_PERIOD = {
    "day": "d", "daily": "d", "week": "wk", "weekly": "wk", "month": "mo", "monthly": "mo", "year": "y", "yearly": "y",
    "annually": "y", "night": "night", "nightly": "night", "hour": "h", "hourly": "h",
}  # fmt: skip
#: "3 times a day", "1 time daily": the number of times belongs to its period.
_TIMES = re.compile(
    rf"(?P<n>{_NUMBER})\s*(?:times?|x)\b[\s-]*(?:(?:a|an|each|every|in a)\s+|/\s*)?(?P<p>{'|'.join(_PERIOD)})\b"
)
#: "daily", "a day": once in the period, where no number stands before it.
_BARE = re.compile(
    r"(?<![\d-])(?<!\d )\b(?:(?:a|each|every)\s+(day|week|month|year|night)|"
    r"(hourly|daily|weekly|monthly|yearly|annually|nightly))\b"
)
_OF_AGE = r"(?:\s+(?:the\s+)?age(?:\s+of)?)?(?:\s+of)?\s*$"
_BIG, _SMALL = "more|greater|higher|longer|older|larger|later", "less|fewer|lower|shorter|younger|smaller|earlier"
#: In this order: "no more than" and "less than or equal to" before the shorter phrase inside them.
_BEFORE = tuple(
    (re.compile(rf"(?:{signs}|(?<![a-z])(?:{phrases})){_OF_AGE}"), comparator)
    for signs, phrases, comparator in (
        (">=|≥|=>", rf"at least|(?:a )?minimum|min|no(?:t)? (?:{_SMALL}) than|not (?:below|under)|"
         rf"(?:{_BIG}) than or equal to|at or (?:above|over)", ">="),
        ("<=|≤|=<", rf"at most|up to(?: a maximum of)?|(?:no(?:t)?|never) (?:{_BIG}) than|"
         r"(?:not|never) (?:to )?(?:exceed(?:ing)?|above|over)|"
         r"(?:a )?max(?:imum)?(?: total)?(?: daily| single)?(?: dose)?|capped at|limited to|within|"
         rf"(?:{_SMALL}) than or equal to|at or (?:below|under)", "<="),
        (">", rf"(?:{_BIG}) than|over|above|exceed(?:s|ed|ing)?|in excess of|beyond|after", ">"),
        ("<", rf"(?:{_SMALL}) than|under|below|before", "<"),
    )
)  # fmt: skip
_AFTER = (
    (
        re.compile(
            r"^\s*(?:\+|(?:[a-z]+\s+){0,3}(?:or|and)\s+(?:more|over|above|older|higher|greater|longer|upwards?|up)\b|"
            r"\s*(?:minimum|onwards?|upwards?)\b)"
        ),
        ">=",
    ),
    (
        re.compile(
            r"^\s*(?:[a-z]+\s+){0,3}(?:or|and)\s+(?:less|under|below|younger|lower|fewer|shorter)\b|"
            r"\s*\(?(?:maximum|max)\b(?=[\s).;,]*$)"
        ),
        "<=",
    ),
)
_WINDOW = 40


class Quantity(NamedTuple):
    """A number as a canonical decimal string, its unit ("" if none) and comparator ("", ">", ">=", "<" or "<=")."""

    number: str
    unit: str
    comparator: str


class Located(NamedTuple):
    """A quantity, and which characters of the plain text (`plain`) are read for it, its comparator included."""

    quantity: Quantity
    start: int
    end: int


def quantities(text: str) -> list[Quantity]:
    """Every quantity in the text, in its order; both ends of a range are listed.

    "1,000 mg" and "1 g" read as the same quantity; "at least 65 years" carries ">="; "twice a day"
    and "2 times daily" are both 2 "time/d".
    """
    return [item.quantity for item in located(plain(text))]


def located(text: str) -> list[Located]:
    """Every quantity of a text that `plain` made, with its place."""
    found: list[Located] = []
    read = bytearray(len(text))  # 1 where a character belongs to a quantity already

    def take(start: int, end: int) -> None:
        read[start:end] = b"\x01" * (end - start)

    for match in _TIMES.finditer(text):
        unit = f"time/{_PERIOD[match['p']]}"
        comparator, start, _ = _comparator(text, match.start(), 0)
        found.append(Located(Quantity(_decimal(match["n"]), unit, comparator), start, match.end()))
        take(*match.span())
    for match in _BARE.finditer(text):
        if not read[match.start()]:
            found.append(Located(Quantity("1", f"time/{_PERIOD[match[1] or match[2]]}", ""), *match.span()))
    for match in _QUANTITY.finditer(text):
        if read[match.start("n")]:
            continue
        unit = _unit(match["u"] or "")
        # What follows is read from behind the unit, or from behind the number when the word is not a unit.
        end = (
            match.end("u") if unit else match.end("power") if match["power"] else match.end("m" if match["m"] else "n")
        )
        comparator, first, last = _comparator(text, match.start(), end)
        for sign, raw in ((match["sign"] or "", match["n"]), ("", match["m"])):
            if raw is not None:
                number, base = _scaled(_shifted(_decimal(raw), _POWERS.get(match["power"] or "", 0)), unit)
                found.append(Located(Quantity(sign + number, base, comparator), first, last))
        take(match.start(), end)
    for match in re.finditer(r"[^\W_]+", text):
        token = match.group()
        odd = any((c.isnumeric() or c.isdigit()) and not read[match.start() + i] for i, c in enumerate(token))
        if odd:  # "b12", "hba1c", but also "x1000": kept as it stands
            found.append(Located(Quantity(f"~{token}", "", ""), *match.span()))
    return sorted(found, key=lambda item: item.start)


def plain(text: str) -> str:
    """Lower case, ASCII digits, one spelling of fractions, powers, number words and "per"."""
    text = re.sub(r"(?<=\d)[\u202f\u2009](?=\d{3}(?!\d))", "", text)
    text = re.sub(
        r"(?<!\d)(\d{0,6})\s?([¼½¾⅐-⅞])", lambda m: f" {int(m[1] or 0) + unicodedata.numeric(m[2]):.6g} ", text
    )
    text = re.sub(r"(?<=\d)([⁻⁰¹²³⁴-⁹]+)", lambda m: "^" + m[1], text)
    text = unicodedata.normalize("NFKC", text).replace("−", "-").replace("·", ".").lower()
    text = "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)
    text = _WORD.sub(lambda m: _WORDS[m.group()], text)
    text = re.sub(r"\bper cent\b", "%", text)
    return re.sub(r"(?<=\S) per (?=[a-z])", "/", text)


def _unit(raw: str) -> str:
    raw = " ".join(raw.split())
    if raw in _UNITS:
        return _UNITS[raw]
    # The full stop of a sentence that ends in a compound unit ("3 mg/kg.") is none of the unit.
    raw = raw.rstrip(".")
    parts = [_UNITS.get(part, part) for part in raw.split("/")]
    # A plain word after a number ("2 further doses") is not a unit; keep only what is one.
    return "/".join(parts) if len(parts) > 1 or raw in _KNOWN_UNITS else ""


def _decimal(raw: str) -> str:
    """Digits without separators, leading or trailing zeros; exact at any length."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", raw):
        raw = raw.replace(",", "")
    whole, _, rest = raw.replace(",", ".").partition(".")
    if not re.fullmatch(r"\d*", rest) or not re.fullmatch(r"\d*", whole):
        return raw  # "10^9", "1.2.3"
    return (whole.lstrip("0") or "0") + (f".{rest.rstrip('0')}" if rest.rstrip("0") else "")


def _shifted(number: str, places: int) -> str:
    """The number times 10 to the power of `places`."""
    if places == 0 or not re.fullmatch(r"[\d.]+", number) or number.count(".") > 1:
        return number
    exact = Context(prec=len(number) + abs(places) + 2)
    return _decimal(f"{Decimal(number).scaleb(places, exact):f}")


def _scaled(number: str, unit: str) -> tuple[str, str]:
    """Grams and micrograms as milligrams, litres as millilitres; compound units keep their rest."""
    head, _, rest = unit.partition("/")
    places, base = {"g": (3, "mg"), "microgram": (-3, "mg"), "ng": (-6, "mg"), "l": (3, "ml")}.get(head, (0, head))
    return _shifted(number, places), f"{base}/{rest}" if rest else base


def _comparator(text: str, start: int, end: int) -> tuple[str, int, int]:
    """The comparator around a number that starts and ends there, and where both start and end.

    `end` 0 looks only before the number.
    """
    offset = max(0, start - _WINDOW)
    before = text[offset:start]
    for pattern, comparator in _BEFORE:
        if match := pattern.search(before):
            return comparator, offset + match.start(), end
    if end:
        after = text[end : end + _WINDOW]
        for pattern, comparator in _AFTER:
            if match := pattern.match(after):
                return comparator, start, end + match.end()
    return "", start, end
