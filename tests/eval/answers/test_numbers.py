"""Reading numbers: what is read wrongly here lets an altered dose pass as held, or accuses a right one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.answers.numbers import Number, numbers

DAY = ("time", Fraction(86400))


def read(text: str) -> list[tuple[str, str, str | None]]:
    """Written number or name, what it measures, and its comparator."""
    return [(n.name or str(n.written), " / ".join(n.dimensions), n.comparator) for n in numbers(text)]


def one(text: str) -> Number:
    (number,) = numbers(text)
    return number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amoxicillin 500 mg", [("500", "mass", None)]),
        ("5-7 days", [("5", "time", None), ("7", "time", None)]),
        ("5 to 7 days", [("5", "time", None), ("7", "time", None)]),
        ("120/80 mmHg", [("120", "pressure", None), ("80", "pressure", None)]),
        ("2 or 3 tablets", [("2", "count of tablet", None), ("3", "count of tablet", None)]),
        ("1,000 mg", [("1000", "mass", None)]),
        ("0.5mg", [("1/2", "mass", None)]),
        (".5 mg", [("1/2", "mass", None)]),
        ("2½ tablets", [("5/2", "count of tablet", None)]),
        ("10⁹/L", [("1000000000", "", None)]),
        ("1.73 m²", [("173/100", "area", None)]),
        ("twenty-four hours", [("24", "time", None)]),
        ("two million units", [("2000000", "activity", None)]),
        ("one of them, once half of it has gone", []),
        ("once daily", [("1", "count of time", None)]),
        ("25 mg/kg every 12 hours", [("25", "mass / mass", None), ("12", "time", None)]),
        ("one tablet", [("1", "count of tablet", None)]),
        ("twice daily", [("2", "count of time", None)]),
        ("HbA1c, B12 and CHA2DS2", [("hba1c", "", None), ("b12", "", None), ("cha2ds2", "", None)]),
        ("type 2 diabetes", [("2", "", None)]),
        ("q12h", [("12", "time", None)]),
        ("a T score of -2.5", [("-5/2", "", None)]),
        ("the 2nd dose", [("2", "count of dose", None)]),
        ("at least 65 years", [("65", "month", "more")]),
        ("aged 65 or over", [("65", "", "more")]),
        ("≥ 65 years", [("65", "month", "more")]),
        ("no more than 4 g", [("4", "mass", "less")]),
        ("no less than 4 g", [("4", "mass", "more")]),
        ("below 92%", [("92", "per cent", "less")]),
        ("<= 5 mg", [("5", "mass", "less")]),
        ("under the age of 5 years", [("5", "month", "less")]),
        ("on 10.12.2020", [("10.12.2020", "", None)]),
        ("٣ mg", [("3", "mass", None)]),
        ("", []),
    ],
)
def test_numbers_are_read_as_they_are_meant(text: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("1 g", "1000 mg"),
        ("0.5 mg", "500 micrograms"),
        ("24 hours", "one day"),
        ("2 weeks", "14 days"),
        ("1 year", "12 months"),
        ("30 mg/kg/day", "30 mg per kg daily"),
        ("500 ml/24 h", "500 ml a day"),
        ("BD", "twice"),
    ],
)
def test_what_is_the_same_is_read_as_the_same(text: str, other: str) -> None:
    first, second = one(text), one(other)
    assert (first.value, first.dimensions, first.period) == (second.value, second.dimensions, second.period)


def test_a_concentration_is_no_amount_and_a_period_is_kept_apart() -> None:
    assert one("5 mg/ml").dimensions == ("mass", "volume")
    assert one("5 mg daily").dimensions == ("mass",)
    assert one("5 mg daily").period == DAY
    assert one("5 mg").period is None
    assert one("three times a day").dimensions != one("three seconds").dimensions


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_breaks_it_and_every_digit_is_read(text: str) -> None:
    found = numbers(text)
    assert bool(found) or not any(char.isascii() and char.isdigit() for char in text)


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 999), st.sampled_from(["mg", "ml", "hours", "%", "tablets", "mmHg"]))
def test_a_number_is_read_whatever_stands_around_it(whole: int, part: int, unit: str) -> None:
    text = f"Give {whole}.{part:03} {unit} now, then stop."
    assert one(text).written == Fraction(whole) + Fraction(part, 1000)
    assert one(f"{whole:,}").written == whole
