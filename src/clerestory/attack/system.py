"""The attacker's system: bounds of what is published go round until nothing moves; components fall apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from clerestory.attack.relations import Relations
from clerestory.errors import InputError
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

FloatArray = NDArray[np.float64]

_SWEEPS = 200
"""Rounds of bound propagation; stopping early only leaves bounds wider, which proves nothing wrong."""


@dataclass(frozen=True, eq=False)
class System:
    """Bounds of every variable after propagation; closed, whole numbers, the upper one may be inf.

    known: (variables,) bool, what the public values alone fix at once: shown cells.
    """

    relations: Relations
    lower: FloatArray
    upper: FloatArray
    known: NDArray[np.bool_]

    @property
    def free(self) -> NDArray[np.bool_]:
        """(variables,) bool: not fixed by propagation."""
        return self.lower < self.upper

    @property
    def concerned(self) -> NDArray[np.bool_]:
        """(attribute pairs,) bool: anybody can be in the group; of an empty one nothing is told."""
        groups, _, _ = self.relations.space.attribute_pairs
        return np.asarray(self.upper[groups] > 0)


@dataclass(frozen=True, eq=False)
class Component:
    """Free variables that hang together: matrix @ x = rhs; columns: positions among all variables."""

    columns: IntArray
    matrix: csr_matrix
    rhs: IntArray
    lower: FloatArray
    upper: FloatArray

    def holds(self, table: IntArray) -> bool:
        """Whether an integer table satisfies every row and bound, in integer arithmetic."""
        return bool(
            np.all(self.matrix @ table == self.rhs)
            and np.all(table >= self.lower)
            and np.all(table <= self.upper)
        )


def contradiction(relations: Relations) -> InputError:
    """The published numbers cannot all be true."""
    return InputError(
        "the published values contradict each other: no non-negative whole numbers satisfy them all",
        where=f"source {relations.space.source!r}",
        fix="check that every table was made from the same records and that hidden cells are marked",
    )


def attackers_system(relations: Relations, public: PublicCells) -> System:
    """What a reader knows at once. Raises InputError if the published values contradict each other."""
    cells = len(relations.space)
    lower = np.zeros(relations.variables)
    upper = np.full(relations.variables, np.inf)
    lower[:cells] = relations.floor(public.may_be_zero, public.insiders)[:cells]
    shown = ~public.hidden
    lower[:cells][shown] = upper[:cells][shown] = public.values[shown]
    if np.any(public.values[shown] < 0):
        raise contradiction(relations)
    known = np.zeros(relations.variables, dtype=bool)
    known[:cells] = shown
    lower, upper = propagate(relations.matrix, lower, upper)
    if np.any(lower > upper) or _violated(relations.matrix, lower, upper):
        raise contradiction(relations)
    return System(relations, lower, upper, known)


def _violated(matrix: csr_matrix, lower: FloatArray, upper: FloatArray) -> bool:
    fixed = lower == upper
    all_fixed = np.diff(matrix[:, np.flatnonzero(~fixed)].tocsr().indptr) == 0
    values = np.where(fixed, lower, 0).astype(np.int64)
    return bool(np.any((matrix @ values)[all_fixed] != 0))


def propagate(matrix: csr_matrix, lower: FloatArray, upper: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The bounds, tightened by each row in turn until nothing moves (matrix @ x = 0, x whole numbers).

    Stops as soon as a lower bound passes its upper one: then nothing fits.
    """
    lower, upper = lower.copy(), upper.copy()
    counts = np.diff(matrix.indptr)
    row = np.repeat(np.arange(matrix.shape[0]), counts)
    column, factor = matrix.indices, matrix.data.astype(np.float64)
    live = np.ones(len(row), dtype=bool)
    for _ in range(_SWEEPS):
        r, c, a = row[live], column[live], factor[live]
        if not len(r):
            break
        at_least = np.where(a > 0, a * lower[c], a * upper[c])
        at_most = np.where(a > 0, a * upper[c], a * lower[c])
        others_least = _without_own(r, at_least, matrix.shape[0], -np.inf)
        others_most = _without_own(r, at_most, matrix.shape[0], np.inf)
        with np.errstate(invalid="ignore"):
            one, two = -others_most / a, -others_least / a
        new_lower, new_upper = lower.copy(), upper.copy()
        np.maximum.at(new_lower, c, np.ceil(np.minimum(one, two) - 1e-9))
        np.minimum.at(new_upper, c, np.floor(np.maximum(one, two) + 1e-9))
        moved = (new_lower > lower) | (new_upper < upper)
        lower, upper = new_lower, new_upper
        if not moved.any() or np.any(lower > upper):
            break
        touched = np.zeros(matrix.shape[0], dtype=bool)
        touched[row[moved[column]]] = True
        live = touched[row]
    return lower, upper


def _without_own(row: IntArray, terms: FloatArray, rows: int, endless: float) -> FloatArray:
    """For every entry the sum of the other terms of its row, where terms may be infinite."""
    infinite = np.isinf(terms)
    total = np.bincount(row, np.where(infinite, 0.0, terms), minlength=rows)[row]
    many = np.bincount(row, infinite, minlength=rows)[row]
    rest = np.where(infinite, total, total - np.where(infinite, 0.0, terms))
    return np.asarray(np.where(many - infinite > 0, endless, rest))


def components(system: System) -> list[Component]:
    """The free variables, split where no row links them, largest last."""
    free = np.flatnonzero(system.free)
    if not len(free):
        return []
    matrix = system.relations.matrix
    fixed_values = np.where(system.free, 0, system.lower).astype(np.int64)
    rhs = -(matrix @ fixed_values)
    inner = matrix[:, free].tocsr()
    linked = np.flatnonzero(np.diff(inner.indptr))
    inner, rhs = inner[linked], rhs[linked]
    width = len(free)
    ones = np.ones(len(inner.indices), dtype=np.int8)
    ends = np.concatenate([np.zeros(width, dtype=inner.indptr.dtype), inner.indptr])
    shape = (width + inner.shape[0], width + inner.shape[0])
    count, label = connected_components(csr_matrix((ones, inner.indices, ends), shape=shape), directed=False)
    label, row_label = label[:width], label[width:]
    order_c, order_r = np.argsort(label, kind="stable"), np.argsort(row_label, kind="stable")
    ends_c = np.cumsum(np.bincount(label, minlength=count))
    ends_r = np.cumsum(np.bincount(row_label, minlength=count))
    split_c, split_r = np.split(order_c, ends_c[:-1]), np.split(order_r, ends_r[:-1])
    found = []
    for here, rows in zip(split_c, split_r, strict=True):
        columns = free[here]
        local = inner[rows][:, here].tocsr()
        local.sort_indices()
        found.append(Component(columns, local, rhs[rows], system.lower[columns], system.upper[columns]))
    return sorted(found, key=lambda part: len(part.columns))
