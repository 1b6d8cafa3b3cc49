"""The trees of categories of dimensions, over the classes of their variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from clerestory.confidential.design.labels import (
    MISSING_LABEL,
    TOTAL_LABEL,
    band_label,
    month_label,
    period_label,
)
from clerestory.confidential.design.variables import Classes, Kind, Variable
from clerestory.project import DimensionFile, FieldFile, Hierarchy, band_codes, period_code, period_number
from clerestory.tables import MISSING, TOTAL, Text, text

_MONTHS_IN = {"year": 12, "quarter": 3, "month": 1}


@dataclass(frozen=True, eq=False)
class Branch:
    """A node to be: its parent's code, and the classes of records in it."""

    code: str
    label: Text
    level: str
    parent: str
    members: Classes


@dataclass(frozen=True, eq=False)
class Tree:
    """A dimension before it is known which of its classes the records have.

    levels: from coarse to fine. branches: without the total and missing values; parents before children.
    finest: the level whose branches have no children.
    """

    levels: tuple[str, ...]
    branches: tuple[Branch, ...]
    total: Text
    missing: Text

    @property
    def finest(self) -> str:
        """The name of the finest level."""
        return self.levels[-1]

    def covered(self) -> Classes:
        """The classes that are in some branch."""
        covered = self.branches[0].members.copy()
        for branch in self.branches:
            covered |= branch.members
        return covered


@dataclass(frozen=True)
class Range:
    """The first and last period of a date dimension, as running numbers, and which were found, not said."""

    first: int
    last: int
    found_first: bool
    found_last: bool


def period_start(by: str, number: int) -> int:
    """The first day of a period, as a number: 20120101."""
    year, month = divmod(number * _MONTHS_IN[by], 12)
    return year * 10000 + (month + 1) * 100 + 1


def said_range(said: DimensionFile, months: tuple[int, int] | None) -> Range | None:
    """The periods of a date dimension; None if neither project nor records tell.

    months: the first and last month of the records, as running numbers.
    """
    by = "month" if said.by in (None, "month-of-year") else said.by
    assert by is not None
    first = period_number(by, said.first) if said.first else None
    last = period_number(by, said.last) if said.last else None
    if (first is None or last is None) and months is None:
        return None
    low, high = months or (0, 0)
    step = _MONTHS_IN[by]
    return Range(
        low // step if first is None else first,
        high // step if last is None else last,
        first is None,
        last is None,
    )


def tree(
    name: str,
    said: DimensionFile,
    field: FieldFile,
    variable: Variable,
    hierarchies: Mapping[str, Hierarchy],
    span: Range | None,
) -> Tree:
    """The tree of a dimension. span: the periods, for a date part."""
    missing = said.missing or MISSING_LABEL
    if said.hierarchy is not None:
        hierarchy = hierarchies[said.hierarchy]
        return _hierarchical(hierarchy, said.finest or hierarchy.levels[-1], variable, missing)
    if variable.kind is Kind.DATE and span is not None:
        branches = (
            _months(name, variable, span)
            if said.by == "month-of-year"
            else _periods(name, said, variable, span)
        )
    elif said.bands is not None:
        branches = _bands(name, said.bands, variable)
    elif said.top is not None:
        branches = _numbers(name, said.top, lowest(field), variable)
    else:
        labels = field.categories or {}
        branches = [
            Branch(code, labels.get(code, text(code, es=code)), name, TOTAL, variable.code_class(code))
            for code in (labels or variable.codes)
        ]
    return Tree((name,), _apart(branches), TOTAL_LABEL, missing)


def lowest(field: FieldFile) -> int:
    """The least value of a number that is top-coded: its bound, or 0."""
    return field.bounds[0] if field.bounds else 0


def _hierarchical(hierarchy: Hierarchy, finest: str, variable: Variable, missing: Text) -> Tree:
    levels = hierarchy.levels[: hierarchy.levels.index(finest) + 1]
    found: dict[tuple[str, ...], Branch] = {}
    for code, path in hierarchy.codes.items():
        own = variable.code_class(code)
        for depth, level in enumerate(levels):
            key = path[: depth + 1]
            if key in found:
                found[key] = replace(found[key], members=found[key].members | own)
                continue
            label = hierarchy.labels.get(level, {}).get(path[depth], text(path[depth], es=path[depth]))
            parent = found[path[:depth]].code if depth else TOTAL
            # A coarser node that has the code of another one is told apart by its level.
            taken = {branch.code for branch in found.values()}
            plain = path[depth] not in taken and (
                depth == len(levels) - 1 or path[depth] not in hierarchy.codes
            )
            found[key] = Branch(path[depth] if plain else f"{level}.{path[depth]}", label, level, parent, own)
    return Tree(levels, _apart(list(found.values())), hierarchy.total, missing)


def _periods(name: str, said: DimensionFile, variable: Variable, span: Range) -> list[Branch]:
    by = said.by or "year"
    branches = []
    for number in range(span.first, span.last + 1):
        code = period_code(by, number)
        inside = variable.between(period_start(by, number), period_start(by, number + 1))
        branches.append(Branch(code, period_label(by, code), name, TOTAL, inside))
    return branches


def _months(name: str, variable: Variable, span: Range) -> list[Branch]:
    members = [variable.none() for _ in range(12)]
    for number in range(span.first, span.last + 1):
        members[number % 12] |= variable.between(
            period_start("month", number), period_start("month", number + 1)
        )
    return [
        Branch(f"{month:02}", month_label(f"{month:02}"), name, TOTAL, inside)
        for month, inside in enumerate(members, start=1)
    ]


def _bands(name: str, bands: tuple[int, ...], variable: Variable) -> list[Branch]:
    edges: list[int | None] = [None, *bands, None]
    branches = []
    for code, (low, high) in zip(band_codes(bands), pairwise(edges), strict=True):
        inside = variable.between(low, high)
        if variable.kind is Kind.AGE:
            inside &= variable.between(*POSSIBLE_AGES)
        branches.append(Branch(code, band_label(low, high), name, TOTAL, inside))
    return branches


def _numbers(name: str, top: int, low: int, variable: Variable) -> list[Branch]:
    single = [
        Branch(str(n), band_label(n, n + 1), name, TOTAL, variable.between(n, n + 1)) for n in range(low, top)
    ]
    last = Branch(f"{top}-and-over", band_label(top, None), name, TOTAL, variable.between(top, None))
    return [*single, last]


POSSIBLE_AGES = (0, 130)
"""Ages that somebody can have; others are mistakes."""


def _apart(branches: list[Branch]) -> tuple[Branch, ...]:
    """Branches none of which has a reserved code."""
    return tuple(
        replace(branch, code=f"value.{branch.code}") if branch.code in (TOTAL, MISSING) else branch
        for branch in branches
    )
