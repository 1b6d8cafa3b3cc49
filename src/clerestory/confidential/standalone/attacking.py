"""Attacks given tables as their reader would: what he works out, exactly or within how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clerestory.attack.decide import Verdict, decide
from clerestory.attack.relations import Relations, relations
from clerestory.attack.shown import small_shown
from clerestory.confidential.standalone.cellvalues import BoolArray
from clerestory.confidential.standalone.contradictions import contradicted
from clerestory.confidential.standalone.findings import (
    WIDE,
    Attack,
    Finding,
    by_severity,
    home,
    row_of,
    spanned,
)
from clerestory.confidential.standalone.given import GivenTable
from clerestory.confidential.standalone.intervals import (
    Bounds,
    FloatArray,
    Intervals,
    bounds,
    feasibility_intervals,
)
from clerestory.confidential.standalone.signs import bounded
from clerestory.errors import InputError
from clerestory.tables.space import IntArray

Progress = Callable[[str], None]

_EXACT = 500
"""Cells found narrow whose exact ends are sought unasked; for more, bounds that hold are given."""


@dataclass(frozen=True)
class Criterion:
    """What is too narrow. Of a count: feasible values less than `width` apart; counts of 1 to minimum - 1 are
    small. Of a sum: its middle estimate is off by less than `within` percent, whatever the truth.
    """

    minimum: int
    width: int
    within: float

    def narrow(self, table: GivenTable, least: FloatArray, greatest: FloatArray) -> BoolArray:
        """Where the interval is too narrow."""
        if table.sums:
            # half the interval against its middle
            return np.asarray(greatest - least < self.within / 100 * (greatest + least))
        return np.asarray(greatest - least < self.width)


def attack(
    table: GivenTable,
    criterion: Criterion,
    *,
    level: int = 2,
    intervals: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Attack:
    """Everything that a reader works out more closely than the criterion allows.

    level: 2, or 1 for the reader who only adds and subtracts: then, and for sums, the criterion is applied to
    the interval of each hidden cell. intervals: give that of every hidden cell. Raises InputError if the
    shown numbers contradict each other.
    """
    rules = relations(table.public.space)
    known = bounds(rules, table.public, table.least, table.greatest, slack=table.slack)
    hidden = np.flatnonzero(table.public.hidden)
    ends: Intervals | None = None
    try:
        if intervals or table.sums or level == 1:
            whole = level == 2 and not table.sums
            ends = feasibility_intervals(rules, known, hidden, integers=whole, progress=progress)
        if table.sums or level == 1:
            found, implied = _by_intervals(table, hidden, ends, criterion), 0
        else:
            found, implied = _by_decision(table, rules, known, hidden, ends, criterion, seed, progress)
    except InputError as problem:
        raise contradicted(table, rules, known.lower, known.upper, problem) from None
    rows = row_of(table)
    # A row may hide what another one shows: a region and its only county, two tables.
    for row in np.flatnonzero(table.hidden & ~table.public.hidden[table.cells]).tolist():
        value = float(table.public.values[table.cells[row]])
        found.append(spanned(table, "exact", row, value, value, True))
    listed = _listed(table, hidden, ends, criterion, rows) if intervals and ends is not None else ()
    return Attack(len(table.coords), int(table.hidden.sum()), implied, by_severity(found), listed)


def _by_intervals(
    table: GivenTable, hidden: IntArray, ends: Intervals | None, criterion: Criterion
) -> list[Finding]:
    """The hidden cells whose interval is too narrow, and small counts in plain sight."""
    listed = _listed(table, hidden, ends, criterion, row_of(table))
    undecided = [
        Finding("undecided", one.where, None, None, exact=False)
        for one in listed
        if one.kind == WIDE and not one.exact
    ]
    return _plain(table, criterion) + [one for one in listed if one.kind != WIDE] + undecided


def _listed(
    table: GivenTable, hidden: IntArray, ends: Intervals | None, criterion: Criterion, rows: IntArray
) -> tuple[Finding, ...]:
    """The interval of every hidden cell, in the order of the rows."""
    if ends is None:
        return ()
    narrow = criterion.narrow(table, ends.least, ends.greatest)
    kinds = np.where(ends.least == ends.greatest, "exact", np.where(narrow, "narrow", WIDE))
    return tuple(
        spanned(
            table, str(kinds[i]), int(rows[hidden[i]]), ends.least[i], ends.greatest[i], bool(ends.exact[i])
        )
        for i in np.argsort(rows[hidden], kind="stable").tolist()
    )


def _plain(table: GivenTable, criterion: Criterion) -> list[Finding]:
    rows, values = row_of(table), table.public.values
    return [
        spanned(table, "small-shown", int(rows[cell]), float(values[cell]), float(values[cell]), True)
        for cell in small_shown(table.public, criterion.minimum)
    ]


def _by_decision(
    table: GivenTable,
    rules: Relations,
    known: Bounds,
    hidden: IntArray,
    ends: Intervals | None,
    criterion: Criterion,
    seed: int,
    progress: Progress | None,
) -> tuple[list[Finding], int]:
    """Each hidden and each implied count, decided; and how many of the latter there are."""
    cells, rows, found = len(table.public.space), row_of(table), _plain(table, criterion)
    public, told = bounded(table.public, rules, table.least, table.greatest)
    verdicts = decide(
        public,
        width=criterion.width,
        minimum=criterion.minimum,
        seed=seed,
        known=told,
        progress=progress,
    )
    open_ = [i for i in range(len(verdicts.variables)) if verdicts.verdicts[i] != Verdict.WIDE]
    if ends is None:
        narrow = verdicts.variables[open_]
        narrow = narrow[narrow < cells][:_EXACT]
        closer = feasibility_intervals(rules, known, narrow, integers=True) if len(narrow) else None
    else:
        narrow, closer = hidden, ends
    place = {int(cell): i for i, cell in enumerate(narrow)}
    worked_out = set()
    for i in open_:
        variable = int(verdicts.variables[i])
        row = int(rows[home(table, told, variable)])
        if verdicts.verdicts[i] == Verdict.UNDECIDED:
            found.append(Finding("undecided", table.where(row), None, None, exact=False))
            continue
        least, greatest = float(verdicts.outer_low[i]), float(verdicts.outer_high[i])
        sure = (verdicts.low[i], verdicts.high[i]) == (least, greatest) or least == greatest
        if variable in place and closer is not None:
            at = place[variable]
            least, greatest, sure = closer.least[at], closer.greatest[at], bool(closer.exact[at])
        kind = "implied" if variable >= cells else "exact" if least == greatest else "narrow"
        if kind == "exact":
            worked_out.add(variable)
        found.append(spanned(table, kind, row, least, greatest, sure))
    for line in verdicts.small_lines.tolist():
        inside = told.matrix[line].indices
        # A sum of cells that are each known says nothing more.
        if not all(v in worked_out for v in inside[inside < cells].tolist() if table.public.hidden[v]):
            found.append(_small_sum(table, told, line, rows))
    return found, int((verdicts.variables >= cells).sum())


def _small_sum(table: GivenTable, rules: Relations, line: int, rows: IntArray) -> Finding:
    """A line whose parts that are not shown add up to a small count, with the sum where it is plain."""
    public, cells = table.public, len(table.public.space)
    parent = int(rules.parents[line])
    inside = rules.matrix[line].indices
    shown = inside[inside < cells]
    shown = shown[~public.hidden[shown]]
    left: int | None = None
    if parent in shown:
        left = int(2 * public.values[parent] - public.values[shown].sum())
    axis = int(rules.axes[line])
    over = rules.space.axes[axis].name if axis >= 0 else ""
    at = parent if parent < cells else home(table, rules, parent)
    return Finding("small-sum", table.where(int(rows[at])), left, left, left is not None, over)
