"""Small linear programs around one cell: a move that changes it, by hidden cells and the cheapest others.

A flow of `reach` units through the cell is sought in a sub-grid of the tables: for each line through the cell
its most promising siblings, and everything published on the grid these span. Cells already hidden carry
it freely, others cost their price. Source: the network view of complementary suppression, Handbook on
Statistical Disclosure Control, ch. 4; Castro, "Network flows heuristics for complementary cell suppression".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from clerestory.attack.moves import Moves
from clerestory.attack.relations import Kind, Relations
from clerestory.attack.solver import quiet_solver
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
Ladder = tuple[tuple[int, bool], ...]

_FREELY = 1e-3
"""Price of moving a hidden cell by the full width: not 0, so that moves touch few cells."""
_ENDLESS = 200.0
"""The most that one cell may change, in reaches of the cell that the flow is for."""
_GAIN = 1e3
"""What a unit of the cell's own change is worth where as much as possible is asked for."""
_NODES = 500
"""Branch-and-bound nodes for a flow in whole numbers."""


@dataclass(frozen=True)
class Flow:
    """A move that fits, and its columns that are still shown."""

    columns: IntArray
    steps: IntArray
    bought: IntArray


class Neighbourhoods:
    """Local programs over the variables of a source. open: (variables,) bool, hidden or implied now;
    prices: (variables,) of hiding a shown cell, inf where it may not be hidden."""

    def __init__(self, relations: Relations, moves: Moves, open_: BoolArray, prices: FloatArray) -> None:
        self.moves, self.open, self.prices = moves, open_, prices
        self._rows = relations.matrix
        self._columns = relations.matrix.tocsc()
        self._parents = relations.parents
        self._boxes = [np.ascontiguousarray(column) for column in relations.boxes.T]
        self._sets = [int(column.max(initial=0)) + 1 for column in self._boxes]
        self._slack = (relations.kinds == Kind.SLACK) | (relations.kinds == Kind.OVERLAP)
        self._linear, self._integers = quiet_solver(), quiet_solver()
        self._linear.setOptionValue("presolve", "off")
        self._integers.setOptionValue("mip_max_nodes", _NODES)
        self._integers.setOptionValue("mip_rel_gap", 0.02)
        self._factor = relations.factor(np.arange(relations.variables)).astype(np.float64)

    def flow(
        self,
        cell: int,
        reach: int,
        *,
        breadth: int,
        climb: bool,
        buy: bool,
        whole: bool = False,
        most: bool = False,
    ) -> Flow | None:
        """The cheapest move that changes the cell by `reach` (either sign); None if none is near.

        breadth: siblings taken on each line, 0 for everything; climb: take parents and their siblings too;
        buy: cells that are still shown may be used; whole: insist on whole numbers by an integer program;
        most: as far towards `reach` as it goes, rather than all the way or not at all.
        """
        if reach == 0:
            return None
        usable = self.open | np.isfinite(self.prices) if buy else self.open
        columns = self._near(cell, breadth, climb, usable) if breadth else np.flatnonzero(usable)
        solution = self._solve(columns, cell, reach, whole, most)
        if solution is None:
            return None
        steps = np.rint(solution).astype(np.int64)
        if np.abs(steps - solution).max(initial=0) > 1e-6:
            if whole:
                return None
            used = columns[np.abs(solution) > 1e-6]
            solution = self._solve(used, cell, reach, True, most)
            if solution is None:
                return self.flow(cell, reach, breadth=breadth, climb=climb, buy=buy, whole=True, most=most)
            columns, steps = used, np.rint(solution).astype(np.int64)
        moved = steps != 0
        columns, steps = columns[moved], steps[moved]
        if not self.moves.fits(columns, steps):
            return None
        return Flow(columns, steps, columns[~self.open[columns]])

    def widen(self, cell: int, need: int, ladder: Ladder, *, buy: bool, take: Callable[[Flow], None]) -> bool:
        """Finds moves that take the cell apart by `need`, each given to `take`; False if none are in reach.

        ladder: (breadth, climb) to try in turn. take must add the move to `moves`.
        """
        moves = self.moves
        room = int(moves.table[cell] - moves.lower[cell])
        for breadth, climb in ladder:
            for way in ("both", "up", "down"):
                up, down = int(moves.up[cell]), -int(moves.down[cell])
                if way == "down" and need - up > room:
                    continue
                if way == "both":
                    # down as far as a small cell goes with what is hidden, then up by what is left
                    farthest = min(room, need)
                    if farthest <= down:
                        continue
                    flow = self.flow(cell, -farthest, breadth=breadth, climb=climb, buy=False)
                    if flow is None:
                        continue
                    take(flow)
                    down = -int(moves.down[cell])
                reach = -(need - up) if way == "down" else need - down
                flow = self.flow(cell, reach, breadth=breadth, climb=climb, buy=buy)
                if flow is not None:
                    take(flow)
                if moves.up[cell] - moves.down[cell] >= need:
                    return True
        if not buy:
            # half the width up and half down may be there where neither way goes far enough alone
            for reach in (need, -min(room, need)):
                flow = self.flow(cell, reach, breadth=breadth, climb=climb, buy=False, most=True)
                if flow is not None:
                    take(flow)
        return bool(moves.up[cell] - moves.down[cell] >= need)

    def _near(self, cell: int, breadth: int, climb: bool, usable: BoolArray) -> IntArray:
        chosen = [np.array([cell])]
        start = [cell]
        if climb:
            rows = self._lines(cell)
            above = self._parents[rows]
            start += [int(p) for p in np.unique(above[above >= 0]) if usable[p] and p != cell]
        for variable in start:
            for row in self._lines(variable):
                others = self._rows.indices[self._rows.indptr[row] : self._rows.indptr[row + 1]]
                others = others[usable[others] & (others != variable)]
                if len(others) > breadth:
                    cost = np.where(self.open[others], 0.0, self.prices[others])
                    room = np.minimum(self.moves.table[others] - self.moves.lower[others], 50)
                    others = others[np.argsort(cost - 0.01 * room, kind="stable")[:breadth]]
                chosen.append(others)
        seeds = np.unique(np.concatenate(chosen))
        inside = usable.copy()
        for box, sets in zip(self._boxes, self._sets, strict=True):
            mask = np.zeros(sets, dtype=bool)
            mask[box[seeds]] = True
            inside &= mask[box]
        inside[cell] = True
        return np.flatnonzero(inside)

    def _lines(self, variable: int) -> IntArray:
        return np.asarray(
            self._columns.indices[self._columns.indptr[variable] : self._columns.indptr[variable + 1]]
        )

    def _solve(self, columns: IntArray, cell: int, reach: int, whole: bool, most: bool) -> FloatArray | None:
        """(columns,) gain - loss of the cheapest move, None if there is none: it is zero in all rows."""
        starts, ends = self._columns.indptr[columns], self._columns.indptr[columns + 1]
        counts = ends - starts
        total = int(counts.sum())
        offsets = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        at = offsets + np.arange(total)
        _, rows = np.unique(self._columns.indices[at], return_inverse=True)
        factors = self._columns.data[at].astype(np.float64)
        n, m = len(columns), int(rows.max(initial=-1)) + 1
        size = float(abs(reach))
        units = size / self._factor[cell] * self._factor[columns]
        room = (self.moves.table[columns] - self.moves.lower[columns]).astype(np.float64)
        price = np.where(self.open[columns], _FREELY, self.prices[columns])
        price[self._slack[columns]] = _FREELY / 100
        gain_upper = units * _ENDLESS
        loss_upper = np.minimum(room, gain_upper)
        gain_lower, loss_lower = np.zeros(n), np.zeros(n)
        place = int(np.searchsorted(columns, cell))
        taken, other = (gain_upper, loss_upper) if reach > 0 else (loss_upper, gain_upper)
        if most:
            size = min(size, taken[place])
        elif taken[place] < size:
            return None
        else:
            (gain_lower if reach > 0 else loss_lower)[place] = size
        taken[place], other[place] = size, 0.0
        # a cell that cannot carry the whole flow counts in full for the part it can carry
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = 2 * n, m
        lp.col_cost_ = np.concatenate([price / units, price / np.clip(room, 1.0, units)])
        if most:
            costs = lp.col_cost_
            costs[place if reach > 0 else n + place] = -_GAIN
            lp.col_cost_ = costs
        lp.col_lower_ = np.concatenate([gain_lower, loss_lower])
        lp.col_upper_ = np.concatenate([gain_upper, loss_upper])
        lp.row_lower_ = lp.row_upper_ = np.zeros(m)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        indptr = np.concatenate([[0], np.cumsum(counts)])
        lp.a_matrix_.start_ = np.concatenate([indptr, total + indptr[1:]])
        lp.a_matrix_.index_ = np.concatenate([rows, rows])
        lp.a_matrix_.value_ = np.concatenate([factors, -factors])
        if whole:
            lp.integrality_ = [highspy.HighsVarType.kInteger] * (2 * n)
        solver = self._integers if whole else self._linear
        solver.passModel(lp)  # a new model: nothing of the last one is kept
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal and not (
            whole and solver.getInfo().primal_solution_status == 2
        ):
            return None
        values = np.array(solver.getSolution().col_value)
        return np.asarray(values[:n] - values[n:])
