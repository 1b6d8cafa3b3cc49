"""Dates as whole days since 1970-01-01, and the decade the records cover."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

Days = NDArray[Any]

YEARS = tuple(range(2012, 2022))


def day(year: int, month: int = 1, of_month: int = 1) -> int:
    """The day number of a date."""
    return (datetime.date(year, month, of_month) - datetime.date(1970, 1, 1)).days


FIRST_DAY = day(2012)
LAST_DAY = day(2021, 12, 31)


def new_year(years: Days) -> Days:
    """The day number of 1 January of each year."""
    return (years.astype(np.int64) - 1970).astype("M8[Y]").astype("M8[D]").astype(np.int32)


def year_of(days: Days) -> Days:
    """The calendar year of each day."""
    return (days.astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970).astype(np.int16)


def years_later(days: Days, years: Days | int) -> Days:
    """The same day of the year, some years on; 29 February becomes 1 March."""
    month = days.astype("M8[D]").astype("M8[M]")
    offset = days.astype("M8[D]") - month.astype("M8[D]")
    later = month.astype(np.int64) + 12 * np.asarray(years)
    made: Days = (later.astype("M8[M]").astype("M8[D]") + offset).astype(np.int32)
    return made


def age_at(birth: Days, at: Days) -> Days:
    """Completed years of age."""
    months = at.astype("M8[D]").astype("M8[M]").astype(np.int64) - birth.astype("M8[D]").astype(
        "M8[M]"
    ).astype(np.int64)
    before = _day_of_month(at) < _day_of_month(birth)
    return (months - before) // 12


def day_and_month_swapped(days: Days) -> tuple[Days, NDArray[np.bool_]]:
    """Each date with day and month exchanged, and where that makes another real date."""
    month_start = days.astype("M8[D]").astype("M8[M]")
    month = month_start.astype(np.int64) % 12
    year = month_start.astype(np.int64) // 12
    of_month = _day_of_month(days)
    possible = (of_month < 12) & (of_month != month)
    swapped = (
        (year * 12 + np.where(possible, of_month, month)).astype("M8[M]").astype("M8[D]").astype(np.int64)
    )
    return (swapped + np.where(possible, month, of_month)).astype(np.int32), possible


def _day_of_month(days: Days) -> Days:
    """Day of the month, from 0."""
    stamp = days.astype("M8[D]")
    offset: Days = (stamp - stamp.astype("M8[M]").astype("M8[D]")).astype(np.int64)
    return offset
