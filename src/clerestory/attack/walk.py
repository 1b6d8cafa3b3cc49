"""A walk from whole table to whole table by circuits: many ends of intervals are met on the way.

Each step takes one open end as far as circuits carry it from the table at hand, and goes on from there. Every
table on the way fits everything; that is checked in whole-number arithmetic, many steps at a time.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from clerestory.attack.circuits import Board, Circuit
from clerestory.attack.relations import Relations
from clerestory.attack.system import Component
from clerestory.tables.space import IntArray

_BUDGET, _DEEP, _ROUNDS = 8, 1, 20
"""Networks looked at for one circuit, axes on which people may be added, circuits for one end."""
_BATCH = 500
"""Steps after which they are checked and taken in."""


class Walk:
    """Tables of one component (before it was reduced), reached from one another by circuits.

    low, high: (columns,) least and greatest values in checked tables, from `start` on.
    """

    def __init__(self, rules: Relations, part: Component, start: IntArray) -> None:
        self._part, self.table = part, start.copy()
        self.low, self.high = start.copy(), start.copy()
        self._place = np.full(rules.variables, -1, dtype=np.int64)
        self._place[part.columns] = np.arange(len(part.columns))
        room = np.zeros(rules.variables, dtype=np.int64)
        price = np.full(rules.variables, np.inf)
        price[part.columns] = 0.0
        self._board = Board(rules, room, price, room.copy())
        self._taken: list[Circuit] = []
        self._lower = part.lower.astype(np.int64)
        group = self._board.group[part.columns]
        self.possible = bool(len(group)) and bool(np.all(group == group[0])) and bool(group[0] >= 0)
        """Whether circuits tell all that changes: no slack and no overlap of persons is in the component."""

    def sweep(
        self, ends: list[tuple[int, bool]], lower: IntArray, upper: IntArray, rng: np.random.Generator
    ) -> None:
        """Steps towards each end in random order, but for those met on the way.

        ends: positions of columns, and whether the greatest value is meant; lower, upper: (columns,) bounds
        that hold, large where there is none.
        """
        self._board.room[self._part.columns] = self.table - self._lower
        low, high = self.low.copy(), self.high.copy()  # with what is not checked yet
        for number in rng.permutation(len(ends)).tolist():
            place, greatest = ends[number]
            variable = int(self._part.columns[place])
            now = int(self._board.room[variable] + self._lower[place])
            if high[place] >= upper[place] if greatest else low[place] <= lower[place]:
                continue
            want = int(upper[place]) - now if greatest else now - int(lower[place])
            circuit = self._board.move(
                variable,
                1 if greatest else -1,
                want,
                buy=False,
                budget=_BUDGET,
                deep=_DEEP,
                rounds=_ROUNDS,
                seed=int(rng.integers(1 << 30)),
            )
            if circuit is not None:
                self._board.room[circuit.columns] += circuit.steps
                self._taken.append(circuit)
                moved = self._place[circuit.columns]
                values = self._board.room[circuit.columns] + self._lower[moved]
                low[moved], high[moved] = np.minimum(low[moved], values), np.maximum(high[moved], values)
                if len(self._taken) == _BATCH and not self._take_in():
                    return
        self._take_in()

    def _take_in(self) -> bool:
        """Checks the steps taken and what they met; if any is none, all since the last check are dropped."""
        taken, self._taken = self._taken, []
        if not taken:
            return True
        column = self._place[np.concatenate([circuit.columns for circuit in taken])]
        step = np.concatenate([circuit.steps for circuit in taken])
        when = np.repeat(np.arange(len(taken)), [len(circuit.columns) for circuit in taken])
        if np.all(column >= 0):
            changes = csr_matrix((step, (column, when)), (len(self.table), len(taken)))
            order = np.lexsort((when, column))
            column, step = column[order], step[order]
            first = np.flatnonzero(np.diff(column, prepend=-1))
            total = np.cumsum(step)
            before = np.repeat(total[first] - step[first], np.diff(np.append(first, len(column))))
            values = self.table[column] + total - before
            part = self._part
            fits = np.all(values >= part.lower[column]) and np.all(values <= part.upper[column])
            if fits and not np.any((part.matrix @ changes).data):
                met = column[first]
                self.low[met] = np.minimum(self.low[met], np.minimum.reduceat(values, first))
                self.high[met] = np.maximum(self.high[met], np.maximum.reduceat(values, first))
                self.table[met] = values[np.append(first[1:], len(values)) - 1]
                return True
        self._board.room[self._part.columns] = self.table - self._lower
        return False
