"""Small counts that anybody can work out: what is left of a known parent when all known parts are taken away.

Arithmetic alone, so that whoever checks a proof needs no solver.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import Relations
from clerestory.tables.space import IntArray


def small(rules: Relations, values: NDArray[np.float64], minimum: int) -> NDArray[np.bool_]:
    """Where a value is that of 1 to minimum - 1 records for sure; a sum tells that only by its least part."""
    return (values > 0) & (values < np.maximum(minimum * rules.least(), 0))


def small_lines(
    rules: Relations, exact: NDArray[np.bool_], values: NDArray[np.float64], minimum: int
) -> IntArray:
    """Lines with a known parent of which 1 to minimum - 1 are left after all known parts are taken away.

    exact, values: (variables,) what is known, and its value. A child that is not known itself may have known
    parts along the same axis: regions hidden, most of their counties shown.
    """
    matrix = rules.matrix
    found = [np.zeros(0, dtype=np.int64)]
    limit = minimum * rules.least()
    for axis in range(rules.boxes.shape[1]):
        lines = np.flatnonzero(rules.axes == axis)
        parents = rules.parents[lines]
        parts = matrix[lines]
        covered = np.where(exact, values, 0).astype(np.int64)
        open_lines = ~exact[parents]
        while True:
            inside = covered[parents] - parts @ covered  # the children of each line
            more = covered.copy()
            np.maximum.at(more, parents[open_lines], inside[open_lines])
            if np.array_equal(more, covered):
                break
            covered = more
        rest = covered[parents] - inside
        found.append(lines[~open_lines & (rest > 0) & (rest < limit[parents])])
    return np.concatenate(found)
