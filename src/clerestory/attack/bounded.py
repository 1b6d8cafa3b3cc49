"""What a reader knows of true numbers that are published rounded or with bounded noise.

Every shown number tells an interval; the intervals go round the relations until nothing moves. That gives
outer bounds: they prove that a number is told too well, never that it is not. No solver is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import Kind, Relations, relations
from clerestory.attack.system import System, contradiction, propagate
from clerestory.errors import Refused
from clerestory.methods import CellKey, CellKeyMode, Protector, Rounding, RoundingKind
from clerestory.tables import CellSpace, PublicCells
from clerestory.tables.space import IntArray

_LISTED = 10


def largest_parts(space: CellSpace) -> IntArray:
    """(cells,) the most that one record or person gives to each cell: 1 for counts."""
    greatest = [unit.bounds[1] if unit.kind == "sum" else 1 for unit in space.unit_list]
    return np.array(greatest or [1], dtype=np.int64)[space.units]


def told_intervals(method: Protector, values: IntArray, parts: IntArray) -> tuple[IntArray, IntArray] | None:
    """(cells,) the least and the greatest true number behind each published one, closed.

    parts: (cells,) the most that one record gives. None for methods that promise no bounds.
    """
    if isinstance(method, Rounding):
        base = method.base * parts
        if method.kind is RoundingKind.CONVENTIONAL:
            down, up = base // 2, (base - 1) // 2
        else:
            down = up = base * method.reach - 1
    elif isinstance(method, CellKey) and method.mode is CellKeyMode.CONSISTENT:
        down = up = np.full(len(values), method.largest, dtype=np.int64)
    else:
        return None
    # Zeros stay zeros, so a number above zero stands for one above zero.
    return np.maximum(values - down, (values > 0).astype(np.int64)), values + up


@dataclass(frozen=True, eq=False)
class Narrowed:
    """Outer bounds of every true number. judged: (variables,) may be small, so it must be wide."""

    system: System
    width: int
    judged: NDArray[np.bool_]
    need: IntArray

    @property
    def broken(self) -> IntArray:
        """The judged variables that are told within less than the width."""
        narrow = self.system.upper - self.system.lower < self.need
        return np.flatnonzero(self.judged & narrow)

    @property
    def exactly(self) -> IntArray:
        """The judged variables that are told exactly."""
        return np.flatnonzero(self.judged & (self.system.upper == self.system.lower))


def narrowed(
    space: CellSpace,
    lower: IntArray,
    upper: IntArray,
    *,
    minimum: int,
    width: int,
    rules: Relations | None = None,
) -> Narrowed:
    """What intervals of the true numbers tell together with what adds up to what.

    lower, upper: (cells,) closed. Judged is every cell, implied box and overlap that may be 1 to minimum - 1
    (of a sum: times the most that one record gives); what can only be 0 is nobody.
    Raises InputError if no true numbers fit.
    """
    rules = rules or relations(space)
    cells = len(space)
    low, high = np.zeros(rules.variables), np.full(rules.variables, np.inf)
    low[:cells], high[:cells] = lower, upper
    low, high = propagate(rules.matrix, low, high)
    if np.any(low > high):
        raise contradiction(rules)
    factor = rules.factor(np.arange(rules.variables))
    counted = np.isin(rules.kinds, (Kind.CELL, Kind.BOX, Kind.OVERLAP))
    judged = counted & (high > 0) & (low <= (minimum - 1) * factor)
    system = System(rules, low, high, np.zeros(rules.variables, dtype=bool))
    return Narrowed(system, width, judged, width * factor)


def refuse_narrow(found: Narrowed, *, fix: str) -> None:
    """Raises Refused, naming cells, if a number that may be small is told too well."""
    broken = found.broken
    if not len(broken):
        return
    rules = found.system.relations
    listed = "\n  ".join(rules.describe(int(variable)) for variable in broken[:_LISTED])
    more = f"\n  and {len(broken) - _LISTED:,} more" if len(broken) > _LISTED else ""
    raise Refused(
        f"{len(broken):,} counts that may be small are told within less than {found.width} "
        f"({len(found.exactly):,} of them exactly):\n  {listed}{more}",
        where=f"source {rules.space.source!r}",
        fix=fix,
    )


def lines_of(rules: Relations) -> NDArray[np.bool_]:
    """(rows,) bool: rows in which parts add up to a total, in one unit."""
    return np.asarray(rules.parents >= 0)


def adds_up(public: PublicCells, rules: Relations) -> bool:
    """Whether parts add up to totals in what is published, with nothing below zero in between."""
    cells = len(public.space)
    low, high = np.zeros(rules.variables), np.full(rules.variables, np.inf)
    low[:cells] = high[:cells] = public.values
    matrix = rules.matrix[np.flatnonzero(lines_of(rules))].tocsr()
    low, high = propagate(matrix, low, high)
    if np.any(low > high):
        return False
    fixed = low == high
    settled = np.diff(matrix[:, np.flatnonzero(~fixed)].tocsr().indptr) == 0
    values = np.where(fixed, low, 0).astype(np.int64)
    return not np.any((matrix @ values)[settled])
