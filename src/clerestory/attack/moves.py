"""Moves: changes of one table that a reader could not tell from it, and the widths that they prove.

A move is a sparse vector of whole numbers that keeps every relation and every bound when it is added to the
table; it touches hidden cells and implied boxes only. Two moves that take a cell W apart prove that its
feasibility interval is at least W wide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import Relations
from clerestory.tables.space import IntArray


class Moves:
    """The moves known for one table, with the reach they give to each variable.

    table: (variables,) whole numbers that fit, unpublished boxes included; lower: (variables,) least values.
    up, down: (variables,) the farthest change of each variable by a known move; up >= 0 >= down.
    """

    def __init__(self, relations: Relations, table: IntArray, lower: IntArray) -> None:
        self.table, self.lower = table, lower
        self._matrix = relations.matrix.tocsc()
        self._moves: dict[int, tuple[IntArray, IntArray]] = {}
        self._next = 0
        self._of: list[dict[int, int]] = [{} for _ in range(relations.variables)]
        self.up = np.zeros(relations.variables, dtype=np.int64)
        self.down = np.zeros(relations.variables, dtype=np.int64)

    def fits(self, columns: IntArray, steps: IntArray) -> bool:
        """Whether the change keeps every relation and bound, in integer arithmetic."""
        if np.any(self.table[columns] + steps < self.lower[columns]):
            return False
        return not np.any(self._matrix[:, columns] @ steps)

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

    def drop(self, numbers: set[int]) -> IntArray:
        """Forgets moves; returns the variables whose reach changed."""
        touched: list[IntArray] = []
        for number in numbers:
            columns, _ = self._moves.pop(number)
            touched.append(columns)
            for column in columns.tolist():
                del self._of[column][number]
        if not touched:
            return np.zeros(0, dtype=np.int64)
        variables = np.unique(np.concatenate(touched))
        for variable in variables.tolist():
            steps = self._of[variable].values()
            self.up[variable] = max([0, *steps])
            self.down[variable] = min([0, *steps])
        return variables

    def through(self, variables: IntArray) -> set[int]:
        """The moves that change any of these variables."""
        return set().union(*(self._of[variable] for variable in variables.tolist()))

    def get(self, numbers: set[int]) -> list[tuple[IntArray, IntArray]]:
        """Some moves, in the order in which they came."""
        return [self._moves[number] for number in sorted(numbers)]

    def width(self, variables: IntArray) -> NDArray[np.int64]:
        """The proven width of these variables' feasibility intervals."""
        return np.asarray(self.up[variables] - self.down[variables])
