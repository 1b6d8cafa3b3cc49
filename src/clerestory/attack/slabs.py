"""Slabs of a component: the cells along one axis inside one parent, and bounds that hold for them alone.

A relaxation: rows that reach outside a slab hold within what the bounds outside allow. Its linear optimum is
an outer bound for the whole system, from a program a tenth as large. With a hierarchy, a slab is a region
with its counties, or the state with its regions, crossed with everything else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from clerestory.attack.reduce import Reduced
from clerestory.attack.relations import Relations
from clerestory.attack.system import Component, FloatArray
from clerestory.attack.vertices import Vertices
from clerestory.tables.space import IntArray

_LARGE = 400
"""Columns up to which a component is one slab."""
End = tuple[int, bool]
"""A column, and whether its greatest value is meant (or its least)."""


@dataclass(frozen=True, eq=False)
class Slab:
    """Some columns of a component and the rows that touch them.

    inner: (rows, columns of the slab), outer: (rows, columns of the component) without the slab's.
    """

    columns: IntArray
    rows: IntArray
    inner: csr_matrix
    outer: csr_matrix

    def ends(
        self, rhs: IntArray, lower: FloatArray, upper: FloatArray, wanted: list[End]
    ) -> list[tuple[End, float]]:
        """Linear optima of the wanted ends inside the slab; ends that nothing limits here are left out."""
        positive, negative = self.outer.maximum(0), self.outer.minimum(0)
        with np.errstate(invalid="ignore"):
            least = _product(positive, lower) + _product(negative, upper)
            most = _product(positive, upper) + _product(negative, lower)
        own = rhs[self.rows]
        here, there = lower[self.columns], upper[self.columns]
        program = Vertices(self.inner, own - most, own - least, here, there)
        found: list[tuple[End, float]] = []
        for column, greatest in wanted:
            place = np.searchsorted(self.columns, [column])
            vertex = program.push(place, np.array([1.0 if greatest else -1.0]))
            if vertex is not None:
                found.append(((column, greatest), float(vertex[place[0]])))
        return found


def _product(matrix: csr_matrix, values: FloatArray) -> FloatArray:
    """matrix @ values, where an infinite value counts only in the rows that use it."""
    finite = np.where(np.isinf(values), 0.0, values)
    total = np.asarray(matrix @ finite, dtype=np.float64)
    endless = np.asarray(matrix @ np.isinf(values).astype(np.float64))
    return np.where(endless > 0, np.inf, np.where(endless < 0, -np.inf, total))


def slabs(rules: Relations, whole: Component, small: Reduced) -> list[Slab]:
    """Slabs that together hold every column, along the axis whose largest slab is smallest.

    whole: the component before it was reduced to `small`. Slabs that would hold everything are left out.
    """
    if len(small.part.columns) <= _LARGE:
        return []
    best: list[IntArray] = []
    for axis in range(rules.boxes.shape[1]):
        groups = _along(rules, whole, small, axis)
        if groups and (not best or max(map(len, groups)) < max(map(len, best))):
            best = groups
    if not best or max(map(len, best)) == len(small.part.columns):
        return []
    return [_slab(small.part, columns) for columns in best]


def _along(rules: Relations, whole: Component, small: Reduced, axis: int) -> list[IntArray]:
    sets = rules.boxes[whole.columns, axis]
    lines = np.flatnonzero((rules.axes == axis) & (rules.parents >= 0))
    parents = rules.boxes[rules.parents[lines], axis]
    entries = rules.matrix[lines]
    row = np.repeat(np.arange(len(lines)), np.diff(entries.indptr))
    pairs = np.unique(np.column_stack([parents[row], rules.boxes[entries.indices, axis]]), axis=0)
    found = []
    covered = np.zeros(len(small.part.columns), dtype=bool)
    for parent in np.unique(pairs[:, 0]):
        inside = np.isin(sets, pairs[pairs[:, 0] == parent, 1])
        columns = np.unique(small.place[inside])
        if len(columns) > 1:
            covered[columns] = True
            found.append(columns)
    # What lies on no line of this axis is bounded elsewhere.
    return found if covered.mean() > 0.5 else []


def _slab(part: Component, columns: IntArray) -> Slab:
    rows = np.unique(part.matrix[:, columns].tocoo().row)
    touched = part.matrix[rows]
    inner = touched[:, columns].tocsr()
    inner.sort_indices()
    outside = np.ones(len(part.columns))
    outside[columns] = 0
    outer = touched.multiply(outside[None, :]).tocsr()
    outer.eliminate_zeros()
    return Slab(columns, rows, inner, outer)
