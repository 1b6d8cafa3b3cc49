"""Feasibility intervals: the ends of each hidden cell over all tables that fit what a reader knows.

A linear program for each end that vertices found before do not settle; for counts an integer program where
the vertex is not whole. Source: the attacker's problem, Handbook on Statistical Disclosure Control, ch. 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.programs import Program, whole
from clerestory.attack.relations import Relations
from clerestory.attack.system import Component, System, components, contradiction, propagate
from clerestory.attack.tables import ceiling, program
from clerestory.confidential.standalone.signs import UNBOUNDED
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

FloatArray = NDArray[np.float64]

_NODES = 20_000
"""Branch-and-bound nodes for one end; beyond them the linear one's stands, which surely holds."""
_SURE = 1e-6
"""How far a solver's answer may be off, as a share of the largest number in the program."""
_ROUNDS = 40
"""Random objectives tried in a component before its cells are tried one by one."""
_LARGE = 1e6
"""Programs are scaled so that no number is much larger."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """(variables,) closed bounds that a reader knows at once; upper is inf where nothing limits a cell."""

    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, eq=False)
class Intervals:
    """(n,) ends of each cell asked for, in whole units; greatest is inf where nothing limits it.

    exact: (n,) whether the ends are attained; otherwise they surely hold.
    """

    least: FloatArray
    greatest: FloatArray
    exact: NDArray[np.bool_]


def bounds(
    rules: Relations, public: PublicCells, least: IntArray, greatest: IntArray, *, slack: int = 0
) -> Bounds:
    """What is known at once: shown cells, that nothing is below 0, hidden cells' least, and what signs say.

    least, greatest: (cells,) from signs. slack: how far a shown number may be off, where they are rounded.
    """
    cells = len(public.space)
    lower, upper = np.zeros(rules.variables), np.full(rules.variables, np.inf)
    lower[:cells] = rules.floor(public.may_be_zero, public.insiders)[:cells]
    lower[:cells] = np.maximum(lower[:cells], least)
    upper[:cells] = np.where(greatest == UNBOUNDED, np.inf, greatest)
    shown = ~public.hidden
    lower[:cells][shown] = np.maximum(public.values[shown] - slack, 0)
    upper[:cells][shown] = public.values[shown] + slack
    return Bounds(lower, upper)


def feasibility_intervals(
    rules: Relations,
    known: Bounds,
    cells: IntArray,
    *,
    integers: bool,
    progress: Callable[[str], None] | None = None,
) -> Intervals:
    """The interval of each of these cells. integers: over whole-number tables, else over all tables.

    Raises InputError if no table fits.
    """
    lower, upper = propagate(rules.matrix, known.lower, known.upper)
    if np.any(lower > upper):
        raise contradiction(rules)
    fixed = lower == upper
    rest = np.where(fixed, lower, 0).astype(np.int64)
    all_fixed = np.diff(rules.matrix[:, np.flatnonzero(~fixed)].tocsr().indptr) == 0
    if np.any((rules.matrix @ rest)[all_fixed] != 0):
        raise contradiction(rules)
    low, high, exact = lower.copy(), upper.copy(), fixed.copy()
    asked = np.zeros(rules.variables, dtype=bool)
    asked[cells] = True
    for part in components(System(rules, lower, upper, fixed)):
        forms = np.flatnonzero(asked[part.columns])
        ends = _Ends(part, integers=integers)
        if ends.empty:
            raise contradiction(rules)
        for form in forms.tolist():
            column = int(part.columns[form])
            low[column], sure_low = ends.end(form, greatest=False)
            high[column], sure_high = ends.end(form, greatest=True)
            exact[column] = sure_low and sure_high
        if progress is not None:
            progress(f"{len(forms)} intervals of {len(part.columns)} linked cells")
    return Intervals(low[cells], high[cells], exact[cells])


class _Ends:
    """The ends of the cells of one component; every vertex is kept as the best so far of all cells."""

    def __init__(self, part: Component, *, integers: bool) -> None:
        self.endless = np.isinf(part.upper)
        self.part, self.integers = ceiling(part, 0), integers
        largest = float(np.abs(self.part.rhs).max(initial=0))
        self.scale = 1.0 if integers else max(1.0, largest / _LARGE)
        self.tolerance = _SURE * max(1.0, self.scale)
        self.linear = Program(
            self.part.matrix, self.part.rhs / self.scale, self.part.lower / self.scale,
            self.part.upper / self.scale,
        )  # fmt: skip
        self.search: Program | None = None
        self.low = np.full(len(part.columns), np.inf)
        self.high = np.full(len(part.columns), -np.inf)
        answer = self.linear.solve()
        self.empty = answer.feasible is False
        if answer.values is not None:
            self._keep(answer.values * self.scale)
        self._many_at_once()

    def _many_at_once(self) -> None:
        """Vertices of random objectives: each takes many cells to an end that they surely have."""
        rng = np.random.default_rng(0)
        rounds = min(_ROUNDS, len(self.part.columns) // 10)
        for number in range(rounds):
            costs = rng.uniform(0.2, 1, len(self.part.columns))
            costs *= np.where(np.isinf(self.low) | (self.low > self.part.lower + self.tolerance), 1.0, 0.01)
            if number % 2:
                costs *= rng.choice([-1.0, 1.0], len(costs))
            self.linear.set_costs(costs)
            answer = self.linear.solve()
            if answer.values is not None:
                self._keep(answer.values * self.scale)

    def _keep(self, values: FloatArray) -> bool:
        """Whether the vertex may count as a table."""
        if self.integers:
            table = whole(values)
            if table is None or not self.part.holds(table):
                return False
            values = table.astype(np.float64)
        self.low, self.high = np.minimum(self.low, values), np.maximum(self.high, values)
        return True

    def end(self, form: int, *, greatest: bool) -> tuple[float, bool]:
        """One end, and whether it is attained."""
        best = float(self.high[form] if greatest else self.low[form])
        limit = float(self.part.upper[form] if greatest else self.part.lower[form])
        if abs(best - limit) <= self.tolerance:
            return self._said(best, form, greatest), True
        costs = np.zeros(len(self.part.columns))
        costs[form] = 1.0
        self.linear.set_costs(costs)
        answer = self.linear.solve(greatest=greatest)
        if answer.values is None:
            return (np.inf if greatest and self.endless[form] else limit), False
        bound = answer.bound * self.scale
        if self._keep(answer.values * self.scale):
            return self._said(float(answer.values[form]) * self.scale, form, greatest), True
        bound = np.floor(bound + self.tolerance) if greatest else np.ceil(bound - self.tolerance)
        if bound in (self.low[form], self.high[form]):
            return self._said(bound, form, greatest), True
        return self._whole_end(form, bound, costs, greatest)

    def _whole_end(self, form: int, bound: float, costs: FloatArray, greatest: bool) -> tuple[float, bool]:
        if self.search is None:
            self.search = program(self.part, integer=True, nodes=_NODES)
        self.search.set_costs(costs)
        answer = self.search.solve(greatest=greatest)
        if answer.values is None or not self._keep(np.rint(answer.values)):
            return self._said(bound, form, greatest), False
        found = float(np.rint(answer.values[form]))
        end = min(bound, answer.bound) if greatest else max(bound, answer.bound)
        sure = abs(end - found) < 0.5
        return self._said(found if sure else bound, form, greatest), sure

    def _said(self, value: float, form: int, greatest: bool) -> float:
        """In whole units, inside; an end that only an artificial ceiling holds is no end."""
        if greatest:
            if self.endless[form] and value >= self.part.upper[form] / 4:
                return float(np.inf)
            return float(np.floor(value + self.tolerance))
        return float(np.ceil(value - self.tolerance))
