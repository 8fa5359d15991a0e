"""Dates known only in part: a year, a month or a day, compared as the days they may stand for.

"2018" stands for every day of that year. Nothing is rounded: a document dated "2018" may have appeared
before or after June, so both answers stay possible, and the filters keep what may match. Days are
integers that sort as dates do (20181031), which every search engine can index.
"""

from __future__ import annotations

import calendar
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field


def first_day(stated: str) -> int:
    """The first day a partial date may stand for: "2018-10" -> 20181001.

    Raises:
        ValueError: there is no such date.
    """
    year, month, day = _parts(stated)
    return _number(date(year, month or 1, day or 1))


def last_day(stated: str) -> int:
    """The last day a partial date may stand for: "2018-02" -> 20180228.

    Raises:
        ValueError: there is no such date.
    """
    year, month, day = _parts(stated)
    first = date(year, month or 12, day or 1)
    return _number(first.replace(day=day or calendar.monthrange(first.year, first.month)[1]))


def day_number(day: date) -> int:
    """A calendar day in the form that `first_day` and `last_day` give."""
    return _number(day)


def _checked(stated: str) -> str:
    first_day(stated)
    return stated


#: A date known to the year, the month or the day, as ISO 8601: "2018", "2018-10", "2018-10-31". "2018-13" is refused.
PartialDate = Annotated[str, Field(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"), AfterValidator(_checked)]


def _parts(stated: str) -> tuple[int, int | None, int | None]:
    numbers = [int(part) for part in stated.split("-")]
    if not 1 <= len(numbers) <= 3:
        raise ValueError(f"{stated!r} is not a date like 2018, 2018-10 or 2018-10-31")
    year, month, day = [*numbers, None, None][:3]
    assert year is not None
    return year, month, day


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
