"""Hides sums: those that give a contributor away, and more until every hidden one is far enough from known.

Each distance is proven by a whole-number table that agrees with everything shown: the true one and a change
that keeps every relation. Source: complementary suppression with upper and lower protection levels, Handbook
on Statistical Disclosure Control, ch. 4; single contributors, tau-ARGUS User's Manual, "singletons".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.moves import Moves
from clerestory.attack.neighbourhood import Neighbourhoods
from clerestory.attack.relations import Relations, relations
from clerestory.attack.tables import completed
from clerestory.confidential.standalone.contributions import Contributions
from clerestory.errors import Refused
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
Progress = Callable[[str], None]

_BUYING = ((20, True), (60, True), (0, True))
"""Neighbourhoods in which cells may be hidden: siblings on a line, with parents; 0 is everything."""
_LOOKING = ((20, True),)
"""Neighbourhoods in which what is hidden already is tried."""
_KEPT = 0.1
"""Share of the secondaries that pruning leaves alone, drawn by the secret seed."""


@dataclass(frozen=True, eq=False)
class HiddenSums:
    """hidden, primary: (cells,) bool."""

    hidden: BoolArray
    primary: BoolArray


def hide_sums(
    found: Contributions,
    levels: IntArray,
    *,
    within: float,
    seed: int,
    progress: Progress | None = None,
) -> HiddenSums:
    """Which sums are hidden so that each can be larger and smaller by its level, and by `within` percent.

    levels: (cells,) of the sensitive ones, else 0. A sum of u units stays at least 1, so what it cannot be
    smaller it can be larger. Raises Refused, naming the cell, where no set of hidden cells is enough.
    """
    rules = relations(found.space)
    pattern = _Pattern(rules, found, levels, within, seed)
    primary = (levels > 0) & (found.sums > 0)
    pattern.hide(np.flatnonzero(primary))
    pattern.construct(progress)
    pattern.prune(primary, progress)
    return HiddenSums(pattern.hidden, primary)


class _Pattern:
    """The growing and shrinking set of hidden cells, and the moves that prove their distances."""

    def __init__(
        self, rules: Relations, found: Contributions, levels: IntArray, within: float, seed: int
    ) -> None:
        self.rules, self.found, self.levels = rules, found, levels
        self.cells = len(found.space)
        table = completed(rules, found.sums, seed=seed)
        lower = np.where(np.arange(rules.variables) < self.cells, 1, 0)
        need = np.maximum(levels, np.ceil(within / 100 * found.sums - 1e-9).astype(np.int64))
        self.down = np.minimum(need, np.maximum(found.sums - 1, 0))
        self.up = 2 * need - self.down
        self.hidden = np.zeros(self.cells, dtype=bool)
        self.rng = np.random.default_rng(seed)
        self.moves = Moves(rules, table, lower)
        open_ = np.arange(rules.variables) >= self.cells
        self.near = Neighbourhoods(rules, self.moves, open_, self._prices(table))
        self.lines = rules.matrix[np.flatnonzero(rules.parents >= 0)]
        self.parents, self.children = self.lines.maximum(0), (-self.lines).maximum(0)

    def _prices(self, table: IntArray) -> NDArray[np.float64]:
        """Near 1 a cell, more for those that many contribute to; ties are broken by the secret seed."""
        prices = np.full(self.rules.variables, np.inf)
        size = np.log2(1.0 + self.found.contributors)
        prices[: self.cells] = 1 + 0.15 * size + 0.1 * self.rng.random(self.cells)
        prices[: self.cells][table[: self.cells] == 0] = np.inf  # a zero is never hidden
        return prices

    def hide(self, cells: IntArray) -> None:
        self.hidden[cells] = True
        self.near.open[cells] = True

    def lacking(self, cells: IntArray) -> IntArray:
        """Those of the cells that the known moves do not take far enough."""
        cells = cells[self.hidden[cells]]
        short = (self.moves.up[cells] < self.up[cells]) | (-self.moves.down[cells] < self.down[cells])
        return np.asarray(cells[short])

    def construct(self, progress: Progress | None) -> None:
        """Hides more until every hidden cell has its distances. Raises Refused if that is impossible."""
        while True:
            before = int(self.hidden.sum())
            short = self.lacking(np.flatnonzero(self.hidden))
            if progress is not None and len(short):
                progress(f"{len(short)} sums need room")
            for cell in short[np.lexsort((self.rng.random(len(short)), -self.up[short]))].tolist():
                if not self.cover(cell, buy=True):
                    self._hide_totals(cell)
                    if not self.cover(cell, buy=True):
                        raise Refused(
                            "no set of hidden cells keeps this sum as uncertain as its rules ask for",
                            where=self.found.space.describe(cell),
                            fix="use coarser categories or fewer dimensions",
                        )
            for line in self.bare_lines():
                self._hide_one_more(line)
            if int(self.hidden.sum()) == before:
                return

    def cover(self, cell: int, *, buy: bool) -> bool:
        """Finds the moves that a cell lacks, hiding cells if allowed; False if there are none in reach."""
        for way, need in ((1, int(self.up[cell])), (-1, int(self.down[cell]))):
            known = int(self.moves.up[cell] if way > 0 else -self.moves.down[cell])
            if known >= need:
                continue
            for breadth, climb in _BUYING if buy else _LOOKING:
                flow = self.near.flow(cell, way * need, breadth=breadth, climb=climb, buy=buy)
                if flow is not None:
                    self.hide(flow.bought)
                    self.moves.add(flow.columns, flow.steps)
                    break
            else:
                return False
        return True

    def _hide_totals(self, cell: int) -> None:
        """The last resort: every published cell that holds this one's box, up to the total."""
        space = self.found.space
        inside = np.ones(self.cells, dtype=bool)
        for axis, book in enumerate(space.sets):
            own = space.cells[cell, axis]
            inside &= ~np.any(book[own][None, :] & ~book, axis=1)[space.cells[:, axis]]
        self.hide(np.flatnonzero(inside & (self.found.sums > 0)))

    def bare_lines(self) -> IntArray:
        """Lines of which two parts are not known, one a single contributor's and both sensitive: he knows his
        own, and so the other. (Of a total that he is part of he learns nothing that is not public.)"""
        unknown = np.ones(self.rules.variables, dtype=np.int64)
        unknown[: self.cells] = self.hidden
        single, sensitive = np.zeros((2, self.rules.variables), dtype=np.int64)
        single[: self.cells] = self.hidden & (self.found.contributors == 1)
        sensitive[: self.cells] = self.hidden & (self.levels > 0)
        bare = (self.parents @ unknown == 0) & (self.children @ unknown == 2)
        bare &= (self.children @ single > 0) & (self.children @ sensitive == 2)
        return np.flatnonzero(bare)

    def _hide_one_more(self, line: int) -> None:
        inside = self.lines[line].indices
        left = inside[np.isfinite(self.near.prices[inside]) & ~self.near.open[inside]]
        if not len(left):
            raise Refused(
                "a single contributor can work out another one's sum, and nothing else can be hidden",
                where=self.found.space.describe(int(inside[0])),
                fix="use coarser categories or fewer dimensions",
            )
        self.hide(left[[int(np.argmin(self.near.prices[left]))]])

    def prune(self, primary: BoolArray, progress: Progress | None) -> None:
        """Shows again, dearest first, what is hidden without need."""
        extra = np.flatnonzero(self.hidden & ~primary)
        extra = extra[self.rng.random(len(extra)) >= _KEPT]
        shown = sum(
            self._show(int(cell)) for cell in extra[np.argsort(-self.near.prices[extra], kind="stable")]
        )
        if progress is not None:
            progress(f"{shown} of {len(extra)} secondary sums shown again")

    def _show(self, cell: int) -> bool:
        through = self.moves.through(np.array([cell]))
        kept = self.moves.get(through)
        self.hidden[cell] = self.near.open[cell] = False
        touched = self.moves.drop(through)
        short = self.lacking(touched[touched < self.cells])
        if all(self.cover(other, buy=False) for other in short.tolist()) and not len(self.bare_lines()):
            return True
        self.hide(np.array([cell]))
        for columns, steps in kept:
            self.moves.add(columns, steps)
        return False
