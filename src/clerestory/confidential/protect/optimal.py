"""The cheapest pattern of hidden cells: a 0-1 program that grows by the rows which its patterns break.

Limits count rounds and branch-and-bound nodes, never time, so that the outcome follows from the inputs.
Source: Fischetti and Salazar-Gonzalez (2001), see rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from clerestory.attack.solver import quiet_solver
from clerestory.confidential.protect.line_rows import line_rows, small_rest_rows
from clerestory.confidential.protect.rows import Reader, Row
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_IDLE = 4
"""Rounds of the linear programs that raise the bound too little, after which patterns are made whole."""
_RAISED = 1e-3
_SLACK = 0.5
"""How far from its bound, in its largest coefficient, a row of the linear programs may be to be kept."""
_EPS = 1e-6
_NODES = 500
"""Branch-and-bound nodes for one pattern."""
_GAP = 0.004
"""Of the cost, how far from the optimum a pattern may be."""


@dataclass(frozen=True, eq=False)
class Found:
    """A cheaper pattern, (boxes,) hidden; None if there is none. protects: no row that it breaks is left."""

    hidden: BoolArray | None
    protects: bool
    rounds: int


class Search:
    """Looks for patterns that cost less, over all boxes or a few; what it learns of the table it keeps.

    costs: (boxes,) of hiding each; primary: (boxes,) always hidden; never: (boxes,) always shown.
    limit: (variables,) from which a count is not small.
    """

    def __init__(
        self,
        reader: Reader,
        costs: FloatArray,
        primary: BoolArray,
        never: BoolArray,
        limit: IntArray,
        seed: int,
    ) -> None:
        self.reader, self.costs, self.primary, self.limit = reader, costs, primary, limit
        self._low, self._high = primary.astype(float), np.where(never, 0.0, 1.0)
        self._count = len(costs)
        self._all = np.arange(self._count, dtype=np.int32)
        self._rows: list[Row] = []
        self._known: dict[tuple[tuple[int, float], ...], Row] = {}
        self.settled = False
        """Whether the last search came to its end."""
        self._seed = seed % 2**31
        self._new(line_rows(reader, primary))

    def cheaper(
        self,
        incumbent: BoolArray,
        free: BoolArray,
        near: BoolArray | None = None,
        *,
        linear: int,
        whole: int,
    ) -> Found:
        """A cheaper pattern than the incumbent that differs from it in free boxes only.

        near: (variables,) see Reader.broken. linear, whole: how many rounds of linear and of 0-1 programs.
        """
        found = self._cheaper(incumbent, free, near, linear, whole)
        self.settled = found.protects
        return found

    def _cheaper(
        self, incumbent: BoolArray, free: BoolArray, near: BoolArray | None, linear: int, whole: int
    ) -> Found:
        start = incumbent.astype(float)
        low, high = np.where(free, self._low, start), np.where(free, self._high, start)
        known = float(self.costs[incumbent].sum())
        solver = self._solver(low, high, self._rows)
        idle, before = 0, -np.inf
        number = 0
        for number in range(linear):
            solver.run()
            if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return Found(None, True, number)
            pattern = np.clip(np.array(solver.getSolution().col_value), 0, 1)
            value = solver.getInfo().objective_function_value
            if value >= known * (1 - _GAP):
                return Found(None, True, number)
            rows = self._new(self.reader.broken(pattern, near, fractional=True))
            self._append(solver, rows)
            idle = idle + 1 if value < before + _RAISED * known else 0
            before = value
            if not rows or idle > _IDLE:
                break
        solver = self._solver(low, high, self._tight(pattern) if linear else self._rows)
        kinds = [highspy.HighsVarType.kInteger] * self._count
        solver.changeColsIntegrality(self._count, self._all, np.array(kinds))
        best: BoolArray | None = None
        for more in range(whole):
            solver.setOptionValue("objective_target", known * (1 - _GAP))
            solver.setSolution(self._solution(start))
            solver.run()
            values = np.array(solver.getSolution().col_value)
            if not len(values):
                break
            hidden = values > 0.5
            if float(self.costs[hidden].sum()) > known * (1 - _GAP) + 1e-9:
                # settled only where the program was solved to its end, and not stopped for another reason
                ended = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
                return Found(best, ended, number + more)
            shares = hidden.astype(float)
            rows = [row for row in self._rows if row.missing(shares) > _EPS]
            if not rows:
                rows = self.reader.broken(shares, near, fractional=False)
                rows += small_rest_rows(self.reader, hidden, self.primary, self.limit)
                rows = self._new([row for row in rows if row.missing(shares) > _EPS])
            if not rows:
                best, start, known = hidden, shares, float(self.costs[hidden].sum())
            self._append(solver, rows)
        return Found(best, False, number + whole)

    def _tight(self, pattern: FloatArray) -> list[Row]:
        return [row for row in self._rows if row.missing(pattern) > -_SLACK * row.size]

    def _new(self, rows: list[Row]) -> list[Row]:
        """Those not known yet, each once."""
        kept: dict[tuple[tuple[int, float], ...], Row] = {}
        for row in rows:
            key = (*sorted((b, round(c, 6)) for b, c in row.terms.items()), (-1, row.least))
            if key not in self._known:
                kept[key] = row
        self._known.update(kept)
        self._rows += kept.values()
        return list(kept.values())

    def _append(self, solver: highspy.Highs, rows: list[Row]) -> None:
        for row in rows:
            index = np.array(list(row.terms), dtype=np.int32)
            value = np.array(list(row.terms.values()))
            solver.addRow(row.least, highspy.kHighsInf, len(index), index, value)

    def _solver(self, low: FloatArray, high: FloatArray, rows: list[Row]) -> highspy.Highs:
        solver = quiet_solver()
        for option, value in (
            ("parallel", "off"),
            ("random_seed", self._seed),
            ("mip_max_nodes", _NODES),
            ("mip_rel_gap", _GAP),
        ):
            solver.setOptionValue(option, value)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self._count, len(rows)
        model.col_cost_ = self.costs
        model.col_lower_, model.col_upper_ = low, high
        model.row_lower_ = np.array([row.least for row in rows])
        model.row_upper_ = np.full(len(rows), highspy.kHighsInf)
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        sizes = [len(row.terms) for row in rows]
        model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        model.a_matrix_.index_ = np.array([b for row in rows for b in row.terms], dtype=np.int32)
        model.a_matrix_.value_ = np.array([c for row in rows for c in row.terms.values()], dtype=float)
        solver.passModel(model)
        return solver

    def _solution(self, hidden: FloatArray) -> highspy.HighsSolution:
        solution = highspy.HighsSolution()
        solution.col_value = hidden.tolist()
        solution.value_valid = True
        return solution
