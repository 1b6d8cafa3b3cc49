"""Whole tables that fit bounded numbers: two that differ in a count prove that it is not told.

Each question moves many counts at once, and the next one those that are left. Tables are checked in
whole-number arithmetic before they count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.bounded import Narrowed
from clerestory.attack.optimum import Infeasible, whole_optimum
from clerestory.attack.system import Component, components
from clerestory.tables.space import IntArray

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


def two_tables(found: Narrowed, *, seed: int = 0, progress: Callable[[str], None] | None = None) -> Seen:
    """Tables that take the judged counts apart, as far as they can be found. found: nothing broken in it."""
    system = found.system
    size = system.relations.variables
    least = np.full(size, np.iinfo(np.int64).max)
    greatest = np.full(size, np.iinfo(np.int64).min)
    fixed = ~system.free
    least[fixed] = greatest[fixed] = system.lower[fixed].astype(np.int64)
    for part in components(system):
        judged = found.judged[part.columns]
        if judged.any():
            search = _Search(part, judged, found.need[part.columns], seed)
            search.run(progress)
            least[part.columns], greatest[part.columns] = search.least, search.greatest
    return Seen(least, greatest, np.flatnonzero(found.judged & (_reach(least, greatest) < found.need)))


def _reach(least: IntArray, greatest: IntArray) -> IntArray:
    seen = greatest >= least
    return np.where(seen, greatest, 0) - np.where(seen, least, 0)


class _Search:
    """The search in one component."""

    def __init__(self, part: Component, judged: NDArray[np.bool_], need: IntArray, seed: int) -> None:
        self.part, self.judged, self.need = part, judged, need
        width = len(part.columns)
        self.least = np.full(width, np.iinfo(np.int64).max)
        self.greatest = np.full(width, np.iinfo(np.int64).min)
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
