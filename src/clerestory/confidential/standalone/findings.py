"""Attacks a given table as its reader would, and says what he works out: exactly, or within how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.decide import Verdict, decide, feasibility_interval
from clerestory.attack.relations import Kind, Relations, relations
from clerestory.attack.shown import small_shown
from clerestory.attack.system import propagate
from clerestory.confidential.standalone.given import GivenTable, said_where
from clerestory.confidential.standalone.signs import bounded
from clerestory.errors import InputError, Undecided
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

_EXACT = 500
"""Cells whose exact interval is sought by whole-number programs; for more, bounds that hold are given."""
_SHOWN = 5
"""Lines of a contradiction that a message lists."""

KINDS = ("exact", "narrow", "implied", "small-sum", "small-shown", "undecided")
"""exact: a hidden cell is known; narrow: known within less than the width; implied: the same of a count
that is not in the table but follows from it; small-sum: the hidden parts of a line add up to a small count;
small-shown: a small count in plain sight; undecided: neither shown wide nor broken within the limits."""


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
    least: int | None
    greatest: int | None
    exact: bool = True
    over: str = ""

    def __str__(self) -> str:
        """One line."""
        place = said_where(self.where)
        about = "" if self.exact else " or closer"
        if self.kind == "exact":
            return f"{place}: is {self.least}"
        if self.kind == "narrow":
            return f"{place}: {self.least} to {self.greatest}{about}"
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
    """What the attack on one table found; hidden, implied: how many counts had to be wide."""

    cells: int
    hidden: int
    implied: int
    findings: tuple[Finding, ...]


def attack(
    table: GivenTable,
    *,
    minimum: int,
    width: int,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Attack:
    """Everything that a reader works out of the table more closely than `width`.

    Raises InputError if the shown numbers contradict each other, and says where.
    """
    public, row_of, cells = table.public, _row_of(table), len(table.public.space)
    found = [
        Finding("small-shown", table.where(row_of[cell]), int(public.values[cell]), int(public.values[cell]))
        for cell in small_shown(public, minimum)
    ]
    rules = relations(public.space)
    small = np.unique(table.cells[table.small & public.hidden[table.cells]])
    if len(small):
        public, rules = bounded(public, rules, small, minimum - 1)
    try:
        verdicts = decide(public, width=width, minimum=minimum, seed=seed, known=rules, progress=progress)
    except InputError as problem:
        raise _contradiction(table, public, rules, problem) from None
    for row in np.flatnonzero(table.hidden & ~public.hidden[table.cells]):
        value = int(public.values[table.cells[row]])
        found.append(Finding("exact", table.where(int(row)), value, value))
    budget, worked_out = _EXACT, set()
    for i in np.argsort(verdicts.variables, kind="stable").tolist():
        variable, verdict = int(verdicts.variables[i]), verdicts.verdicts[i]
        if verdict == Verdict.WIDE:
            continue
        where = table.where(row_of[_home(rules, variable)])
        if verdict == Verdict.UNDECIDED:
            found.append(Finding("undecided", where, None, None, exact=False))
            continue
        least, greatest = int(verdicts.outer_low[i]), int(verdicts.outer_high[i])
        sure = (verdicts.low[i], verdicts.high[i]) == (least, greatest) or least == greatest
        if variable < cells and not sure and budget:
            budget -= 1
            try:
                ends = feasibility_interval(public, variable, known=rules)
                sure, least, greatest = True, ends[0], greatest if ends[1] is None else ends[1]
            except Undecided:
                sure = False
        kind = "implied" if variable >= cells else "exact" if least == greatest else "narrow"
        if kind == "exact":
            worked_out.add(variable)
        found.append(Finding(kind, where, least, greatest, sure))
    for line in verdicts.small_lines.tolist():
        inside = rules.matrix[line].indices
        # A sum of cells that are each known says nothing more.
        if not all(v in worked_out for v in inside[inside < cells].tolist() if public.hidden[v]):
            found.append(_small_sum(table, rules, line, row_of))
    found.sort(key=lambda finding: KINDS.index(finding.kind))
    implied = int((verdicts.variables >= cells).sum())
    return Attack(len(table.coords), int(table.hidden.sum()), implied, tuple(found))


def _row_of(table: GivenTable) -> IntArray:
    """(cells,) a row of each cell; one that hides it where there is one."""
    rows = np.zeros(len(table.public.space), dtype=np.int64)
    order = np.argsort(table.hidden, kind="stable")
    rows[table.cells[order]] = order
    return rows


def _home(rules: Relations, variable: int) -> int:
    """The cell itself, or the smallest line's cell that an implied count is inside, or stands beside."""
    cells = int(np.sum(rules.kinds == Kind.CELL))
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


def _small_sum(table: GivenTable, rules: Relations, line: int, row_of: IntArray) -> Finding:
    """A line whose parts that are not shown add up to a small count, with the sum where it is plain."""
    public, cells = table.public, len(table.public.space)
    parent = int(rules.parents[line])
    home = parent if parent < cells else _home(rules, parent)
    inside = rules.matrix[line].indices
    shown = inside[inside < cells]
    shown = shown[~public.hidden[shown]]
    left: int | None = None
    if parent in shown:
        left = int(2 * public.values[parent] - public.values[shown].sum())
    axis = int(rules.axes[line])
    over = rules.space.axes[axis].name if axis >= 0 else ""
    return Finding("small-sum", table.where(row_of[home]), left, left, left is not None, over)


def _contradiction(
    table: GivenTable, public: PublicCells, rules: Relations, problem: InputError
) -> InputError:
    """Where the shown numbers contradict each other: the first lines that cannot add up."""
    cells = len(public.space)
    lower = np.zeros(rules.variables)
    lower[:cells] = 1.0 if public.zeros_shown else 0.0
    upper = np.full(rules.variables, np.inf)
    lower[:cells][~public.hidden] = upper[:cells][~public.hidden] = public.values[~public.hidden]
    row_of = _row_of(table)
    lines = _impossible(rules, lower, upper)
    if not len(lines):
        low, high = propagate(rules.matrix, lower, upper)
        crossed = np.flatnonzero(low > high)
        lines = np.unique(rules.matrix[:, crossed].tocsr().nonzero()[0]) if len(crossed) else crossed
    said = [_line(table, rules, int(line), row_of) for line in lines[:_SHOWN]]
    more = f"\n  and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    zeros = "; if zeros may be hidden too, say --zeros-hidden" if public.zeros_shown else ""
    return InputError(
        "the shown numbers contradict each other"
        + (": " + "\n  ".join(["", *said]) + more if said else problem.what.partition(":")[1]),
        where=f"table {public.space.source!r}",
        fix="correct them; if a category is inside another one, or a part has no row, give the hierarchy"
        + zeros,
    )


def _impossible(rules: Relations, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> IntArray:
    """Lines that cannot be zero within the bounds."""
    matrix = rules.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    factor = matrix.data.astype(np.float64)
    one, two = factor * lower[matrix.indices], factor * upper[matrix.indices]
    least = np.bincount(row, np.minimum(one, two), minlength=matrix.shape[0])
    most = np.bincount(row, np.maximum(one, two), minlength=matrix.shape[0])
    return np.flatnonzero((least > 0) | (most < 0))


def _line(table: GivenTable, rules: Relations, line: int, row_of: IntArray) -> str:
    """A line in words: what it says it is, and what its shown parts add up to."""
    public, cells = table.public, len(table.public.space)
    parent = int(rules.parents[line])
    home = parent if 0 <= parent < cells else _home(rules, int(rules.matrix[line].indices[0]))
    if (rules.matrix[line].indices == cells).any() and len(rules.space) > cells:
        cell = int(rules.matrix[line].indices[0])
        return f"{said_where(table.where(row_of[cell]))}: cannot be small, as its sign says"
    axis = int(rules.axes[line])
    over = f" over {rules.space.axes[axis].name}" if axis >= 0 else ""
    inside = rules.matrix[line].indices
    parts = inside[(inside != parent) & (inside < cells)]
    shown = parts[~public.hidden[parts]]
    place = said_where(table.where(row_of[home]))
    if home != parent or public.hidden[parent]:
        return f"{place}{over}: does not fit what is shown beside it"
    hidden = len(inside) - 1 - len(shown)
    unknown = f" and {hidden} not shown" if hidden else ""
    return (
        f"{place}{over}: shows {public.values[parent]:,}; its parts: {public.values[shown].sum():,} in "
        f"{len(shown)} shown{unknown}"
    )
