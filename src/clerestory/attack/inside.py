"""Whole tables that differ from one at hand in some columns alone, with undecided ends pushed in them.

What lies outside stays as it is, so whatever fits these few rows fits the whole system: a program over a slab
or two instead of everything.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

from clerestory.attack.programs import whole
from clerestory.attack.slabs import End
from clerestory.attack.system import FloatArray
from clerestory.attack.vertices import Vertices
from clerestory.tables.space import IntArray

_POOR = 0.03
"""Share of the undecided ends that a push must decide; else it was a poor one."""
_PATIENCE = 3
"""Poor pushes in a row after which the next columns are taken."""
_NEAR = 1e-5
"""How far a vertex may be from an end that it meets."""


class Inside:
    """Some columns of matrix @ x = rhs, every other one held at its value in a table.

    columns: sorted; start: (columns,) their values in that table. lower, upper: (columns,) bounds that hold,
    low, high: (columns,) least and greatest values seen in whole tables.
    """

    def __init__(
        self,
        matrix: csr_matrix,
        by_column: csc_matrix,
        columns: IntArray,
        start: IntArray,
        bounds: tuple[FloatArray, FloatArray],
        seen: tuple[FloatArray, FloatArray],
    ) -> None:
        rows = np.unique(by_column[:, columns].indices)
        inner = matrix[rows][:, columns].tocsr()
        inner.sort_indices()
        rhs = (inner @ start).astype(np.float64)
        self._lower, self._upper = bounds[0][columns], bounds[1][columns]
        self._low, self._high = seen[0][columns], seen[1][columns]
        self._program = Vertices(inner, rhs, rhs, self._lower.copy(), self._upper.copy())

    def one_by_one(self, rng: np.random.Generator) -> list[IntArray]:
        """Tables in which ends are met, each pushed alone."""
        found: list[IntArray] = []
        ends = self._open()
        for number in rng.permutation(len(ends)).tolist():
            column, greatest = end = ends[number]
            edge, seen = (self._upper, self._high) if greatest else (self._lower, self._low)
            if edge[column] != seen[column]:
                found += self._pushed([end], np.ones(1), rng)
        return found

    def at_once(self, count: int, rng: np.random.Generator) -> list[IntArray]:
        """Tables with random ends pushed together, for as long as that decides some."""
        found: list[IntArray] = []
        poor = 0
        while poor < _PATIENCE:
            ends = self._open()
            if not ends:
                break
            some = dict(ends[i] for i in rng.permutation(len(ends))[:count].tolist())
            found += self._pushed(list(some.items()), rng.uniform(0.5, 1, len(some)), rng)
            decided = len(ends) - len(self._open())
            poor = 0 if decided >= max(_POOR * len(ends), 1) else poor + 1
        return found

    def _open(self) -> list[End]:
        least, most = np.flatnonzero(self._low > self._lower), np.flatnonzero(self._high < self._upper)
        return [(c, False) for c in least.tolist()] + [(c, True) for c in most.tolist()]

    def _pushed(self, ends: list[End], scale: FloatArray, rng: np.random.Generator) -> list[IntArray]:
        chosen = np.array([column for column, _ in ends])
        up = np.array([greatest for _, greatest in ends])
        vertex = self._program.push(chosen, np.where(up, scale, -scale))
        if vertex is None:
            return []
        edge = np.where(up, self._upper[chosen], self._lower[chosen])
        met = np.abs(vertex[chosen] - edge) < _NEAR
        table = self._program.whole_near(vertex, rng) if met.any() else whole(vertex)
        if table is None:
            return []
        self._low, self._high = np.minimum(self._low, table), np.maximum(self._high, table)
        return [table]
