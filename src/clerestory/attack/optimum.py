"""Good whole-number points of a system: a linear optimum, and a small whole-number program for what is split.

Each call stands alone: presolve is on, one thread, nothing is kept, so the answer follows from the question.
"""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clerestory.attack.solver import quiet_solver
from clerestory.attack.vertices import Vertices
from clerestory.tables.space import IntArray

FloatArray = NDArray[np.float64]

_TOLERANCE = 1e-6
_NODES = 500
_ALL_NODES = 5_000
"""Branch-and-bound nodes for what is split, and for everything."""
_LARGE = 3_000
"""Columns from which a whole point is sought by diving: programs of split columns take minutes there."""
_DIVES = 6


class Infeasible(Exception):
    """Nothing fits, not even fractions."""


def whole_optimum(
    matrix: csr_matrix,
    rhs: IntArray,
    lower: FloatArray,
    upper: FloatArray,
    costs: FloatArray,
    *,
    thorough: bool = False,
) -> IntArray | None:
    """A whole-number point of matrix @ x = rhs within the bounds, of little cost; None if none was found.

    The linear optimum, if it is whole: then none costs less. Else what is split is solved as a whole-number
    program, with the totals that it is in, or with all that shares a row with it; the rest stays.
    thorough: at last everything is; in a large system a whole point near the optimum is looked for by diving
    instead, which takes far less. Raises Infeasible if nothing fits (or, if thorough, nothing whole).
    """
    start = _solved(matrix, rhs.astype(np.float64), lower, upper, costs, nodes=0)
    if start is None:
        return None
    near = np.rint(start)
    split = np.abs(start - near) > _TOLERANCE
    if thorough and split.any() and len(costs) > _LARGE:
        dived = _dived(matrix, rhs, lower, upper, costs)
        if dived is None:
            return None
        near = dived.astype(np.float64)
    elif split.any():
        for freed in (_totals_above(matrix, split), _beside(matrix, split)):
            found = _repaired(matrix, rhs, lower, upper, costs, near, freed)
            if found is not None:
                near = found
                break
        else:
            if not thorough:
                return None
            found = _solved(matrix, rhs.astype(np.float64), lower, upper, costs, nodes=_ALL_NODES)
            if found is None:
                return None
            near = np.rint(found)
    table = near.astype(np.int64)
    fits = np.all(matrix @ table == rhs) and np.all(table >= lower) and np.all(table <= upper)
    return table if fits else None


def _dived(
    matrix: csr_matrix, rhs: IntArray, lower: FloatArray, upper: FloatArray, costs: FloatArray
) -> IntArray | None:
    """A whole point near the linear optimum, from which fractional columns are fixed a few at a time."""
    sums = rhs.astype(np.float64)
    vertices = Vertices(matrix, sums, sums, lower.copy(), upper.copy())
    vertex = vertices.push(np.arange(len(costs)), -costs)
    if vertex is None:
        return None
    rng = np.random.default_rng(0)
    tries = (vertices.whole_near(vertex, rng) for _ in range(_DIVES))
    return next((found for found in tries if found is not None), None)


def _totals_above(matrix: csr_matrix, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The chosen columns, and whatever they are a part of: a total has factor 1, its parts -1."""
    totals, parts = (matrix > 0).astype(np.int32), (matrix < 0).astype(np.int32)
    freed = chosen.copy()
    while True:
        rows = parts @ freed.astype(np.int32) > 0
        more = freed | (totals.T @ rows.astype(np.int32) > 0)
        if np.array_equal(more, freed):
            return freed
        freed = more


def _beside(matrix: csr_matrix, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The chosen columns, and whatever shares a row with one."""
    used = (matrix != 0).astype(np.int32)
    rows = used @ chosen.astype(np.int32) > 0
    return np.asarray(chosen | (used.T @ rows.astype(np.int32) > 0))


def _repaired(
    matrix: csr_matrix,
    rhs: IntArray,
    lower: FloatArray,
    upper: FloatArray,
    costs: FloatArray,
    near: FloatArray,
    split: NDArray[np.bool_],
) -> FloatArray | None:
    columns = np.flatnonzero(split)
    rest = rhs - matrix @ np.where(split, 0, near)
    inner = matrix[:, columns].tocsr()
    rows = np.flatnonzero(np.diff(inner.indptr))
    if np.any(np.abs(np.delete(rest, rows)) > 0.5):
        return None
    try:
        found = _solved(
            inner[rows].tocsr(),
            rest[rows].astype(np.float64),
            lower[columns],
            upper[columns],
            costs[columns],
            nodes=_NODES,
        )
    except Infeasible:
        return None
    if found is None:
        return None
    whole = near.copy()
    whole[columns] = np.rint(found)
    return whole


def _solved(
    matrix: csr_matrix,
    rhs: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    costs: FloatArray,
    *,
    nodes: int,
) -> FloatArray | None:
    """The least cost; nodes: of branch and bound, 0 for a linear program."""
    rows, columns = matrix.shape
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, rows
    lp.col_cost_ = costs
    lp.col_lower_, lp.col_upper_ = lower, upper
    lp.row_lower_, lp.row_upper_ = rhs, rhs
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
    lp.a_matrix_.value_ = matrix.data.astype(np.float64)
    if nodes:
        lp.integrality_ = [highspy.HighsVarType.kInteger] * columns
    solver = quiet_solver()
    for option, value in (
        ("threads", 1),
        ("parallel", "off"),
        *((("mip_max_nodes", nodes), ("mip_rel_gap", 0.02)) if nodes else ()),
    ):
        solver.setOptionValue(option, value)
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        raise Infeasible
    found = status == highspy.HighsModelStatus.kOptimal or (
        nodes and solver.getInfo().primal_solution_status == 2
    )
    return np.array(solver.getSolution().col_value) if found else None
