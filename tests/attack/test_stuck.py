"""Zeros that cannot rise, many at once: by hand, and against one program each by another solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from clerestory.attack.stuck import stuck


def test_zeros_that_share_a_known_sum_are_stuck_and_a_zero_beside_a_large_cell_is_not() -> None:
    """
    a + b = 0 known, c + d = 7 known with d = 7: a and b are 0 in every table, c can be 1.
    """
    matrix = csr_matrix(np.array([[1, 1, 0, 0], [0, 0, 1, 1]]))
    room = np.array([0.0, 0.0, 0.0, 7.0])
    assert stuck(matrix, room, np.array([0, 1, 2])).tolist() == [True, True, False]


def test_nothing_doubtful_needs_no_program() -> None:
    assert not len(stuck(csr_matrix((0, 3)), np.zeros(3), np.zeros(0, dtype=np.int64)))


@pytest.mark.parametrize("seed", range(40))
def test_the_same_as_one_program_for_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(2, 7)), int(rng.integers(4, 14))
    matrix = rng.choice([-1, 0, 0, 1], (rows, columns))
    matrix[0] = 1  # the sum of all is known, so nothing rises for ever
    room = np.where(rng.random(columns) < 0.6, 0.0, rng.integers(1, 9, columns))
    doubtful = np.flatnonzero(room == 0)
    found = stuck(csr_matrix(matrix), room, doubtful)
    for place, column in enumerate(doubtful.tolist()):
        cost = np.zeros(columns)
        cost[column] = -1.0
        bounds = [(-own, None) for own in room]
        bounds[column] = (0.0, 1.0)
        most = -linprog(cost, A_eq=matrix, b_eq=np.zeros(rows), bounds=bounds).fun
        if found[place]:
            assert most < 1 - 1e-9
        else:
            assert most > 1e-9
