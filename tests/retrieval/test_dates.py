"""If these fail, a date filter keeps guidance out that it should find, or the other way round."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from retrieval.dates import PartialDate, day_number, first_day, last_day
from retrieval.readers.base import dates_in

DATES = st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 12, 31))


@pytest.mark.parametrize(
    ("stated", "first", "last"),
    [
        ("2018", 20180101, 20181231),
        ("2018-02", 20180201, 20180228),
        ("2020-02", 20200201, 20200229),
        ("2018-10-31", 20181031, 20181031),
    ],
)
def test_a_partial_date_stands_for_all_its_days(stated: str, first: int, last: int) -> None:
    assert (first_day(stated), last_day(stated)) == (first, last)


@given(DATES, st.sampled_from([4, 7, 10]))
def test_a_day_lies_in_every_shorter_form_of_itself(day: date, length: int) -> None:
    stated = day.isoformat()[:length]
    assert first_day(stated) <= day_number(day) <= last_day(stated)


@given(DATES, DATES)
def test_days_sort_as_dates_do(one: date, other: date) -> None:
    assert (day_number(one) < day_number(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "stated"),
    [("February 30, 2018", "2018-02"), ("Released 2019-02-29", "2019-02"), ("Feb 29, 2020", "2020-02-29")],
)
def test_a_reader_never_gives_a_day_that_does_not_exist(text: str, stated: str) -> None:
    """Otherwise one misprint in a file keeps its whole document out."""
    assert dates_in(text) == [stated]


@pytest.mark.parametrize("stated", ["2018-13", "2018-02-30", "18", "2018-1", "2018-10-31T00", "0000", ""])
def test_what_is_no_date_is_refused(stated: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(PartialDate).validate_python(stated)
