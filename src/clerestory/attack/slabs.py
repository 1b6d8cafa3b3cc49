"""Slabs of a component: the cells along one axis inside one parent, and bounds that hold for them alone.

A relaxation: rows that reach outside a slab hold within what the bounds outside allow. Its linear optimum is
an outer bound for the whole system, from a program a tenth as large. With a hierarchy, a slab is a region
with its counties, or the state with its regions, crossed with everything else. A face of a slab holds one
category of another axis alone: weaker bounds, from a program a tenth as large again.
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
_FEW = 4
"""Ends up to which each is bounded at once."""
_SHARE = 0.1
"""Share of the ends that a push of all must meet to be followed by another."""
_SURE = 1e-5
"""How far a vertex may be from a bound that it meets."""
End = tuple[int, bool]
"""A column, and whether its greatest value is meant (or its least)."""


@dataclass(frozen=True, eq=False)
class Slab:
    """Some columns of a component and the rows that touch them.

    inner: (rows, columns of the slab), outer: (rows, columns of the component) without the slab's. head: the
    columns of the parent itself.
    """

    columns: IntArray
    rows: IntArray
    inner: csr_matrix
    outer: csr_matrix
    head: IntArray

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
        for column, greatest in self._short(program, here, there, wanted):
            place = np.searchsorted(self.columns, [column])
            vertex = program.push(place, np.array([1.0 if greatest else -1.0]))
            if vertex is not None:
                found.append(((column, greatest), float(vertex[place[0]])))
        return found

    def _short(self, program: Vertices, lower: FloatArray, upper: FloatArray, wanted: list[End]) -> list[End]:
        """The ends that no vertex met where many were pushed at once: the others are no nearer here."""
        left, before = wanted, 2 * len(wanted)
        rng = np.random.default_rng(0)
        while len(left) > _FEW and len(left) < (1 - _SHARE) * before:
            before = len(left)
            some = dict(left[i] for i in rng.permutation(before).tolist())
            places = np.searchsorted(self.columns, list(some))
            ways = np.where(np.array(list(some.values())), 1.0, -1.0)
            bounded = np.isfinite(np.where(ways > 0, upper[places], lower[places]))
            if not bounded.any():
                break
            vertex = program.push(places[bounded], (ways * rng.uniform(0.5, 1, len(some)))[bounded])
            if vertex is None:
                break
            most, least = vertex >= upper - _SURE, vertex <= lower + _SURE
            at = np.searchsorted(self.columns, [column for column, _ in left])
            met = np.where([greatest for _, greatest in left], most[at], least[at])
            left = [end for end, there in zip(left, met.tolist(), strict=True) if not there]
        return left


def _product(matrix: csr_matrix, values: FloatArray) -> FloatArray:
    """matrix @ values, where an infinite value counts only in the rows that use it."""
    finite = np.where(np.isinf(values), 0.0, values)
    total = np.asarray(matrix @ finite, dtype=np.float64)
    endless = np.asarray(matrix @ np.isinf(values).astype(np.float64))
    return np.where(endless > 0, np.inf, np.where(endless < 0, -np.inf, total))


@dataclass(frozen=True, eq=False)
class Cut:
    """A component cut into slabs along one axis; faces: parts of them with one set of another axis each."""

    slabs: list[Slab]
    faces: list[Slab]

    def groups(self, count: int, rng: np.random.Generator) -> list[IntArray]:
        """The lowest slabs below each parent in random groups, each with that parent: columns of each group.

        Between slabs people can move; in one alone, what the parent sees of it stays as it is. A slab with
        others below it has no table of its own to move in: each of its cells is the sum of theirs.
        """
        found = []
        lowest = [s for s in self.slabs if not any(self._below(other, s) for other in self.slabs)]
        for above in self.slabs:
            below = [s for s in lowest if self._below(s, above)]
            turn = [below[k] for k in rng.permutation(len(below)).tolist()]
            for first in range(0, len(turn), count):
                some = [s.columns for s in (turn[first:] + turn)[:count]]
                found.append(np.unique(np.concatenate([above.head, *some])))
        found += [s.columns for s in lowest if not any(self._below(s, above) for above in self.slabs)]
        return found

    @staticmethod
    def _below(one: Slab, other: Slab) -> bool:
        return one is not other and bool(len(one.head)) and bool(np.isin(one.head, other.columns).all())


def cut(rules: Relations, whole: Component, small: Reduced) -> Cut | None:
    """Slabs that together hold every column, along the axis whose largest slab is smallest.

    whole: the component before it was reduced to `small`. None if it is small, or in one piece on every axis.
    """
    if len(small.part.columns) <= _LARGE:
        return None
    best: list[tuple[IntArray, IntArray]] = []
    along = -1
    for axis in range(rules.boxes.shape[1]):
        groups = _along(rules, whole, small, axis)
        if groups and (not best or max(len(g) for g, _ in groups) < max(len(g) for g, _ in best)):
            best, along = groups, axis
    if not best or max(len(g) for g, _ in best) == len(small.part.columns):
        return None
    found = [slab(small.part, columns, head) for columns, head in best]
    return Cut(found, [face for s in found for face in _faces(rules, whole, small, s, along)])


def _along(rules: Relations, whole: Component, small: Reduced, axis: int) -> list[tuple[IntArray, IntArray]]:
    """Columns and head of each slab along an axis; none if they leave out too much."""
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
            found.append((columns, np.unique(small.place[sets == parent])))
    # What lies on no line of this axis is bounded elsewhere.
    return found if covered.mean() > 0.5 else []


def _faces(rules: Relations, whole: Component, small: Reduced, of: Slab, along: int) -> list[Slab]:
    """The parts of a slab with the same set on one of the other axes."""
    inside = np.flatnonzero(np.isin(small.place, of.columns))
    boxes = rules.boxes[whole.columns[inside]]
    found = []
    for axis in range(boxes.shape[1]):
        numbers = np.unique(boxes[:, axis])
        if axis == along or len(numbers) == 1:
            continue
        for number in numbers.tolist():
            columns = np.unique(small.place[inside[boxes[:, axis] == number]])
            if len(columns) > 1:
                found.append(slab(small.part, columns, columns[:0]))
    return found


def slab(part: Component, columns: IntArray, head: IntArray) -> Slab:
    """The slab of these columns (sorted)."""
    rows = np.unique(part.matrix[:, columns].tocoo().row)
    touched = part.matrix[rows]
    inner = touched[:, columns].tocsr()
    inner.sort_indices()
    outside = np.ones(len(part.columns))
    outside[columns] = 0
    outer = touched.multiply(outside[None, :]).tocsr()
    outer.eliminate_zeros()
    return Slab(columns, rows, inner, outer, head)
