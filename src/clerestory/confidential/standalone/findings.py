"""What a reader works out of a table, cell by cell, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.attack.relations import Relations
from clerestory.confidential.standalone.amounts import in_unit
from clerestory.confidential.standalone.given import GivenTable, said_where
from clerestory.tables.space import IntArray

KINDS = ("exact", "narrow", "implied", "small-sum", "small-shown", "undecided")
"""exact: a hidden cell is known; narrow: known within less than the width; implied: the same of a count
that is not in the table but follows from it; small-sum: the hidden parts of a line add up to a small count;
small-shown: a small count in plain sight; undecided: neither shown wide nor broken within the limits."""

WIDE = "wide"
"""Of an interval that was asked for: it is no finding."""


@dataclass(frozen=True)
class Finding:
    """One thing that a reader works out. Of a public table, so the numbers may be told.

    where: code by dimension, of the cell, or of the one it is inside (implied, small-sum). least, greatest:
    the values that a reader cannot rule out, None where not known. exact: whether these are the exact ends;
    otherwise they surely hold, and the reader may come closer. over: of a small sum, the dimension along
    which its parts lie.
    """

    kind: str
    where: dict[str, str]
    least: int | float | None
    greatest: int | float | None
    exact: bool = True
    over: str = ""

    def __str__(self) -> str:
        """One line."""
        place = said_where(self.where)
        about = "" if self.exact else " or closer"
        if self.kind == "exact":
            return f"{place}: is {self.least}"
        if self.kind in ("narrow", WIDE):
            end = "or more" if self.greatest is None else f"to {self.greatest}"
            return f"{place}: {self.least} {end}{about}"
        if self.kind == "implied":
            span = f"is {self.least}" if self.least == self.greatest else f"{self.least} to {self.greatest}"
            return f"a count that follows, inside {place}: {span}"
        if self.kind == "small-sum":
            sum_ = "a small known count" if self.least is None else self.least
            return f"the hidden parts of {place}, over {self.over}, add up to {sum_}"
        if self.kind == "small-shown":
            return f"{place}: shows {self.least}"
        return f"{place}: not decided"


@dataclass(frozen=True, eq=False)
class Attack:
    """What the attack found; hidden, implied: how many cells had to be wide.

    intervals: of every hidden cell, where they were asked for.
    """

    cells: int
    hidden: int
    implied: int
    findings: tuple[Finding, ...]
    intervals: tuple[Finding, ...] = ()


def by_severity(found: list[Finding]) -> tuple[Finding, ...]:
    """The gravest first: by kind, then the narrowest, then the smallest."""

    def rank(finding: Finding) -> tuple[int, float, float]:
        least, greatest = finding.least, finding.greatest
        width = np.inf if least is None or greatest is None else greatest - least
        return (KINDS.index(finding.kind), width, np.inf if greatest is None else greatest)

    return tuple(sorted(found, key=rank))


def spanned(table: GivenTable, kind: str, row: int, least: float, greatest: float, exact: bool) -> Finding:
    """A finding about the cell of a row, in the unit of the table."""
    top = None if np.isinf(greatest) else in_unit(int(greatest), table.decimals)
    return Finding(kind, table.where(row), in_unit(int(least), table.decimals), top, exact)


def row_of(table: GivenTable) -> IntArray:
    """(cells,) a row of each cell; one that hides it where there is one."""
    rows = np.zeros(len(table.public.space), dtype=np.int64)
    order = np.argsort(table.hidden, kind="stable")
    rows[table.cells[order]] = order
    return rows


def home(table: GivenTable, rules: Relations, variable: int) -> int:
    """The cell itself, or the smallest line's cell that an implied count is inside, or stands beside."""
    cells = len(table.public.space)
    if variable < cells:
        return variable
    by_column = rules.matrix[:, [variable]].tocsc()
    lines = by_column.indices
    for line in lines:
        if 0 <= rules.parents[line] < cells:
            return int(rules.parents[line])
    near = rules.matrix[lines].indices
    known = near[near < cells]
    return int(known[0]) if len(known) else 0
