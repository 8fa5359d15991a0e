"""Measures: the quantities of a text as a clinician compares them, with their place in it.

`agent.quantities` reads numbers with their unit as written. Here what clinicians take for the same becomes the same: a
dosing interval, however it is said (BD, q12h, twice daily), a range, which is one measure and not its two ends, a blood
pressure, and lengths of time in one unit. What this module does not know stays as it is written, which makes the gate
stricter, never looser.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from agent.quantities import Located, located, plain


class Measure(NamedTuple):
    """A measure in one form; `dimension` tells which others it could be taken for."""

    dimension: str
    low: str
    high: str = ""
    comparator: str = ""


class Placed(NamedTuple):
    """A measure and the characters of the plain text it is read from."""

    measure: Measure
    start: int
    end: int


_N = r"(?<![\w.,/])\d+(?:\.\d+)?"
_M = r"\d+(?:\.\d+)?"
_SPAN = {"s": "s|secs?|seconds?", "min": "mins?|minutes?", "h": "h|hrs?|hours?", "d": "d|days?", "wk": "weeks?|wks?",
         "mo": "months?", "y": "years?|yrs?", "decade": "decades?"}  # fmt: skip
_LY = {"h": "hourly", "d": "daily", "wk": "weekly", "mo": "monthly", "y": "yearly|annually|annual"}
_MINUTES = {"s": "1/60", "min": "1", "h": "60", "d": "1440", "night": "1440", "wk": "10080"}
_MONTHS = {"mo": 1, "y": 12, "decade": 120}
_ANY = "|".join(_SPAN.values())
_ANY_LY = "|".join(_LY.values())
_REWRITES = tuple(
    (re.compile(pattern), becomes)
    for pattern, becomes in (
        (r"\ba dozen\b", "12"),
        # Else its number would be a bare one, which may be said of years.
        (r"(?<=\d)[- ]pack[- ]years?\b", " packyear"),
        (rf"\b({_M})- ?(?:to|or) ?(?={_M})", r"\1 to "),
        (r"(?<=\d)[- ](year|month|week|day)[- ]olds?\b", r" \1s old"),
        (r"\b(under|over)-(?=\d)", r"\1 "),
        (r"\b(?:the )?(over|under)[- ](\d+)s\b", r"aged \1 \2 years"),
        (r"\bif (?:necessary|needed|required|appropriate|possible)\b|\bwhether or not\b|\bas needed\b", " "),
        (r"\bevery other\b", "every 2"),
        (r"(?<![\w.,/-])(\d) or (?=(\d)(?![\w/]|[.,]\d))", r"\1 to "),
        (r"/(?:day|d|24 ?h(?:ours|rs?)?)\b", " daily"),
        (r"(?<=[a-z\d])/(?:hour|hr)\b", "/h"),
        (r"(?<=[a-z\d])/(?:minute)\b", "/min"),
        (rf"\bbetween (?:the ages of |ages |day |week )?({_N}(?: ?[a-zµ%/²]+\d?)?) and (?={_M})", r"\1 to "),
        (rf"\bfrom (?:age |the age of )?({_N}(?: ?(?:{_ANY}))?) (?:up to|through|until) (?={_M})", r"\1 to "),
        # "over 10 minutes" is how long; "children over 6 weeks" is an age.
        (
            r"(?<!aged )(?<!children )(?<!infants )(?<!babies )(?<!those )(?<!patients )(?<!lasting )(?<!for )(?<!by )"
            r"\bover "
            rf"(?=(?:the )?(?:first |next |following |initial )?{_N}(?: ?(?:to|-|–) ?{_M})?[ -]?"
            rf"(?:{_SPAN['s']}|{_SPAN['min']}|{_SPAN['h']}|{_SPAN['d']}|{_SPAN['wk']})\b)",
            "for ",
        ),
        (r"\b(?:over|during|for) an? (?=(?:hour|week|month|year)\b)", "for 1 "),
        (r"\b(?:an|a) (?=(?:hour|day|week|month|year) (?:before|after|ahead|later|apart)\b)", "1 "),
        (r"\b(?:an|a) (?=(?:week|fortnight|month|year)\b(?!ly))(?<!times a )(?<!time a )", "a "),
        (rf"\bweek ({_M})\b(?! ?[%a-z]*/)", r"\1 weeks"),
        (rf"\bdays? ?({_M}) and ({_M})\b(?! (?:mg|g|ml|microgram))", r"day-label \1 day-label \2"),
        (rf"\bdays? ?({_M})\b(?! ?(?:mg|g|ml|microgram|day))", r"day-label \1"),
        (r"\b(?:the )?first day\b", "day-label 1"),
        (r"\bfirst hour\b", "first 1 hour"),
        (r"\b(?:the )?first (?=year|month|week)", "first 1 "),
        (r"\byear 1\b", "first 1 year"),
        (rf"\b(?:stopping|ending|finishing) after (?={_M} ?(?:{_ANY})\b)", "for "),
        (r"\bfortnight\b", "2 weeks"),
        (r"\b(\d+)(?:st|nd|rd|th)\b", r"\1"),
    )
)
#: Labels: the number is a name ("type 2") and no amount.
_LABEL = re.compile(
    r"\b(type|stage|grade|group|class|phase|category|tier|hepatitis|vitamin|factor|step|arm|schedule|figure|table|part)"
    r"[ -](\d+[a-z]?|[ivx]{1,4}|[a-k])\b(?!/)"
)
_WORDED = {"biennial": "2 y", "biennially": "2 y", "biannually": "6 mo", "quarterly": "3 mo", "fortnightly": "2 wk",
           "nightly": "1 d", "annual": "1 y", "annually": "1 y", "yearly": "1 y", "daily": "1 d",
           "weekly": "1 wk", "monthly": "1 mo", "hourly": "1 h", "each quarter": "3 mo", "every quarter": "3 mo",
           "triennial": "3 y", "once-daily": "1 d"}  # fmt: skip
_TIMES = re.compile(
    rf"(?P<n>{_N})(?:\s*(?:to|-|–|or)\s*(?P<m>{_M}))?[ -]*(?:times?|x|doses?)?[ -]*(?:times?|x)\b[ -]*"
    r"(?:(?:a|an|each|every|per|in a)\s+|/\s*)?"
    rf"(?P<p>day|week|month|year|night|hour|{_ANY_LY})\b"
)
_EVERY = re.compile(
    rf"(?:\b(?:every|each|per)\s+|\bq\s?)(?P<n>{_M})(?:[ -]*(?:to|-|–)[ -]*(?P<m>{_M})| or (?P<o>{_M}))?[ -]*"
    rf"(?P<u>{_ANY})\b(?!ly)(?:\s+intervals?)?"
)
_LYS = re.compile(rf"(?P<n>{_N})(?:[ -]*(?:to|-|–)[ -]*(?P<m>{_M}))?[ -]*(?P<u>{_ANY_LY})\b(?:\s+intervals?)?")
_APART = re.compile(rf"(?P<n>{_N})[ -]*(?P<u>{_ANY})\s+(?:apart|intervals?)\b")
_BARE = re.compile(
    r"\b(?:(?:1 time |1-time-)?(?:" + "|".join(sorted(_WORDED, key=len, reverse=True)) + r")|(?:1 time )?"
    r"(?:a|each|every|per|in a) (?:day|week|month|year|night|hour|decade))\b(?! activit)"
)
_PRESSURE = re.compile(r"(?<![\d/.])(\d{2,3})/(\d{2,3})(?![\d/])(?:\s*mmhg)?")
_JOINED = re.compile(r"\s*(?:-|–|to)\s*(?:age |week |day )?$")
_ONCE = re.compile(
    r"\b1 time (?!daily|a (?:day|week|month|year|night)|per |each|every|weekly|monthly|yearly|nightly|in |at |only|or |"
    r"more|again|im\b|iv\b|intra|on |oral|by |/|sub)(?=\w)"
)


def measures(text: str) -> tuple[str, list[Placed]]:
    """The plain text that was read, and its measures in their order."""
    text = _rewritten(plain(text))
    found: list[Placed] = []
    read = bytearray(len(text))

    def take(measure: Measure, start: int, end: int) -> None:
        if not any(read[start:end]):
            read[start:end] = b"\x01" * (end - start)
            found.append(Placed(measure, start, end))

    for match in _LABEL.finditer(text):
        read[match.start() : match.end()] = b"\x01" * (match.end() - match.start())
        found.append(Placed(Measure("label", f"{match[1]}-{_roman(match[2])}"), *match.span()))
    for match in re.finditer(rf"\bday-label ({_M})\b", text):
        take(Measure("day", match[1]), *match.span())
    for match in _PRESSURE.finditer(text):
        comparator, start, end = _around(text, *match.span())
        take(Measure("pressure", match[1], match[2], comparator), start, end)
    for match in _TIMES.finditer(text):
        take(_often(match["n"], match["m"], match["p"]), *match.span())
    for pattern in (_EVERY, _APART, _LYS):
        for match in pattern.finditer(text):
            groups = match.groupdict()
            comparator, start, _ = _around(text, match.start(), match.end())
            take(_interval(match["n"], groups.get("m") or groups.get("o"), match["u"], comparator), start, match.end())
    for match in _BARE.finditer(text):
        take(_bare(match[0]), *match.span())
    found += _amounts(text, read)
    return text, sorted(found, key=lambda item: item.start)


def same(first: Measure, second: Measure) -> bool:
    """Whether two measures say the same. At a grown-up's age "65 and over" and "over 65" do."""
    if first == second:
        return True
    ages = {first.dimension, second.dimension} <= {"months", "number"}
    if first.dimension == second.dimension == "number" and _whole(first) == _whole(second):
        return True
    if first.dimension != second.dimension and not ages:
        return False
    if ages and first.dimension != second.dimension:
        bare, aged = (first, second) if first.dimension == "number" else (second, first)
        if not aged.low.isdigit() or int(aged.low) % 12:
            return False
        first = Measure("months", _years(bare.low), _years(bare.high), bare.comparator)
        second = aged
    if (first.low, first.high) != (second.low, second.high):
        return False
    if first.high and {first.comparator, second.comparator} == {"", "<="}:
        return True  # "within 2 to 4 weeks"
    grown = first.dimension == "months" and first.low.isdigit() and int(first.low) >= 16 * 12
    return first.comparator == second.comparator or (
        grown and {first.comparator, second.comparator} in ({">", ">="}, {"<", "<="})
    )


def _whole(count: Measure) -> tuple[str, str, str]:
    """A count with ">=" and "<=" alone: more than 1 is 2 or more."""
    if count.comparator in (">", "<") and count.low.isdigit() and not count.high:
        return f"{count.comparator}=", str(int(count.low) + (1 if count.comparator == ">" else -1)), ""
    return count.comparator, count.low, count.high


def _rewritten(text: str) -> str:
    text = _ONCE.sub("when ", text)
    for pattern, becomes in _REWRITES:
        text = pattern.sub(becomes, text)
    return text


def _amounts(text: str, read: bytearray) -> list[Placed]:
    """What is left: amounts with a unit, a range as one."""
    blanked = "".join("\x00" if taken else c for c, taken in zip(text, read, strict=True))
    blanked = blanked.replace("\x00", "·")
    items = located(blanked)
    found: list[Placed] = []
    at = 0
    while at < len(items):
        item, after = items[at], items[at + 1] if at + 1 < len(items) else None
        if (
            after is not None
            and (not after.quantity.comparator or after.start == item.start)
            and (after.start == item.start or _JOINED.fullmatch(blanked[item.end : after.start]))
        ):
            found.append(Placed(_range(item, after), item.start, after.end))
            at += 2
        else:
            found.append(Placed(_single(item), item.start, item.end))
            at += 1
    return found


def _single(item: Located) -> Measure:
    dimension, number = _in_one_unit(item.quantity.number, item.quantity.unit)
    return Measure(dimension, number, "", item.quantity.comparator)


def _range(first: Located, second: Located) -> Measure:
    unit = first.quantity.unit or second.quantity.unit
    dimension, low = _in_one_unit(first.quantity.number, unit)
    other, high = _in_one_unit(second.quantity.number, second.quantity.unit or unit)
    if dimension != other:
        return Measure(f"{dimension}-{other}", low, high, first.quantity.comparator)
    return Measure(dimension, low, high, first.quantity.comparator)


def _in_one_unit(number: str, unit: str) -> tuple[str, str]:
    if unit in _MONTHS:
        return "months", _times(number, str(_MONTHS[unit]))
    if unit in _MINUTES and unit != "s":
        return "minutes", _times(number, _MINUTES[unit])
    if unit == "%":
        return "%", number
    return (unit or ("word" if number.startswith("~") else "number")), number


def _interval(low: str, high: str | None, unit: str, comparator: str = "") -> Measure:
    base = next((name for name, forms in (*_SPAN.items(), *_LY.items()) if re.fullmatch(forms, unit)), "d")
    dimension, first = _in_one_unit(low, base)
    second = _in_one_unit(high, base)[1] if high else ""
    return Measure("often", f"{dimension}:{first}", second, comparator)


def _often(low: str, high: str | None, period: str) -> Measure:
    base = {"day": "d", "night": "d", "week": "wk", "month": "mo", "year": "y", "hour": "h"}.get(period)
    base = base or next(name for name, forms in _LY.items() if re.fullmatch(forms, period))
    dimension, whole = _in_one_unit("1", base)
    if high:
        return Measure("often", f"{dimension}:{whole}", f"{low}-{high} times")
    return Measure("often", f"{dimension}:{_divided(whole, low)}")


def _bare(words: str) -> Measure:
    words = re.sub(r"^1[ -]time[ -]", "", words)
    if words in _WORDED:
        low, unit = _WORDED[words].split()
    else:
        low, unit = (
            "1",
            {"day": "d", "night": "d", "week": "wk", "month": "mo", "year": "y", "hour": "h", "decade": "decade"}[
                words.split()[-1]
            ],
        )
    dimension, number = _in_one_unit(low, unit)
    return Measure("often", f"{dimension}:{number}")


def _around(text: str, start: int, end: int) -> tuple[str, int, int]:
    """The comparator around a place, read by the quantity that stands there."""
    for item in located(f"{text[max(0, start - 40) : start]}{'7' * (end - start)}{text[end : end + 40]}"):
        if "7" * (end - start) == item.quantity.number and item.quantity.comparator:
            shift = max(0, start - 40)
            return item.quantity.comparator, min(start, shift + item.start), end
    return "", start, end


def _roman(label: str) -> str:
    return {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}.get(label, label)


def _years(number: str) -> str:
    return _times(number, "12") if number else ""


def _times(number: str, factor: str) -> str:
    try:
        return f"{(Decimal(number) * Decimal(factor)).normalize():f}"
    except InvalidOperation:
        return f"{number}x{factor}"


def _divided(whole: str, parts: str) -> str:
    try:
        return f"{(Decimal(whole) / Decimal(parts)).normalize():f}"
    except (InvalidOperation, ZeroDivisionError):
        return f"{whole}/{parts}"
