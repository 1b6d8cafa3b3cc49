"""Keeps the whole-number tables that an attack finds, and of them as few as still prove every width."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from clerestory.tables.space import IntArray

Step = tuple[IntArray, IntArray]
"""Columns, sorted, and by how much each differs from the base table there; never 0."""


class Witnesses:
    """One base table, and others as steps from it.

    base: (variables,) whole numbers that fit everything; set before the first table is added.
    """

    def __init__(self) -> None:
        self.base: IntArray = np.zeros(0, dtype=np.int64)
        self.steps: list[Step] = []

    def add(self, columns: IntArray, table: IntArray) -> None:
        """A table that equals the base but for these columns."""
        change = table - self.base[columns]
        moved = np.flatnonzero(change)
        if len(moved):
            order = moved[np.argsort(columns[moved], kind="stable")]
            self.steps.append((columns[order], change[order]))

    def few(self, need: IntArray, least: IntArray) -> list[Step]:
        """Steps that reach, for every variable, what matters or as far as all of them together do.

        need: (variables,) the width that matters, 0 where none does; least: (variables,) what the largest
        value must reach. Steps that add nothing are left out: once from the front, then from the back, where
        later and more special steps are.
        """
        up, down = _reach(self.steps, len(self.base))
        enough = np.minimum(need, up - down)
        rise = np.minimum(np.maximum(least - self.base, 0), up)
        kept = _adding(self.steps, enough, rise)
        return _adding(kept[::-1], enough, rise)[::-1]


def _reach(steps: Iterable[Step], variables: int) -> tuple[IntArray, IntArray]:
    up, down = np.zeros((2, variables), dtype=np.int64)
    for columns, change in steps:
        up[columns] = np.maximum(up[columns], change)
        down[columns] = np.minimum(down[columns], change)
    return up, down


def _adding(steps: Iterable[Step], enough: IntArray, rise: IntArray) -> list[Step]:
    """The steps, in order, that widen or raise a variable for which those before are not enough."""
    up, down = np.zeros((2, len(enough)), dtype=np.int64)
    kept: list[Step] = []
    for columns, change in steps:
        higher, lower = np.maximum(up[columns], change), np.minimum(down[columns], change)
        lacking = up[columns] - down[columns] < enough[columns]
        raised = (up[columns] < rise[columns]) & (higher > up[columns])
        if np.any(raised | lacking & ((higher > up[columns]) | (lower < down[columns]))):
            up[columns], down[columns] = higher, lower
            kept.append((columns, change))
    return kept
