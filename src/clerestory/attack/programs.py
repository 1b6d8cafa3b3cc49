"""Linear and integer programs over a system of rows, solved by HiGHS on one thread."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clerestory.attack.solver import quiet_solver
from clerestory.tables.space import IntArray

FloatArray = NDArray[np.float64]

_TOLERANCE = 1e-6
_OPTIMAL = highspy.HighsModelStatus.kOptimal
_INFEASIBLE = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)


@dataclass(frozen=True)
class Answer:
    """What a program found. feasible: False is a proof that nothing fits, None that the limit came first.

    values: (columns,) or None; bound: no feasible point does better (in the sense asked for). pressed:
    (columns,) bool, where a bound of a column holds the objective back (a linear program's reduced costs).
    """

    feasible: bool | None
    values: FloatArray | None = None
    bound: float = np.inf
    pressed: NDArray[np.bool_] | None = None


class Program:
    """matrix @ x = rhs with lower <= x <= upper; keeps its basis from one objective to the next."""

    def __init__(
        self,
        matrix: csr_matrix,
        rhs: FloatArray,
        lower: FloatArray,
        upper: FloatArray,
        *,
        integer: bool = False,
        nodes: int = 0,
    ) -> None:
        self._integer = integer
        rows, columns = matrix.shape
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, rows
        lp.col_cost_ = np.zeros(columns)
        lp.col_lower_, lp.col_upper_ = lower, upper
        lp.row_lower_, lp.row_upper_ = rhs, rhs
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = matrix.indptr
        lp.a_matrix_.index_ = matrix.indices
        lp.a_matrix_.value_ = matrix.data.astype(np.float64)
        if integer:
            lp.integrality_ = [highspy.HighsVarType.kInteger] * columns
        self._solver = quiet_solver()
        self._solver.setOptionValue("parallel", "off")
        if integer:
            self._solver.setOptionValue("mip_rel_gap", 0.0)
            if nodes:
                self._solver.setOptionValue("mip_max_nodes", nodes)
        else:
            self._solver.setOptionValue("presolve", "off")
        self._solver.passModel(lp)
        self._columns = np.arange(columns, dtype=np.int32)
        self._warm = False

    def set_costs(self, costs: FloatArray) -> None:
        """The objective, from now on minimised or maximised as solve() is asked."""
        self._solver.changeColsCost(len(self._columns), self._columns, costs)

    def multipliers(self) -> FloatArray:
        """(rows,) what each row counts for in the last linear optimum."""
        return np.array(self._solver.getSolution().row_dual)

    def set_bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """New bounds for every column."""
        self._solver.changeColsBounds(len(self._columns), self._columns, lower, upper)

    def solve(self, *, greatest: bool = False, target: float | None = None) -> Answer:
        """The best point; an integer program stops early once the objective reaches `target`."""
        sense = highspy.ObjSense.kMaximize if greatest else highspy.ObjSense.kMinimize
        self._solver.changeObjectiveSense(sense)
        if self._integer and target is not None:
            self._solver.setOptionValue("objective_target", target)
        if not self._integer:
            # A changed objective leaves the last vertex feasible: the primal simplex method goes on from it.
            self._solver.setOptionValue("simplex_strategy", 4 if self._warm else 1)
        self._solver.run()
        status = self._solver.getModelStatus()
        self._warm = status == _OPTIMAL
        if status in _INFEASIBLE:
            return Answer(False)
        info = self._solver.getInfo()
        worst = np.inf if greatest else -np.inf
        if status == _OPTIMAL:
            bound = info.mip_dual_bound if self._integer else info.objective_function_value
            solution = self._solver.getSolution()
            pressed = None if self._integer else np.abs(np.array(solution.col_dual)) > _TOLERANCE
            return Answer(True, np.array(solution.col_value), bound, pressed)
        if self._integer:
            found = info.primal_solution_status == 2  # a feasible point
            values = np.array(self._solver.getSolution().col_value) if found else None
            bound = info.mip_dual_bound
            return Answer(True if found else None, values, bound if np.isfinite(bound) else worst)
        return Answer(None, None, worst)


def whole(values: FloatArray) -> IntArray | None:
    """The point in integers, None where it is not integral."""
    rounded = np.rint(values)
    if np.any(np.abs(values - rounded) > _TOLERANCE):
        return None
    return rounded.astype(np.int64)
