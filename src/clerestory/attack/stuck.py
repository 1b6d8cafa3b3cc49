"""Which variables cannot leave their least value: many decided by a few linear programs, not two for each.

A program asks for the largest sum of the rises of all doubtful variables, each counted up to 1; those that
rise in its optimum can, and are left out. The rest are asked again, now without that limit: in whole numbers
a single rise makes the sum 1, so where it cannot reach a half, none of them can rise. An interior point is
found, and kept as it is: inside the optimal face, whatever can rise there does.
"""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clerestory.attack.solver import quiet_solver
from clerestory.tables.space import IntArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_RISEN = 1e-3
_NONE = 0.5
_ROUNDS = 6


def stuck(matrix: csr_matrix, room: FloatArray, doubtful: IntArray) -> BoolArray:
    """(doubtful,) whether each is 0 in every change of a table that keeps all rows and all bounds.

    matrix: (rows, columns), matrix @ change = 0. room: (columns,) how far each column of the table can fall;
    0 for the doubtful ones, which are positions of columns. False wherever that was not proven.
    """
    found = np.zeros(len(doubtful), dtype=bool)
    if not len(doubtful):
        return found
    columns = matrix.shape[1]
    solver = quiet_solver()
    for option, value in (("parallel", "off"), ("solver", "ipm"), ("run_crossover", "off")):
        solver.setOptionValue(option, value)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, matrix.shape[0]
    upper = np.full(columns, highspy.kHighsInf)
    upper[doubtful] = 1.0
    costs = np.zeros(columns)
    costs[doubtful] = -1.0
    model.col_cost_, model.col_lower_, model.col_upper_ = costs, -room, upper
    model.row_lower_ = model.row_upper_ = np.zeros(matrix.shape[0])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data.astype(np.float64)
    solver.passModel(model)
    left = np.arange(len(doubtful))
    for number in range(_ROUNDS):
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return found
        if number and -solver.getInfo().objective_function_value < _NONE:
            found[left] = True
            return found
        change = np.array(solver.getSolution().col_value)[doubtful[left]]
        risen = doubtful[left[change > _RISEN]].astype(np.int32)
        solver.changeColsCost(len(risen), risen, np.zeros(len(risen)))
        if not number:
            places, endless = doubtful.astype(np.int32), np.full(len(doubtful), highspy.kHighsInf)
            solver.changeColsBounds(len(places), places, np.zeros(len(places)), endless)
        left = left[change <= _RISEN]
        if not len(left) or (number and not len(risen)):
            return found
    return found
