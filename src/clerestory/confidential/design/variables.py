"""Key variables of a source, and the classes that their values fall into.

A variable is what one axis is made from: a field, or an age (a birth date and the date it is taken at). Its
classes are the common refinement of all that tables ask of it, before any record is read: class 0 holds
records without a value, classes 1 to n the categories or intervals, class n + 1 what is none of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from clerestory.errors import InputError
from clerestory.project import Condition

Classes = NDArray[np.bool_]

MISSING_CLASS = 0

OLDEST = 130
"""An age of so many years or more, or below 0, is a mistake in one of the two dates."""


class Kind(Enum):
    """How the values of a variable are told apart."""

    CATEGORY = "category"
    DATE = "date"
    NUMBER = "number"
    AGE = "age"


@dataclass(frozen=True, order=True)
class Cut:
    """Where one interval ends and the next begins: at `value`, or just above it."""

    value: int
    above: bool = False


@dataclass(frozen=True)
class Variable:
    """One key variable.

    fields: one, or for an age the birth date and the date it is taken at. codes: the categories, in order.
    cuts: between intervals, ascending; dates are written as numbers, 20120131. declared: project files
    list the codes; else they are found in the records. only_where: no dimension is made from it.
    """

    name: str
    kind: Kind
    fields: tuple[str, ...]
    codes: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()
    declared: bool = False
    only_where: bool = False

    @property
    def values(self) -> int:
        """How many categories or intervals there are."""
        return len(self.codes) if self.kind is Kind.CATEGORY else len(self.cuts) + 1

    @property
    def classes(self) -> int:
        """How many classes there are, with those of no value and of odd values."""
        return self.values + 2

    @property
    def odd(self) -> int:
        """The class of values that are none of the categories, or no date or number at all."""
        return self.values + 1

    def none(self) -> Classes:
        """No class."""
        return np.zeros(self.classes, dtype=bool)

    def between(self, low: int | None, high: int | None) -> Classes:
        """The intervals from a cut at `low` (included) to a cut at `high` (excluded)."""
        start = 0 if low is None else bisect_right(self.cuts, Cut(low))
        end = len(self.cuts) + 1 if high is None else bisect_right(self.cuts, Cut(high))
        found = self.none()
        found[1 + start : 1 + end] = True
        return found

    def code_class(self, code: str) -> Classes:
        """The class of one category."""
        found = self.none()
        found[1 + self.codes.index(code)] = True
        return found

    def missing(self) -> Classes:
        """The class of records without a value."""
        found = self.none()
        found[MISSING_CLASS] = True
        return found

    def names(self) -> tuple[str, ...]:
        """A name for each class."""
        if self.kind is Kind.CATEGORY:
            return ("missing", *self.codes, "other")
        edges = [f"{'>' if cut.above else ''}{cut.value}" for cut in self.cuts]
        intervals = [f"{low}..{high}" for low, high in zip(["", *edges], [*edges, ""], strict=True)]
        return ("missing", *intervals, "odd")


def condition_cuts(condition: Condition, kind: Kind, where: str) -> list[Cut]:
    """The cuts that make a condition a union of intervals. Raises InputError if it compares other things."""
    cuts: list[Cut] = []
    for low, high in _intervals(condition, kind, where):
        cuts += [cut for cut in (low, high) if cut is not None]
    return cuts


def condition_classes(condition: Condition, variable: Variable, where: str) -> Classes:
    """The classes whose records meet a condition; a record without a value meets only `is missing`."""
    if condition.operator in ("is missing", "is not missing"):
        missing = variable.missing()
        return missing if condition.operator == "is missing" else ~missing
    if variable.kind is Kind.CATEGORY:
        return _category_classes(condition, variable, where)
    passed = {cut: place for place, cut in enumerate(variable.cuts)}
    found = variable.none()
    for low, high in _intervals(condition, variable.kind, where):
        start = 1 if low is None else passed[low] + 2
        end = variable.values + 1 if high is None else passed[high] + 2
        found[start:end] = True
    return found


def _category_classes(condition: Condition, variable: Variable, where: str) -> Classes:
    found = variable.none()
    if condition.operator in ("=", "in", "!=", "not in"):
        wanted = {str(value) for value in condition.values}
        found[1:-1] = [code in wanted for code in variable.codes]
        if condition.operator in ("!=", "not in"):
            found[1:] = ~found[1:]
        return found
    (limit,) = condition.values
    for place, code in enumerate(variable.codes, start=1):
        try:
            number = int(code)
        except ValueError:
            raise InputError(
                f"{condition.field!r} is compared with a number, but its categories are texts",
                where=where,
                fix="list the categories: FIELD in [...]",
            ) from None
        found[place] = isinstance(limit, int) and _compares(number, condition.operator, limit)
    return found


def _compares(number: int, operator: str, limit: int) -> bool:
    return {
        "<": number < limit,
        "<=": number <= limit,
        ">": number > limit,
        ">=": number >= limit,
    }[operator]


def _intervals(condition: Condition, kind: Kind, where: str) -> list[tuple[Cut | None, Cut | None]]:
    """The condition as intervals, each from a cut to a cut; None is without end."""
    edges = [_edges(condition, value, kind, where) for value in condition.values]
    if condition.operator in ("=", "in"):
        return [(low, high) for low, high in edges]
    if condition.operator in ("!=", "not in"):
        ordered: Sequence[tuple[Cut, Cut]] = sorted(edges)
        starts = [None, *(high for _, high in ordered)]
        ends = [*(low for low, _ in ordered), None]
        return list(zip(starts, ends, strict=True))
    if not edges:
        return []
    ((first, after),) = edges
    ranges: dict[str, tuple[Cut | None, Cut | None]] = {
        "<": (None, first),
        "<=": (None, after),
        ">": (after, None),
        ">=": (first, None),
    }
    return [ranges[condition.operator]]


def _edges(condition: Condition, value: object, kind: Kind, where: str) -> tuple[Cut, Cut]:
    """The cuts just before and just after one value of a condition."""
    if kind is Kind.DATE and condition.part == "year" and type(value) is int:
        return Cut(value * 10000 + 101), Cut((value + 1) * 10000 + 101)
    if kind is Kind.DATE and not condition.part and isinstance(value, date):
        return Cut(day_number(value)), Cut(day_number(value + timedelta(days=1)))
    if kind is Kind.AGE and type(value) is int:
        return Cut(value), Cut(value + 1)
    if kind is Kind.NUMBER and type(value) is int and not condition.part:
        return Cut(value), Cut(value, above=True)
    wanted = {"date": "a date (2012-01-31), or year(FIELD) with a year"}.get(kind.value, "a whole number")
    raise InputError(
        f"{condition.field!r} is compared with something else than {wanted}",
        where=where,
        fix="write the value as what the field holds",
    )


def day_number(day: date) -> int:
    """A date as a number: 20120131."""
    return day.year * 10000 + day.month * 100 + day.day
