"""Numbers of a text, each with its unit, comparator and value: the reading half of the number checker.

It counts altered numbers in what the answer gate let through, so it must not fail where the gate fails: nothing is
imported from `agent` or `retrieval`, and the tokeniser and the table of units are its own (kept by a test).
Every digit of a text ends up in a number or in a name that holds digits ("HbA1c", "B12").

What is taken for the same: spellings and sizes of a unit (1 g, 1000 mg), digits and words (two, 2), "5-7 days" and
"5 days to 7 days". A period ("a day") that one text leaves out makes no difference; another period does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from eval.answers.units import DOSING, OCCASION, UNITS, Unit

Comparator = Literal["more", "less"]

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = {
    **{"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50},
    **{"sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90},
}
_NUMBER_WORDS = {word: n for n, word in enumerate(_ONES)} | _TENS
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_POWER = re.compile(r"(?<=\d)[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_VULGAR = re.compile(r"(\d{0,9})\s?([¼-¾⅐-⅞↉])")
_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:[.,]\d+)*(?:⁄\d+)?(?:\^[+-]?\d{1,2})?|(?<![\d.])\.\d+)"
    r"|(?P<word>°?[^\W\d_]+(?:2(?!\w|\.\d))?|%)"
    r"|(?P<mark>\S)"
)
#: "HbA1c", "B12", "SpO2", "CHA2DS2": a name that holds digits; "q12h" is an interval and no name.
_NAME = re.compile(r"(?!q\d+h)[^\W\d_]+\d+\w*")
_INTERVAL = re.compile(r"q(?=\d+h\b)")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b")
_PERIODS = frozenset(["daily", "weekly", "fortnightly", "monthly", "yearly", "annually", "hourly"])
_EACH = frozenset(["a", "an", "each", "every", "per"])
_JOINS = frozenset(["-", "–", "—", "to", "or", "and", "/", ","])
_MORE = r"more|greater|higher|longer|older|larger|later"
_LESS = r"less|fewer|lower|shorter|younger|smaller|earlier"
_OF = r"(?:\s+(?:the\s+age\s+of|age|aged|of))?\s*$"
_BEFORE: tuple[tuple[re.Pattern[str], Comparator], ...] = (
    (re.compile(rf"(?:<|≤|\b(?:not? (?:{_MORE}) than|at most|up to|not exceed(?:ing)?|max(?:imum)?)){_OF}"), "less"),
    (re.compile(rf"(?:>|≥|[<>]=|\b(?:not? (?:{_LESS}) than|at least|min(?:imum)?)){_OF}"), "more"),
    (re.compile(rf"\b(?:(?:{_LESS}) than(?: or equal to)?|under|below|within){_OF}"), "less"),
    (re.compile(rf"\b(?:(?:{_MORE}) than(?: or equal to)?|over|above|exceed(?:s|ing)?){_OF}"), "more"),
)
_AFTER: tuple[tuple[re.Pattern[str], Comparator], ...] = (
    (re.compile(rf"\s*(?:\+|(?:or|and) (?:{_MORE}|over|above|upwards?)\b)"), "more"),
    (re.compile(rf"\s*(?:or|and) (?:{_LESS}|under|below)\b"), "less"),
)
#: Characters before a number in which its comparator stands.
_NEAR = 28


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a text. `value` is in the units of `dimensions`, `written` is the number as it stands."""

    written: Fraction
    value: Fraction
    #: What it measures, then what it is per: ("mass", "mass") of mg/kg; empty where it has no unit.
    dimensions: tuple[str, ...]
    #: Length of the period it is per, where one is said: ("time", 86400) of mg/day.
    period: tuple[str, Fraction] | None
    comparator: Comparator | None
    #: A name that holds digits instead of a number ("hba1c"); then the fields above are 0 and empty.
    name: str = ""
    #: Where it stands in the prepared text.
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    number: Fraction | None = None
    #: A number word or dosing word.
    word: bool = False
    name: bool = False


def numbers(text: str) -> list[Number]:
    """Every number of a text, in its order; linear in its length."""
    prepared = prepare(text)
    tokens = list(_tokens(prepared))
    read: list[Number] = []
    joined: list[tuple[int, int]] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.name:
            read.append(Number(Fraction(0), Fraction(0), (), None, None, token.text, token.start, token.end))
        if token.number is None:
            at += 1
            continue
        written, after = _whole(tokens, at)
        number, end = _with_unit(prepared, tokens, at, written, after)
        if not _says_nothing(token, number):
            if read and joined and tokens[at - 1].text in _JOINS and joined[-1][1] == at - 1:
                _share_unit(read, number)
            read.append(number)
            joined.append((at, end))
        at = max(end, at + 1)
    return read


def _says_nothing(token: _Token, number: Number) -> bool:
    """ "One of them", "once the fever has gone", "half of them": words of another sense."""
    return (token.text in ("one", "half") and not number.dimensions) or (token.text == "once" and not number.period)


def prepare(text: str) -> str:
    """Lower case, one form of digits, fractions and powers."""
    text = _POWER.sub(lambda match: "^" + match[0].translate(_SUPERSCRIPT), text)
    text = _VULGAR.sub(_fraction, text)
    text = re.sub(r"(?<=\d)[\u202f\u2009](?=\d{3}(?!\d))", "", text)
    text = unicodedata.normalize("NFKC", text).casefold().replace("·", ".").replace("−", "-")
    text = re.sub(r"(?<=\d)(?=(?:times|x)\b)", " ", text)
    return _INTERVAL.sub("every ", text)


def _fraction(match: re.Match[str]) -> str:
    part = Fraction(unicodedata.numeric(match[2])).limit_denominator(20)
    whole = part + int(match[1] or 0)
    return f" {whole.numerator}⁄{whole.denominator} "


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if (name := _NAME.match(text, at)) and not _unit_then_power(name[0]):
            yield _Token(name[0], at, name.end(), name=True)
            at = name.end()
            continue
        match = _TOKEN.match(text, at)
        if match is None:
            at += 1  # a space, or a mark that is not one character of text
            continue
        at = match.end()
        if match["number"]:
            value = _value(match["number"])
            signed = value is not None and _is_negative(text, match.start())
            if value is None:
                yield _Token(match[0], match.start(), at, name=True)
            else:
                yield _Token(match[0], match.start(), at, -value if signed else value)
            if ordinal := _ORDINAL.match(text, at):
                at = ordinal.end()
        elif match["word"] and (known := _NUMBER_WORDS.get(match[0], DOSING.get(match[0]))) is not None:
            yield _Token(match[0], match.start(), at, Fraction(known), word=True)
        elif match[0] == "half":
            yield _Token(match[0], match.start(), at, Fraction(1, 2), word=True)
        else:
            yield _Token(match[0], match.start(), at)


def _unit_then_power(name: str) -> bool:
    """ "m2" is a unit and no name."""
    return name in UNITS


def _is_negative(text: str, start: int) -> bool:
    before = text[max(0, start - 2) : start]
    return before.endswith("-") and (len(before) == 1 or before[0].isspace() or before[0] in "(=<>≤≥")


def _value(raw: str) -> Fraction | None:
    """None of what is no number ("1.2.3", "10.12.2020"), which is then kept as it stands."""
    base, _, power = raw.partition("^")
    base, _, under = base.partition("⁄")
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", base):
        base = base.replace(",", "")
    base = base.replace(",", ".")
    if base.count(".") > 1 or (under and int(under) == 0):
        return None
    whole, _, rest = base.partition(".")
    value = Fraction(int(whole or 0)) + (Fraction(int(rest), 10 ** len(rest)) if rest else 0)
    if under:
        value /= int(under)
    return value ** int(power) if power and value else value


def _whole(tokens: Sequence[_Token], at: int) -> tuple[Fraction, int]:
    """The number that begins here and the place after it: "twenty-four", "2 million"."""
    first = tokens[at]
    assert first.number is not None
    value, after = first.number, at + 1
    if first.text in _TENS:
        hyphen = after < len(tokens) and tokens[after].text == "-"
        ones = tokens[after + hyphen] if after + hyphen < len(tokens) else None
        if ones is not None and ones.word and ones.text in _ONES[1:10]:
            assert ones.number is not None
            value, after = value + ones.number, after + hyphen + 1
    while after < len(tokens) and tokens[after].text in _SCALES:
        value, after = value * _SCALES[tokens[after].text], after + 1
    return value, after


def _with_unit(text: str, tokens: Sequence[_Token], at: int, written: Fraction, after: int) -> tuple[Number, int]:
    units: list[Unit] = []
    period: tuple[str, Fraction] | None = None
    value, end = written, after
    if tokens[at].text in DOSING:
        units.append(OCCASION)
    elif (found := _unit_at(tokens, end)) is not None:
        unit, end = found
        units.append(unit)
        value *= unit.size
    while units and (each := _per(tokens, end)) is not None:
        unit, count, end = each
        if unit.dimension in ("time", "month"):
            period = (unit.dimension, unit.size * count)
        else:
            units.append(unit)
            value /= unit.size * count
    last = tokens[end - 1].end
    return (
        Number(
            written=written,
            value=value,
            dimensions=tuple(unit.dimension for unit in units),
            period=period,
            comparator=_comparator(text, tokens[at].start, last),
            start=tokens[at].start,
            end=last,
        ),
        end,
    )


def _unit_at(tokens: Sequence[_Token], at: int) -> tuple[Unit, int] | None:
    """The unit that stands here, behind a hyphen or not, and the place after it."""
    if at < len(tokens) and tokens[at].text == "-":
        at += 1
    if at < len(tokens) and (unit := UNITS.get(tokens[at].text)) is not None and tokens[at].number is None:
        return unit, at + 1
    return None


def _per(tokens: Sequence[_Token], at: int) -> tuple[Unit, Fraction, int] | None:
    """What the number before is per, how much of it, and the place after it: "/kg", "a day", "daily", "/24 h"."""
    if at >= len(tokens):
        return None
    if tokens[at].text in _PERIODS:
        return UNITS[tokens[at].text], Fraction(1), at + 1
    if tokens[at].text != "/" and tokens[at].text not in _EACH:
        return None
    count, place = Fraction(1), at + 1
    # "5 mg every 6 hours" holds two numbers, "5 ml/24 h" one.
    if tokens[at].text == "/" and place < len(tokens) and (n := tokens[place].number) and not tokens[place].word:
        count, place = n, place + 1
    unit = UNITS.get(tokens[place].text) if place < len(tokens) and tokens[place].number is None else None
    if unit is None or count <= 0 or (tokens[at].text != "/" and unit.dimension not in ("time", "month", "mass")):
        return None
    return unit, count, place + 1


def _comparator(text: str, start: int, end: int) -> Comparator | None:
    before, after = text[max(0, start - _NEAR) : start].rstrip("-"), text[end : end + _NEAR]
    for pattern, comparator in _BEFORE:
        if match := pattern.search(before):
            return _of_sign(match[0], comparator)
    return next((comparator for pattern, comparator in _AFTER if pattern.match(after)), None)


def _of_sign(found: str, comparator: Comparator) -> Comparator:
    """ "<=" and "=<" hold a sign of their own."""
    return "less" if found.lstrip().startswith("<") else comparator


def _share_unit(read: list[Number], number: Number) -> None:
    """Give a number without a unit that of the number it is joined to: "5 to 7 days"."""
    before = read[-1]
    if before.name or before.dimensions or not number.dimensions or not number.written:
        return
    size = number.value / number.written
    read[-1] = Number(
        before.written,
        before.written * size,
        number.dimensions,
        number.period,
        before.comparator,
        start=before.start,
        end=before.end,
    )
