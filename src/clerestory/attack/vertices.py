"""One linear program with many objectives: vertices, and whole tables near them.

A vertex of a component is often fractional. Fixing a few fractional variables at a time to the nearest whole
number, with the dual simplex method from where it stands, mostly ends in a whole table within some short
steps; an integer program over the same cells takes far longer. Source of pushing many bounds by one
objective: Gleixner, Berthold, Mueller and Weltge, "Three enhancements for optimization-based bound
tightening", Journal of Global Optimization 67 (2017), section 3 (filtering).
"""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from clerestory.attack.programs import whole
from clerestory.attack.solver import quiet_solver
from clerestory.attack.system import FloatArray
from clerestory.tables.space import IntArray

_WHOLE = 1e-6
_STEPS = 30
"""Times that fractional variables are fixed before a whole table is given up."""
_SHARE = 0.03
"""Share of the fractional variables fixed at a time; the rest mostly follow."""
_ITERATIONS, _SHORT = 1_000_000, 2_000
"""Simplex iterations for a vertex, and for a step on the way to a whole table."""
_SCALES = 12
"""Multiples of a direction that are tried to make it whole."""
_DUAL, _PRIMAL = 1, 4
_OPTIMAL = highspy.HighsModelStatus.kOptimal


class Vertices:
    """row_lower <= matrix @ x <= row_upper, lower <= x <= upper; the basis is kept between objectives."""

    def __init__(
        self,
        matrix: csr_matrix,
        row_lower: FloatArray,
        row_upper: FloatArray,
        lower: FloatArray,
        upper: FloatArray,
    ) -> None:
        rows, columns = matrix.shape
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = columns, rows
        model.col_cost_ = np.zeros(columns)
        model.col_lower_, model.col_upper_ = lower, upper
        model.row_lower_, model.row_upper_ = row_lower, row_upper
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
        model.a_matrix_.value_ = matrix.data.astype(np.float64)
        self._solver = quiet_solver()
        self._solver.setOptionValue("presolve", "off")
        self._solver.passModel(model)
        self._columns = np.arange(columns, dtype=np.int32)
        self._lower, self._upper = lower, upper
        self._warm = False
        self._pushed = np.zeros(0, dtype=np.int32)

    def push(self, columns: IntArray, weights: FloatArray) -> FloatArray | None:
        """The vertex where the weighted sum of these columns is greatest; None if there is none."""
        if len(self._pushed):
            self._solver.changeColsCost(len(self._pushed), self._pushed, np.zeros(len(self._pushed)))
        self._pushed = columns.astype(np.int32)
        self._solver.changeColsCost(len(columns), self._pushed, -weights)
        return self._run(_PRIMAL if self._warm else _DUAL)

    def bounds(self, lower: FloatArray, upper: FloatArray) -> None:
        """Bounds of the columns from now on."""
        self._lower, self._upper = lower, upper
        self._solver.changeColsBounds(len(self._columns), self._columns, lower, upper)
        self._warm = False

    def whole_near(self, vertex: FloatArray, rng: np.random.Generator) -> IntArray | None:
        """A whole table near the last vertex, with the last objective still pushed; None if none was found.

        Afterwards bounds and basis are as before.
        """
        found = whole(vertex)
        if found is not None:
            return found
        basis = self._solver.getBasis()
        lower, upper = self._lower.copy(), self._upper.copy()
        try:
            return self._dive(vertex, lower, upper, rng)
        finally:
            self._solver.changeColsBounds(len(self._columns), self._columns, self._lower, self._upper)
            self._solver.setBasis(basis)
            self._warm = True

    def _dive(
        self, vertex: FloatArray, lower: FloatArray, upper: FloatArray, rng: np.random.Generator
    ) -> IntArray | None:
        point = vertex
        for _ in range(_STEPS):
            broken = np.flatnonzero(np.abs(point - np.rint(point)) > _WHOLE)
            if not len(broken):
                return np.rint(point).astype(np.int64)
            chosen = rng.choice(broken, max(1, int(_SHARE * len(broken))), replace=False)
            over = point[chosen] - np.floor(point[chosen])
            up = np.where(np.abs(over - 0.5) < _WHOLE, rng.random(len(chosen)) < 0.5, over > 0.5)
            value = np.where(up, np.ceil(point[chosen]), np.floor(point[chosen]))
            before = lower[chosen], upper[chosen]
            moved = self._bounded(lower, upper, chosen, value, value)
            if moved is None:
                # these do not go together: the first one alone, to its other side
                self._bounded(lower, upper, chosen, *before, run=False)
                least = np.where(up[:1], before[0][:1], value[:1] + 1)
                most = np.where(up[:1], value[:1] - 1, before[1][:1])
                moved = self._bounded(lower, upper, chosen[:1], least, most)
                if moved is None:
                    return None
            point = moved
        return None

    def _bounded(
        self,
        lower: FloatArray,
        upper: FloatArray,
        columns: IntArray,
        least: FloatArray,
        most: FloatArray,
        *,
        run: bool = True,
    ) -> FloatArray | None:
        lower[columns], upper[columns] = least, most
        self._solver.changeColsBounds(len(columns), columns.astype(np.int32), least, most)
        return self._run(_DUAL, _SHORT) if run else None

    def _run(self, strategy: int, most: int = _ITERATIONS) -> FloatArray | None:
        self._solver.setOptionValue("simplex_strategy", strategy)
        self._solver.setOptionValue("simplex_iteration_limit", most)
        self._solver.run()
        self._warm = self._solver.getModelStatus() == _OPTIMAL
        return np.array(self._solver.getSolution().col_value) if self._warm else None


def open_upwards(matrix: csr_matrix, endless: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """(columns,) whether a column grows without limit in some table that fits; None if not proven whole.

    endless: (columns,) no upper bound of its own. A direction that keeps every row can be added any number
    of times; one linear program finds one in which as many columns grow as can.
    """
    free = np.flatnonzero(endless)
    if not len(free):
        return endless
    rows = np.flatnonzero(np.diff(matrix[:, free].tocsr().indptr))
    inner = matrix[rows][:, free].tocsr()
    none = np.zeros(len(rows))
    size = len(free)
    # Each direction is a part of at most 1, which counts, and the rest, which does not.
    twice = hstack([inner, inner], format="csr")
    twice.sort_indices()
    upper = np.repeat([1.0, np.inf], size)
    program = Vertices(twice, none, none, np.zeros(2 * size), upper)
    found = program.push(np.arange(size), np.ones(size))
    if found is None:
        return None
    ray = found[:size] + found[size:]
    for scale in range(1, _SCALES + 1):
        steps = np.rint(scale * ray).astype(np.int64)
        if np.array_equal(steps > 0, found[:size] > 0.5) and not np.any(inner @ steps):
            grows = np.zeros(len(endless), dtype=bool)
            grows[free] = steps > 0
            return grows
    return None
