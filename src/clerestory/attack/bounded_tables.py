"""Whole tables that fit bounded numbers: two that differ in a count prove that it is not told.

First one table far from all bounds, and what small moves of it reach; then programs that move many counts at
once, each those that are left. Tables are checked in whole-number arithmetic before they count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix, hstack

from clerestory.attack.bounded import Narrowed
from clerestory.attack.bounded_moves import move_apart
from clerestory.attack.optimum import Infeasible, whole_optimum
from clerestory.attack.relations import Relations
from clerestory.attack.system import Component, components
from clerestory.attack.tables import ceiling, completed
from clerestory.attack.vertices import Vertices
from clerestory.errors import InputError, Undecided
from clerestory.tables.space import IntArray

_TABLES = 4
"""Tables from which small moves are tried, the later ones nearer to what those before could not move."""
_PULL = 2.0
"""What pulling a count is worth, against 1 for each unit that another is off the middle."""
_AROUND = (40, 400)
"""Counts that move with one that is tried by itself: rings of shared lines until there are so many."""
_ROUNDS = 80
_OTHER_WAY = 0.25
"""How often the opposite is asked as well."""
_PATIENCE = 4
"""Rounds in which nothing more came apart, after which no further are tried."""


@dataclass(frozen=True, eq=False)
class Seen:
    """(variables,) the least and the greatest value over the tables that were found; greatest < least: none.

    undecided: judged variables that no two tables take far enough apart.
    """

    least: IntArray
    greatest: IntArray
    undecided: IntArray


def two_tables(
    found: Narrowed,
    *,
    likely: IntArray | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Seen:
    """Tables that take the judged counts apart, as far as they can be found. found: nothing broken in it.

    likely: (cells,) published numbers, a good table to start from where they add up.
    """
    system = found.system
    size = system.relations.variables
    least = np.full(size, np.iinfo(np.int64).max)
    greatest = np.full(size, np.iinfo(np.int64).min)
    fixed = ~system.free
    least[fixed] = greatest[fixed] = system.lower[fixed].astype(np.int64)
    parts = components(system)
    middles = _Middles(found, parts, seed)
    table = _published(system.relations, likely, parts, seed)
    bases: list[IntArray] = []
    for number in range(_TABLES):
        left = found.judged & (_reach(least, greatest) < found.need)
        if not left.any():
            break
        if progress is not None:
            progress(f"{int(left.sum()):,} counts to take apart by small moves")
        if table is None:
            table = middles.table(left if number else np.zeros(size, dtype=bool))
        if table is None:
            break
        bases.append(table)
        least, greatest = np.minimum(least, table), np.maximum(greatest, table)
        move_apart(found, table, least, greatest, seed=seed + number)
        table = None
    for part in parts:
        columns = part.columns
        judged = found.judged[columns]
        if judged.any():
            if bases:
                _one_by_one(
                    part, judged, found.need[columns], [base[columns] for base in bases], least, greatest
                )
            search = _Search(part, judged, found.need[columns], least[columns], greatest[columns], seed)
            search.run(progress)
            least[columns], greatest[columns] = search.least, search.greatest
    return Seen(least, greatest, np.flatnonzero(found.judged & (_reach(least, greatest) < found.need)))


def _published(
    rules: Relations, likely: IntArray | None, parts: list[Component], seed: int
) -> IntArray | None:
    """(variables,) the table of these cells, if it is one and fits."""
    if likely is None:
        return None
    try:
        table = completed(rules, likely, seed=seed)
    except (InputError, Undecided):
        return None
    return table if all(part.holds(table[part.columns]) for part in parts) else None


class _Middles:
    """Whole tables near the middle of all bounds: from there moves have room both ways.

    Each count is its least value and two pieces: what leads to the middle is worth its size, what leads on
    costs it. Some counts may be pulled up or down instead.
    """

    def __init__(self, found: Narrowed, parts: list[Component], seed: int) -> None:
        self._found, self._parts = found, parts
        self._rng = np.random.default_rng(seed)
        self._programs: list[Vertices] | None = None

    def table(self, pulled: NDArray[np.bool_]) -> IntArray | None:
        """(variables,) a table that fits; pulled: (variables,) what to pull, each up or down by chance."""
        system = self._found.system
        found = np.where(system.free, 0, system.lower).astype(np.int64)
        for part, vertices in zip(self._parts, self._all(), strict=True):
            size = len(part.columns)
            ties = self._rng.uniform(0, 0.01, size)
            way = np.where(pulled[part.columns], self._rng.choice([-_PULL, _PULL], size), 0.0)
            drawn = way != 0
            worth = np.concatenate([np.where(drawn, way, 1 - ties), np.where(drawn, way, -1 - ties)])
            own = self._pushed(part, vertices, np.arange(2 * size), worth)
            if own is None:
                return None
            found[part.columns] = own
        return found

    def _all(self) -> list[Vertices]:
        if self._programs is None:
            self._programs = [self._program(part) for part in self._parts]
        return self._programs

    def _program(self, part: Component) -> Vertices:
        need = self._found.need[part.columns]
        limited = ceiling(part, int(need.max()))
        room = limited.upper - limited.lower
        first = np.where(np.isfinite(part.upper), np.floor(room / 2), np.minimum(room, need))
        rhs = (part.rhs - part.matrix @ part.lower).astype(np.float64)
        matrix = hstack([part.matrix] * 2).tocsr()
        return Vertices(matrix, rhs, rhs, np.zeros(2 * len(room)), np.concatenate([first, room - first]))

    def _pushed(
        self, part: Component, vertices: Vertices, pieces: IntArray, worth: NDArray[np.float64]
    ) -> IntArray | None:
        vertex = vertices.push(pieces, worth)
        found = None if vertex is None else vertices.whole_near(vertex, self._rng)
        if found is None:
            return None
        table = np.asarray(found.reshape(2, -1).sum(axis=0) + part.lower.astype(np.int64))
        return table if part.holds(table) else None


def _one_by_one(
    part: Component,
    judged: NDArray[np.bool_],
    need: IntArray,
    bases: list[IntArray],
    least: IntArray,
    greatest: IntArray,
) -> None:
    """Pushes each count that is not far enough apart, up and down, while all but what is around it stays.

    From the table in which it is farthest already.
    """
    columns = part.columns
    by_column = part.matrix.tocsc()
    for place in np.flatnonzero(judged & (_reach(least, greatest)[columns] < need)).tolist():
        for size in _AROUND:
            near = _around(part.matrix, by_column, place, size)
            inner = part.matrix[:, near].tocsr()
            rows = np.flatnonzero(np.diff(inner.indptr))
            inner = inner[rows]
            for way in (-1.0, 1.0):
                if greatest[columns[place]] - least[columns[place]] >= need[place]:
                    break
                base = bases[int(np.argmin([way * table[place] for table in bases]))]
                costs = np.where(near == place, way, 0.0)
                try:
                    moved = whole_optimum(
                        inner, inner @ base[near], part.lower[near], part.upper[near], costs
                    )
                except Infeasible:
                    continue
                if moved is None:
                    continue
                table = base.copy()
                table[near] = moved
                if part.holds(table):
                    least[columns] = np.minimum(least[columns], table)
                    greatest[columns] = np.maximum(greatest[columns], table)


def _around(matrix: csr_matrix, by_column: csc_matrix, place: int, size: int) -> IntArray:
    """A column and those that share a row with it, and theirs, until there are so many; ascending."""
    inside = np.zeros(matrix.shape[1], dtype=bool)
    inside[place] = True
    fresh = np.array([place])
    while len(fresh) and inside.sum() < size:
        rows = np.unique(by_column[:, fresh].indices)
        found = np.unique(matrix[rows].indices)
        fresh = found[~inside[found]]
        inside[fresh] = True
    return np.flatnonzero(inside)


def _reach(least: IntArray, greatest: IntArray) -> IntArray:
    seen = greatest >= least
    return np.where(seen, greatest, 0) - np.where(seen, least, 0)


class _Search:
    """The search in one component."""

    def __init__(
        self,
        part: Component,
        judged: NDArray[np.bool_],
        need: IntArray,
        least: IntArray,
        greatest: IntArray,
        seed: int,
    ) -> None:
        self.part, self.judged, self.need = part, judged, need
        self.least, self.greatest = least, greatest
        self._random = np.random.default_rng(seed)

    @property
    def left(self) -> IntArray:
        """The judged variables that are not apart yet."""
        return np.flatnonzero(self.judged & (_reach(self.least, self.greatest) < self.need))

    def run(self, progress: Callable[[str], None] | None) -> None:
        """Asks until everything is apart, or nothing more comes apart."""
        patience = _PATIENCE
        for _ in range(_ROUNDS):
            left = self.left
            if not len(left) or not patience:
                return
            if progress is not None:
                progress(f"{len(left):,} counts to take apart")
            # Few counts of a line can be large at once, all can be small: so one question for what is small,
            # then others for what is large, among ever fewer.
            costs = np.zeros(len(self.judged))
            costs[left] = self._random.uniform(0.1, 1.0, len(left))
            at_least = self.least[left] <= self.part.lower[left]
            costs[left[at_least]] *= -1
            self._ask(costs)
            if self._random.random() < _OTHER_WAY:
                self._ask(-costs)
            patience = patience - 1 if len(self.left) == len(left) else _PATIENCE

    def _ask(self, costs: NDArray[np.float64]) -> None:
        part = self.part
        try:
            table = whole_optimum(part.matrix, part.rhs, part.lower, part.upper, costs)
        except Infeasible:
            return
        if table is not None and part.holds(table):
            self.least = np.minimum(self.least, table)
            self.greatest = np.maximum(self.greatest, table)
