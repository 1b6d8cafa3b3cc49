"""Codes of categories that project files alone decide: periods, bands, hierarchies, declared categories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from clerestory.project.models import DimensionFile
from clerestory.project.project import Hierarchy, Source, Table
from clerestory.tables import MISSING, TOTAL

_PERIOD = {
    "year": re.compile(r"(\d{4})"),
    "quarter": re.compile(r"(\d{4})-Q([1-4])"),
    "month": re.compile(r"(\d{4})-(0[1-9]|1[0-2])"),
}
_IN_A_YEAR = {"year": 1, "quarter": 4, "month": 12}
PERIOD_EXAMPLES = {"year": "2012", "quarter": "2012-Q1", "month": "2012-03"}
MONTHS_OF_YEAR = tuple(f"{month:02}" for month in range(1, 13))


@dataclass(frozen=True)
class DeclaredDimension:
    """What is known of a table's dimension before any record is read.

    levels: published levels from coarse to fine, without the total; the dimension's name if it is flat.
    codes: for each level its codes, in order; None where only the records know them. The total ("all") and
    missing values ("missing") are not among them, but every dimension may have them.
    """

    name: str
    levels: tuple[str, ...]
    codes: dict[str, tuple[str, ...]] | None

    def has(self, code: str) -> bool:
        """Whether a category may have this code, as far as can be known."""
        return self.codes is None or code in (TOTAL, MISSING) or code in self.every_code()

    def every_code(self) -> tuple[str, ...]:
        """Codes of all levels that are known, from coarse to fine."""
        return tuple(code for level in self.levels for code in (self.codes or {}).get(level, ()))


def period_number(by: str, code: str) -> int | None:
    """A year, quarter or month as a running number; None if the code is not one: "2012-Q1" is 8048."""
    match = _PERIOD[by].fullmatch(code)
    if match is None:
        return None
    part = int(match[2]) - 1 if match.lastindex == 2 else 0
    return int(match[1]) * _IN_A_YEAR[by] + part


def period_code(by: str, number: int) -> str:
    """The code of a running number: the opposite of period_number."""
    year, part = divmod(number, _IN_A_YEAR[by])
    return {"year": f"{year:04}", "quarter": f"{year:04}-Q{part + 1}", "month": f"{year:04}-{part + 1:02}"}[
        by
    ]


def period_codes(by: str, first: str, last: str) -> tuple[str, ...]:
    """Codes of all periods from the first to the last, both included. Raises ValueError on a bad code."""
    start, end = period_number(by, first), period_number(by, last)
    if start is None or end is None:
        raise ValueError(f"a {by} is written {PERIOD_EXAMPLES[by]}")
    return tuple(period_code(by, number) for number in range(start, end + 1))


def band_codes(bands: Sequence[int]) -> tuple[str, ...]:
    """Codes of the classes that ascending lower edges make: under-21, 21-24, 25, 26-and-over."""
    inner = [str(low) if high - low == 1 else f"{low}-{high - 1}" for low, high in pairwise(bands)]
    return (f"under-{bands[0]}", *inner, f"{bands[-1]}-and-over")


class Definitions(Protocol):
    """Where hierarchies and sources are looked up: a Project, or one that is being loaded."""

    @property
    def hierarchies(self) -> Mapping[str, Hierarchy]:
        """By name."""

    @property
    def sources(self) -> Mapping[str, Source]:
        """By name."""


def declare(project: Definitions, table: Table, name: str) -> DeclaredDimension:
    """What is known of a dimension, the name of which is in the table and which has no problems."""
    dimension = table.said.dimensions[name]
    if dimension.hierarchy is not None:
        return _of_hierarchy(project.hierarchies[dimension.hierarchy], name, dimension.finest)
    codes = _flat_codes(project, table, name, dimension)
    return DeclaredDimension(name, (name,), None if codes is None else {name: codes})


def _flat_codes(
    project: Definitions, table: Table, name: str, dimension: DimensionFile
) -> tuple[str, ...] | None:
    if dimension.by == "month-of-year":
        return MONTHS_OF_YEAR
    if dimension.by is not None:
        if dimension.first is None or dimension.last is None:
            return None
        return period_codes(dimension.by, dimension.first, dimension.last)
    if dimension.bands:
        return band_codes(dimension.bands)
    if dimension.top is not None:
        return None
    field = project.sources[table.said.source].said.fields[dimension.from_ or name]
    return tuple(field.categories) if field.categories is not None else None


def _of_hierarchy(hierarchy: Hierarchy, name: str, finest: str | None) -> DeclaredDimension:
    levels = hierarchy.levels[: hierarchy.levels.index(finest or hierarchy.levels[-1]) + 1]
    codes = {
        level: tuple(dict.fromkeys(path[place] for path in hierarchy.codes.values()))
        for place, level in enumerate(levels)
    }
    return DeclaredDimension(name, levels, codes)
