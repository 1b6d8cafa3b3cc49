"""The exact feasibility interval of every hidden cell at once.

An end is exact where a whole table that fits everything attains an outer bound. Tables come from circuits and
from vertices that push many undecided ends at a time, made whole; outer bounds from propagation, from slabs
of the system and from their faces; in systems that are not too large also from the whole of it, one end at a
time. What has no such proof within the limits is said to be not exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.ends import Ends
from clerestory.attack.levels import Level, seen_at
from clerestory.attack.reduce import reduced
from clerestory.attack.relations import Relations, relations
from clerestory.attack.system import attackers_system, components, contradiction
from clerestory.errors import InputError
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

UNBOUNDED = -1
"""The greatest value of a cell that nothing limits."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """Feasibility intervals of the hidden cells, over all whole-number tables that fit, in each cell's unit.

    cells: (n,) hidden cells. low, high: (n,) ends that surely hold, UNBOUNDED where nothing limits the cell;
    exact: (n,) bool, whether both ends are attained. seen_low, seen_high: (n,) least and greatest value in
    the tables that were found; equal to low and high where exact and bounded.
    """

    level: Level
    cells: IntArray
    low: IntArray
    high: IntArray
    exact: NDArray[np.bool_]
    seen_low: IntArray
    seen_high: IntArray


def feasibility_intervals(
    public: PublicCells,
    *,
    level: Level = Level.POLICY,
    start: IntArray | None = None,
    known: Relations | None = None,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Intervals:
    """Least and greatest value of every hidden cell for the attacker of level 1 or 2.

    start: (variables of the relations,) a whole table known to fit, to save finding one. known:
    relations(public.space), if at hand. workers: threads; they do not change the answer. Raises InputError
    if the published values contradict each other, Undecided if no whole table was found.
    Source: the attacker's problem, Handbook on Statistical Disclosure Control, ch. 4.
    """
    if level == Level.FINEST:
        raise InputError(
            "the finest cells are attacked cell by cell",
            where="level",
            fix="ask for level 1 or 2 here, or use attack.finest",
        )
    rules = known if known is not None else relations(public.space)
    system = attackers_system(rules, seen_at(public, level))
    lower, upper = system.lower.copy(), system.upper.copy()
    low, high = lower.copy(), upper.copy()
    for part in components(system):
        small = reduced(part)
        if small is None:
            raise contradiction(rules)
        search = Ends(rules, part, small, seed=seed, workers=workers)
        search.first(None if start is None else start[part.columns])
        search.decide(progress)
        columns = part.columns
        lower[columns], upper[columns] = small.ends(search.lower, search.upper)
        low[columns], high[columns] = small.ends(search.low, search.high)
    cells = np.flatnonzero(public.hidden)
    endless = np.isinf(upper[cells]) & np.isinf(high[cells])
    exact = (lower[cells] == low[cells]) & (upper[cells] == high[cells])
    return Intervals(
        level=level,
        cells=cells,
        low=lower[cells].astype(np.int64),
        high=np.where(np.isinf(upper[cells]), UNBOUNDED, upper[cells]).astype(np.int64),
        exact=np.asarray(exact),
        seen_low=low[cells].astype(np.int64),
        seen_high=np.where(endless, UNBOUNDED, np.where(np.isinf(high[cells]), 0, high[cells])).astype(
            np.int64
        ),
    )
