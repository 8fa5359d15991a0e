"""If reading a quantity is wrong, a changed dose can pass the gate or a right one is hidden."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.quantities import Quantity, quantities


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1 g", "1000 mg"),
        ("1,000 mg", "1000mg"),
        ("0.5 mg", "500 micrograms"),
        ("0.50 mg", ".5 mg"),
        ("500 µg", "500 mcg"),
        ("2 litres", "2000 ml"),
        ("three days", "3 days"),
        ("a 5-day course", "a course of 5 days"),
        ("twice daily", "2 times a day"),
        ("once a week", "weekly"),
        ("every 6 hours", "6-hourly"),
        ("at least 65 years", "65 years or older"),
        ("aged 16 and over", "aged ≥ 16"),
        ("no more than 4 g", "up to 4 g"),
        ("2.4 million units", "2,400,000 units"),
        ("1½ tablets", "1.5 tablets"),
        ("50 per cent", "50%"),
        ("5 mg per kg", "5 mg/kg"),
        ("١٠٠ mg", "100 mg"),
    ],
)
def test_the_same_quantity_in_other_words_reads_the_same(first: str, second: str) -> None:
    assert set(quantities(first)) == set(quantities(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("100 mg", "1000 mg"),
        ("100 mg", "100 micrograms"),
        ("100 mg", "100 ml"),
        ("5 ng", "5 pg"),
        ("0.5 mg", "5 mg"),
        (".5 mg", "5 mg"),
        ("3 days", "3 weeks"),
        ("once daily", "once weekly"),
        ("once daily", "twice daily"),
        ("5 mg daily", "5 mg weekly"),
        ("every 6 hours", "every 6 days"),
        ("below 45", "above 45"),
        ("below 45", "45 or below"),
        ("over 65", "65 or over"),
        ("aged 16 and over", "aged 16 and under"),
        ("no more than 3", "more than 3"),
        ("less than or equal to 5", "greater than or equal to 5"),
        ("do not exceed 4 g", "exceed 4 g"),
        ("higher than 5", "lower than 5"),
        ("within 48 hours", "after 48 hours"),
        ("at least 5 days", "5 days"),
        ("2,400,000 units", "2,400,001 units"),
        ("2.4 million units", "2.4 units"),
        ("T-score of -2.5", "T-score of 2.5"),
        ("10⁹/l", "109/l"),
        ("vitamin B12", "vitamin B6"),
        ("4 g per day", "4 g per week"),
        ("2 mg/kg", "2 mg"),
        ("9" * 400, "9" * 399 + "8"),
    ],
)
def test_different_quantities_stay_different(first: str, second: str) -> None:
    assert set(quantities(first)) != set(quantities(second))


@pytest.mark.parametrize("text", ["a1000 mg", "x100", "10mg5", "dose.5000 mg", "..7", "百 mg", "①00 mg", "5️⃣ mg"])
def test_a_number_cannot_hide_by_being_written_strangely(text: str) -> None:
    assert quantities(text)


def test_both_ends_of_a_range_are_read() -> None:
    assert quantities("4 to 6 hours") == [Quantity("4", "h", ""), Quantity("6", "h", "")]
    assert quantities("33% to 50%") == [Quantity("33", "%", ""), Quantity("50", "%", "")]


@given(st.decimals(min_value=0, max_value=10**12, places=3), st.decimals(min_value=0, max_value=10**12, places=3))
def test_two_doses_read_the_same_only_if_they_are_the_same(first: object, second: object) -> None:
    assert (quantities(f"{first:f} mg") == quantities(f"{second:f} mg")) == (first == second)


@given(st.text(max_size=200))
def test_every_digit_of_any_text_ends_up_in_a_quantity(text: str) -> None:
    """No text is refused, and a text with a digit never reads as a text without quantities."""
    found = quantities(text)
    if any(c.isdecimal() for c in text):
        assert found


@pytest.mark.parametrize(
    "text",
    [
        *("1" * 100_000, "1," * 50_000, " " * 100_000, "1" + " " * 100_000, "5 " + "a/" * 50_000, "per " * 25_000),
        *("1 to " * 5_000, "½" * 1_000, "-" * 100_000, "a day " * 10_000),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_reading_takes_linear_time(text: str) -> None:
    started = time.perf_counter()
    quantities(text)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("text", ["2 to 3 mg/kg", "over 7.5 mmol/L", "25 mg/m2", "5 mL/min", "10 g/dL", "5 mg"])
def test_a_unit_at_the_end_of_a_sentence_is_the_same_unit(text: str) -> None:
    assert quantities(f"Give {text}.") == quantities(f"Give {text} daily")[: len(quantities(f"Give {text}"))]


@pytest.mark.parametrize("said", ["twice-daily", "twice -- daily", "2 times-daily"])
def test_a_hyphen_before_the_period_is_a_space(said: str) -> None:
    assert quantities(said) == [Quantity("2", "time/d", "")]
