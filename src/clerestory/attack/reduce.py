"""Cells that determine each other become one: two hidden cells beside a known sum move by the same step.

Every row with two free variables, of factors +1 and -1, says that one is the other (or its negative) plus a
constant. Merging them shortens other rows, which merge in turn. Integer solutions correspond one to one, so
exact intervals of the smaller system are exact intervals of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from clerestory.attack.system import Component, propagate
from clerestory.tables.space import IntArray


@dataclass(frozen=True, eq=False)
class Reduced:
    """A component over fewer variables: variable = sign * part[place] + shift.

    place, sign, shift: for every column of the component that was reduced. part.columns: one of the original
    columns for each that is left.
    """

    part: Component
    place: IntArray
    sign: IntArray
    shift: IntArray

    def back(self, table: IntArray) -> IntArray:
        """The values of all columns, from those that are left."""
        return np.asarray(self.sign * table[self.place] + self.shift)

    def ends(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Least and greatest values of all columns, from those of the ones that are left."""
        one, two = self.sign * low[self.place] + self.shift, self.sign * high[self.place] + self.shift
        return np.minimum(one, two), np.maximum(one, two)


def reduced(part: Component) -> Reduced | None:
    """The component with cells that determine each other merged, and its bounds propagated again.

    None if no table fits it: a row that lost all its variables does not hold, or bounds cross.
    """
    size = len(part.columns)
    matrix, rhs = _distinct(part.matrix, part.rhs)
    lower, upper = part.lower.copy(), part.upper.copy()
    place, sign, shift = np.arange(size), np.ones(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    while True:
        merge = _pairs(matrix, rhs, lower, upper)
        if merge is None:
            break
        to, by, plus = merge
        change = csr_matrix((by, (np.arange(size), to)), (size, size))
        rhs = rhs - matrix @ plus
        matrix = (matrix @ change).tocsr()
        matrix.eliminate_zeros()
        if np.any(rhs[np.diff(matrix.indptr) == 0]):
            return None
        matrix, rhs = _distinct(matrix, rhs)
        shift = shift + sign * plus[place]
        sign, place = sign * by[place], to[place]
    left, numbers = np.unique(place, return_inverse=True)
    matrix = matrix[:, left].tocsr()
    matrix.sort_indices()
    lower, upper = tightened(matrix, rhs, lower[left], upper[left])
    if np.any(lower > upper):
        return None
    return Reduced(Component(part.columns[left], matrix, rhs, lower, upper), numbers.ravel(), sign, shift)


def tightened(
    matrix: csr_matrix, rhs: IntArray, lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The bounds propagated through matrix @ x = rhs."""
    whole = hstack([matrix, csr_matrix(-rhs[:, None])], format="csr", dtype=np.int64)
    lower, upper = propagate(whole, np.append(lower, 1.0), np.append(upper, 1.0))
    return lower[:-1], upper[:-1]


def _distinct(matrix: csr_matrix, rhs: IntArray) -> tuple[csr_matrix, IntArray]:
    """Every row once, divided by its greatest common divisor, its first factor positive; no empty rows."""
    matrix = matrix.tocsr()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    filled = np.diff(matrix.indptr) > 0
    matrix, rhs = matrix[filled], rhs[filled]
    if not matrix.shape[0]:
        return matrix, rhs
    counts = np.diff(matrix.indptr)
    factor = np.gcd.reduceat(np.abs(matrix.data), matrix.indptr[:-1])
    factor = np.gcd(factor, np.abs(rhs)) * np.sign(matrix.data[matrix.indptr[:-1]])
    data, rhs = matrix.data // np.repeat(factor, counts), rhs // factor
    seen: dict[bytes, int] = {}
    for row in range(len(counts)):
        here = slice(matrix.indptr[row], matrix.indptr[row + 1])
        key = matrix.indices[here].tobytes() + data[here].tobytes() + rhs[row].tobytes()
        seen.setdefault(key, row)
    first = np.fromiter(seen.values(), dtype=np.int64, count=len(seen))
    whole = csr_matrix((data, matrix.indices, matrix.indptr), matrix.shape)
    return whole[first], rhs[first]


def _pairs(
    matrix: csr_matrix, rhs: IntArray, lower: NDArray[np.float64], upper: NDArray[np.float64]
) -> tuple[IntArray, IntArray, IntArray] | None:
    """variable = by * variables[to] + plus, from the rows of two; bounds of what stays take in the others.

    None if no row merges anything.
    """
    size = matrix.shape[1]
    start = matrix.indptr[:-1][np.diff(matrix.indptr) == 2]
    rows = np.flatnonzero(np.diff(matrix.indptr) == 2)
    plain = (np.abs(matrix.data[start]) == 1) & (np.abs(matrix.data[start + 1]) == 1)
    to, by, plus = list(range(size)), [1] * size, [0] * size
    merged = False

    def top(variable: int) -> tuple[int, int, int]:
        factor, constant = 1, 0
        while to[variable] != variable:
            constant += factor * plus[variable]
            factor *= by[variable]
            variable = to[variable]
        return variable, factor, constant

    for row, at in zip(rows[plain].tolist(), start[plain].tolist(), strict=True):
        a, c = int(matrix.data[at]), int(matrix.data[at + 1])
        one, one_by, one_plus = top(int(matrix.indices[at]))
        two, two_by, two_plus = top(int(matrix.indices[at + 1]))
        if one == two:
            continue
        # a (one_by x + one_plus) + c (two_by y + two_plus) = rhs, solved for y; all factors are +1 or -1
        own = c * two_by
        to[two] = one
        by[two] = -a * one_by * own
        plus[two] = (int(rhs[row]) - a * one_plus - c * two_plus) * own
        ends = by[two] * (lower[two] - plus[two]), by[two] * (upper[two] - plus[two])
        lower[one], upper[one] = max(lower[one], min(ends)), min(upper[one], max(ends))
        merged = True
    if not merged:
        return None
    found = np.array([top(variable) for variable in range(size)], dtype=np.int64).reshape(-1, 3)
    return found[:, 0], found[:, 1], found[:, 2]
