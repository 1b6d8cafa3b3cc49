"""Two solvers that share no code: exhaustive search with propagation, and integer programming (HiGHS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from tests.attacker.knowledge import Line
from tests.attacker.published import Inconsistent


@dataclass(frozen=True)
class Interval:
    """Least and greatest feasible value; high is None where nothing limits it."""

    low: int
    high: int | None

    def narrower_than(self, width: int) -> bool:
        return self.high is not None and self.high - self.low < width


Bounds = dict[int, tuple[int, int | None]]


def propagate(lines: Sequence[Line], bounds: Bounds, *, rounds: int = 200) -> Bounds | None:
    """Bounds that hold in every solution within `bounds`; None if there is no solution."""
    bounds = dict(bounds)
    for _ in range(rounds):
        changed = False
        for line in lines:
            low: list[int | None] = []
            high: list[int | None] = []
            terms = list(line.terms.items())
            for i, c in terms:
                lo, hi = bounds[i]
                a, b = c * lo, None if hi is None else c * hi
                low.append(a if c > 0 else b)
                high.append(b if c > 0 else a)
            low_open, low_sum = low.count(None), sum(v for v in low if v is not None)
            high_open, high_sum = high.count(None), sum(v for v in high if v is not None)
            if line.most is not None and not low_open and low_sum > line.most:
                return None
            if line.least is not None and not high_open and high_sum < line.least:
                return None
            for k, (i, c) in enumerate(terms):
                lo, hi = bounds[i]
                own_low, own_high = low[k], high[k]
                if line.most is not None and low_open - (own_low is None) == 0:
                    room = line.most - (low_sum - (own_low or 0))
                    if c > 0:
                        hi = room // c if hi is None else min(hi, room // c)
                    else:
                        lo = max(lo, -(room // -c))
                if line.least is not None and high_open - (own_high is None) == 0:
                    need = line.least - (high_sum - (own_high or 0))
                    if c > 0:
                        lo = max(lo, -(-need // c))
                    else:
                        top = -need // -c
                        hi = top if hi is None else min(hi, top)
                if hi is not None and lo > hi:
                    return None
                if (lo, hi) != bounds[i]:
                    # the sums above stay valid, only less tight, so they may be used to the end of the line
                    bounds[i] = (lo, hi)
                    changed = True
        if not changed:
            return bounds
    return bounds


class _OutOfNodes(Exception):
    pass


class ExhaustiveSearch:
    """Feasibility by trying everything: halve the smallest open range, propagate, go on.

    Needs every unknown bounded. Gives up (None) after `nodes` nodes a question.
    """

    def __init__(self, lines: Sequence[Line], bounds: Bounds, *, nodes: int = 400) -> None:
        self._lines = lines
        self._bounds = bounds
        self._limit = nodes
        self._used = 0

    def _solution(self, bounds: Bounds) -> dict[int, int] | None:
        self._used += 1
        if self._used > self._limit:
            raise _OutOfNodes
        tight = propagate(self._lines, bounds)
        if tight is None:
            return None
        open_ = [(hi - lo, i) for i, (lo, hi) in tight.items() if hi is not None and hi > lo]
        if not open_:
            values = {i: lo for i, (lo, _) in tight.items()}
            return values if all(line.holds(values) for line in self._lines) else None
        _, i = min(open_)
        lo, hi = tight[i]
        assert hi is not None
        middle = (lo + hi) // 2
        for half in ((lo, middle), (middle + 1, hi)):
            found = self._solution(tight | {i: half})
            if found is not None:
                return found
        return None

    def interval(self, unknown: int) -> Interval | None:
        """The exact interval of an unknown; None if it took too long. Raises Inconsistent."""
        lo, hi = self._bounds[unknown]
        if any(top is None for _, top in self._bounds.values()) or hi is None:
            return None
        self._used = 0
        try:
            low = next(
                (v for v in range(lo, hi + 1) if self._solution(self._bounds | {unknown: (v, v)})), None
            )
            if low is None:
                raise Inconsistent("no table fits what is published")
            high = next(v for v in range(hi, lo - 1, -1) if self._solution(self._bounds | {unknown: (v, v)}))
        except _OutOfNodes:
            return None
        return Interval(low, high)


class IntegerProgram:
    """HiGHS over unknowns 0..n-1 with integer bounds and lines; every answer checked in integers."""

    def __init__(self, lines: Sequence[Line], bounds: Sequence[tuple[int, int | None]]) -> None:
        self._lines = lines
        self._bounds = bounds
        n = len(bounds)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = n, len(lines)
        model.col_cost_ = np.zeros(n)
        model.col_lower_ = np.array([lo for lo, _ in bounds], dtype=float)
        model.col_upper_ = np.array(
            [highspy.kHighsInf if hi is None else hi for _, hi in bounds], dtype=float
        )
        model.row_lower_ = np.array(
            [-highspy.kHighsInf if line.least is None else line.least for line in lines], dtype=float
        )
        model.row_upper_ = np.array(
            [highspy.kHighsInf if line.most is None else line.most for line in lines], dtype=float
        )
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.cumsum([0] + [len(line.terms) for line in lines]).astype(np.int32)
        model.a_matrix_.index_ = np.array([i for line in lines for i in line.terms], dtype=np.int32)
        model.a_matrix_.value_ = np.array([c for line in lines for c in line.terms.values()], dtype=float)
        self._lp = self._solver(model)
        model.integrality_ = [highspy.HighsVarType.kInteger] * n
        self._mip = self._solver(model)
        model.integrality_ = []
        model.col_lower_ = np.zeros(n)
        model.col_upper_ = np.array([float(hi is None) for _, hi in bounds])
        model.row_lower_ = np.array(
            [-highspy.kHighsInf if line.least is None else 0 for line in lines], dtype=float
        )
        model.row_upper_ = np.array(
            [highspy.kHighsInf if line.most is None else 0 for line in lines], dtype=float
        )
        self._rays = self._solver(model)
        self._n = n

    @staticmethod
    def _solver(model: highspy.HighsLp) -> highspy.Highs:
        solver = highspy.Highs()
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("presolve", "off"),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 0.5),
        ):
            solver.setOptionValue(option, value)
        solver.passModel(model)
        return solver

    def _run(
        self, solver: highspy.Highs, objective: Mapping[int, int], sense: int
    ) -> highspy.HighsModelStatus:
        costs = np.zeros(self._n)
        for i, c in objective.items():
            costs[i] = -sense * c
        solver.changeColsCost(self._n, np.arange(self._n, dtype=np.int32), costs)
        solver.run()
        status: highspy.HighsModelStatus = solver.getModelStatus()
        return status

    def unlimited(self, objective: Mapping[int, int]) -> bool:
        """Whether the objective has no upper limit, given that an integer solution exists.

        It has none if a direction that keeps every line, cut off at length 1, makes it grow: the direction
        can be chosen rational and scaled to integers.
        """
        if all(self._bounds[i][1] is not None for i in objective):
            return False
        status = self._run(self._rays, objective, 1)
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS ended with {status}")
        # too high a bar here makes branch and bound fail aloud; too low a one would hide a limit
        values = self._rays.getSolution().col_value
        growth = float(sum(c * values[i] for i, c in objective.items()))
        return growth > 0.5 / self._n

    def extreme(self, objective: Mapping[int, int], sense: int) -> list[int]:
        """An integer solution that is greatest (sense 1) or least (-1); the objective must be limited.

        A vertex of the relaxation that is integral, and fits, is one; else branch and bound looks for it.
        """
        status = self._run(self._lp, objective, sense)
        if status == highspy.HighsModelStatus.kOptimal:
            vertex = list(self._lp.getSolution().col_value)
            values = [round(v) for v in vertex]
            if all(abs(v - w) < 1e-7 for v, w in zip(values, vertex, strict=True)) and self._fits(values):
                return values
        status = self._run(self._mip, objective, sense)
        if status == highspy.HighsModelStatus.kUnknown:
            self._mip.clearSolver()
            status = self._run(self._mip, objective, sense)
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Inconsistent("no table fits what is published")
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS ended with {status}")
        values = [round(v) for v in self._mip.getSolution().col_value]
        if not self._fits(values):
            raise RuntimeError("HiGHS answered with a table that does not fit")
        return values

    def _fits(self, values: Sequence[int]) -> bool:
        inside = all(
            lo <= v and (hi is None or v <= hi) for v, (lo, hi) in zip(values, self._bounds, strict=True)
        )
        return inside and all(line.holds(values) for line in self._lines)
