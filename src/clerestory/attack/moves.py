"""Moves: changes of one table that a reader could not tell from it, and the widths that they prove.

A move is a sparse vector of whole numbers that keeps every relation and every bound when it is added to the
table; it touches hidden cells and implied boxes only. Two moves that take a cell W apart prove that its
feasibility interval is at least W wide.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import Kind, Relations
from clerestory.tables.space import IntArray

Move = tuple[IntArray, IntArray]
"""Columns, and by how much each changes; never 0."""


class Moves:
    """The moves known for one table, with the reach they give to each variable.

    table: (variables,) whole numbers that fit, unpublished boxes included; lower: (variables,) least values.
    up, down: (variables,) the farthest change of each variable by a known move; up >= 0 >= down.
    """

    def __init__(self, relations: Relations, table: IntArray, lower: IntArray) -> None:
        self.table, self.lower = table, lower
        by_column = relations.matrix.tocsc()
        self._from, self._rows, self._factors = by_column.indptr, by_column.indices, by_column.data
        self._tails = _Tails(relations)
        self._moves: dict[int, Move] = {}
        self._next = 0
        self._of: defaultdict[int, dict[int, int]] = defaultdict(dict)
        self.up = np.zeros(relations.variables, dtype=np.int64)
        self.down = np.zeros(relations.variables, dtype=np.int64)

    def fits(self, columns: IntArray, steps: IntArray) -> bool:
        """Whether the change keeps every relation and bound, in integer arithmetic."""
        if np.any(self.table[columns] + steps < self.lower[columns]):
            return False
        rows, terms = self._terms(columns, steps)
        if not len(rows):
            return True
        order = np.argsort(rows, kind="stable")
        edges = np.flatnonzero(np.diff(rows[order], prepend=-1))
        return not np.any(np.add.reduceat(terms[order], edges))

    def whole(self, columns: IntArray, steps: IntArray) -> Move | None:
        """A change of boxes with what follows from it in slacks and forms; None if it does not fit."""
        columns, steps = self._tails.added(columns, steps, *self._terms(columns, steps))
        return (columns, steps) if self.fits(columns, steps) else None

    def _terms(self, columns: IntArray, steps: IntArray) -> tuple[IntArray, IntArray]:
        starts = self._from[columns].astype(np.int64)
        counts = self._from[columns + 1] - starts
        ends = np.cumsum(counts)
        at = np.repeat(starts - (ends - counts), counts) + np.arange(int(ends[-1]) if len(ends) else 0)
        return self._rows[at], self._factors[at] * np.repeat(steps, counts)

    def add(self, columns: IntArray, steps: IntArray) -> int:
        """Keeps a move that fits; its columns must be hidden or implied. Returns its number."""
        used = steps != 0
        columns, steps = columns[used], steps[used]
        number, self._next = self._next, self._next + 1
        self._moves[number] = (columns, steps)
        self.up[columns] = np.maximum(self.up[columns], steps)
        self.down[columns] = np.minimum(self.down[columns], steps)
        for column, step in zip(columns.tolist(), steps.tolist(), strict=True):
            self._of[column][number] = step
        return number

    @property
    def next_number(self) -> int:
        """The number that the next move gets."""
        return self._next

    def since(self, number: int) -> set[int]:
        """The moves kept from this number on."""
        return {n for n in range(number, self._next) if n in self._moves}

    def drop(self, numbers: set[int]) -> IntArray:
        """Forgets moves; returns the variables that they changed."""
        touched: list[IntArray] = []
        fallen: set[int] = set()
        for number in numbers:
            columns, steps = self._moves.pop(number)
            touched.append(columns)
            for column in columns.tolist():
                del self._of[column][number]
            # the reach of a variable falls only where this move went as far as any
            fallen.update(columns[(steps == self.up[columns]) | (steps == self.down[columns])].tolist())
        for variable in fallen:
            steps_left = self._of[variable].values()
            self.up[variable] = max(steps_left, default=0)
            self.down[variable] = min(steps_left, default=0)
        changed = np.fromiter(fallen, dtype=np.int64, count=len(fallen))
        self.up[changed] = np.maximum(self.up[changed], 0)
        self.down[changed] = np.minimum(self.down[changed], 0)
        return np.unique(np.concatenate(touched)) if touched else np.zeros(0, dtype=np.int64)

    def through(self, variables: IntArray) -> set[int]:
        """The moves that change any of these variables."""
        return set().union(*(self._of[variable] for variable in variables.tolist()))

    def all(self) -> list[Move]:
        """Every move that is kept, in the order in which they came."""
        return list(self._moves.values())

    def get(self, numbers: set[int]) -> list[Move]:
        """Some moves, in the order in which they came."""
        return [self._moves[number] for number in sorted(numbers)]

    def width(self, variables: IntArray) -> NDArray[np.int64]:
        """The proven width of these variables' feasibility intervals."""
        return np.asarray(self.up[variables] - self.down[variables])


class _Tails:
    """Slacks and forms: each is what one row leaves, so a change of boxes tells theirs."""

    def __init__(self, relations: Relations) -> None:
        matrix = relations.matrix.tocoo()
        tail = np.isin(relations.kinds, (Kind.SLACK, Kind.FORM))
        inside = tail[matrix.col]
        self._column = np.full(relations.matrix.shape[0], -1, dtype=np.int64)
        self._column[matrix.row[inside]] = matrix.col[inside]
        self._factor = np.zeros(relations.matrix.shape[0], dtype=np.int64)
        self._factor[matrix.row[inside]] = matrix.data[inside]
        self._any = bool(tail.any())

    def added(self, columns: IntArray, steps: IntArray, rows: IntArray, terms: IntArray) -> Move:
        if not self._any:
            return columns, steps
        useful = self._column[rows] >= 0
        if not useful.any():
            return columns, steps
        found, place = np.unique(rows[useful], return_inverse=True)
        sums = np.zeros(len(found), dtype=np.int64)
        np.add.at(sums, place.ravel(), terms[useful])
        change = -sums // self._factor[found]
        moved = change != 0
        return np.concatenate([columns, self._column[found][moved]]), np.concatenate([steps, change[moved]])
