"""The ends of all intervals of one component: whole tables from inside, bounds from outside, until they meet.

Work is cut into the same lanes whatever the number of workers, and taken in in the same order, so the answer
does not depend on the machine. The solver leaves other threads free while it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from clerestory.attack.inside import Inside
from clerestory.attack.programs import whole
from clerestory.attack.reduce import Reduced, tightened
from clerestory.attack.relations import Relations
from clerestory.attack.slabs import Cut, End, Slab, cut
from clerestory.attack.system import Component, FloatArray, contradiction
from clerestory.attack.tables import any_table, ceiling, program
from clerestory.attack.vertices import Vertices, open_upwards
from clerestory.attack.walk import Walk
from clerestory.tables.space import IntArray

_LANES = 2
"""Linear programs that are kept side by side."""
_LARGE = 1_500
"""Columns up to which one lane does all the work: a second one costs more than it saves."""
_AT_ONCE = 40
"""Ends pushed by one objective."""
_POOR = 0.01
"""Share of the undecided ends that a round must decide; else it was a poor one."""
_LAST = 0.005
"""The same once bounds are as near as slabs bring them."""
_PATIENCE = 3
"""Poor rounds in a row after which something else is tried."""
_SWEEPS = 2
"""Walks by circuits, and rounds of pushes in single slabs, before anything else."""
_SLABS = (2, 3, 4, 6, 10)
"""Slabs in which ends are pushed together, in turn."""
_MOST = 3_000
"""Columns in a group of slabs."""
_ROUND = 0.02
"""Share of the undecided ends that a round of pushes in groups of slabs must decide."""
_WHOLE = 4_000
"""Columns up to which what slabs left open is tried in the whole component."""
_CHUNK = 16
"""Ends that a lane takes one by one before what it found is taken in."""
_TRIES = 2
"""Whole tables tried at the optimum of one end."""
_FIRST = 8
"""Vertices tried for a first whole table."""
_INTEGER = 500
"""Columns up to which an end is decided by an integer program where nothing else did."""
_NODES = 2_000
"""Branch-and-bound nodes for it."""
_SURE = 1e-5
"""How far a solver's bound may be off, in units of the cell."""

Found = tuple[FloatArray | None, IntArray | None]
"""A vertex, and a whole table near it."""


class Ends:
    """Bounds that hold (lower, upper) and values seen in whole tables (low, high), of a reduced component."""

    def __init__(
        self, rules: Relations, before: Component, small: Reduced, *, seed: int, workers: int
    ) -> None:
        self._rules, self._before, self._small = rules, before, small
        self.part = small.part
        self.lower, self.upper = self.part.lower.copy(), self.part.upper.copy()
        size = len(self.part.columns)
        self.low, self.high = np.full(size, np.inf), np.full(size, -np.inf)
        rhs = self.part.rhs.astype(np.float64)
        lanes = _LANES if size > _LARGE else 1
        self._lanes = [
            Vertices(self.part.matrix, rhs, rhs, self.lower.copy(), self.upper.copy()) for _ in range(lanes)
        ]
        self._by_column = self.part.matrix.tocsc()
        self._table = np.zeros(size, dtype=np.int64)
        self._rngs = [np.random.default_rng([seed, lane]) for lane in range(lanes)]
        self._workers = min(workers, lanes)
        grows = open_upwards(self.part.matrix, np.isinf(self.upper))
        self._endless = np.isinf(self.upper) if grows is None else grows
        if grows is not None:
            self.high[grows] = np.inf

    def first(self, start: IntArray | None) -> None:
        """A first whole table. Raises InputError if there is none, Undecided if none was found."""
        if start is not None:
            place = np.searchsorted(self._before.columns, self.part.columns)
            if not self._saw(start[place]):
                raise contradiction(self._rules)
            return
        rng, lane = self._rngs[0], self._lanes[0]
        limited = np.flatnonzero(~self._endless)
        columns = limited if len(limited) else np.arange(len(self.part.columns))
        for _ in range(_FIRST):
            ways = rng.choice([-1.0, 1.0], len(columns)) if len(limited) else np.full(len(columns), -1.0)
            vertex = lane.push(columns, ways * rng.uniform(0.5, 1, len(columns)))
            table = None if vertex is None else lane.whole_near(vertex, rng)
            if table is not None and self._saw(table):
                return
        table = any_table(ceiling(self.part, 0), rng)
        if table is None or not self._saw(table):
            raise contradiction(self._rules)

    def decide(self, progress: Callable[[str], None] | None) -> None:
        """Brings as many ends together as it can."""

        def said(what: str) -> None:
            if progress is not None:
                progress(f"{what}: {len(self.open()):,} ends of intervals left")

        pieces = cut(self._rules, self._before, self._small)
        walk = Walk(self._rules, self._before, self._small.back(self._table))
        self._walk(walk, _SWEEPS)
        said("walked by circuits")
        if pieces is not None:
            self._in_pieces(pieces, walk, said)
            if len(self.part.columns) > _WHOLE:
                return
        self._sweep(_AT_ONCE)
        said("pushed many at once")
        self._one_by_one(self._limit)
        said("bounded one by one")
        at_once = _AT_ONCE
        while at_once > 1 and self.open():
            self._sweep(at_once, _LAST)
            at_once //= 3
        said("pushed some at once")
        for _ in range(_TRIES):
            self._one_by_one(self._near)
        if len(self.part.columns) <= _INTEGER:
            for end in self.open():
                self._integer(end)
        said("tried one by one")

    def _in_pieces(self, pieces: Cut, walk: Walk, said: Callable[[str], None]) -> None:
        """Tables that differ in a slab or some, and bounds from faces and slabs."""
        for _ in range(_SWEEPS):
            self._inside(pieces.groups(1, self._rngs[0]), _AT_ONCE)
            self._walk(walk, 1)
        said("pushed in slabs")
        self._bounds(pieces.faces)
        said("bounded by faces")
        for count in _SLABS[:2]:
            self._together(pieces, walk, count)
            said(f"pushed in {count} slabs at a time")
        self._bounds(pieces.slabs)
        said("bounded by slabs")
        for count in _SLABS[1:]:
            if all(len(group) > _MOST for group in pieces.groups(count, self._rngs[0])):
                break
            self._together(pieces, walk, count)
            said(f"pushed in {count} slabs at a time")
            self._inside(pieces.groups(1, self._rngs[0]), 1)
            said("pushed one by one in slabs")

    def _together(self, pieces: Cut, walk: Walk, count: int) -> None:
        """Pushes ends in random groups of slabs, for as long as that decides some."""
        decided, before = 1, 1
        while decided >= max(_ROUND * before, 1):
            before = len(self.open())
            groups = [group for group in pieces.groups(count, self._rngs[0]) if len(group) <= _MOST]
            if not before or not groups:
                return
            self._inside(groups, _AT_ONCE)
            self._walk(walk, 1)
            decided = before - len(self.open())

    def _walk(self, walk: Walk, sweeps: int) -> None:
        """Circuits from the table at hand, which is another one afterwards."""
        if not walk.possible:
            return
        lower, upper = self._small.ends(self.lower, self.upper)
        least = lower.astype(np.int64)
        most = np.where(np.isinf(upper), float(1 << 40), upper).astype(np.int64)
        place = np.searchsorted(self._before.columns, self.part.columns)
        walk.table = self._small.back(self._table)
        for _ in range(sweeps):
            ends = [
                (int(place[c]), greatest)
                for c, greatest in self.open()
                if not (greatest and self._endless[c])
            ]
            walk.sweep(ends, least, most, self._rngs[0])
            self.low = np.minimum(self.low, walk.low[place])
            self.high = np.maximum(self.high, walk.high[place])
        self._table = walk.table[place]

    def _inside(self, groups: list[IntArray], count: int) -> None:
        """Pushes ends, `count` at once, inside some columns, with all others held where they are."""
        for start in range(0, len(groups), _LANES):
            taken = np.zeros(len(self.part.columns), dtype=bool)
            wave: list[IntArray] = []
            for columns in groups[start : start + _LANES]:
                own = columns[~taken[columns]]  # what changes in different columns can be added up
                taken[own] = True
                if len(own):
                    wave.append(own)
            rngs = [np.random.default_rng(self._rngs[0].integers(1 << 30)) for _ in wave]
            with ThreadPoolExecutor(self._workers) as pool:
                results = list(pool.map(self._tables_inside, wave, [count] * len(wave), rngs))
            for own, tables in zip(wave, results, strict=True):
                for values in tables:
                    table = self._table.copy()
                    table[own] = values
                    self._saw(table)

    def _tables_inside(self, columns: IntArray, count: int, rng: np.random.Generator) -> list[IntArray]:
        program = Inside(
            self.part.matrix,
            self._by_column,
            columns,
            self._table[columns],
            (self.lower, self.upper),
            (self.low, self.high),
        )
        return program.one_by_one(rng) if count == 1 else program.at_once(count, rng)

    def open(self) -> list[End]:
        """The ends that are not exact."""
        least = np.flatnonzero(self.low > self.lower)
        most = np.flatnonzero(self.high < self.upper)
        return [(c, False) for c in least.tolist()] + [(c, True) for c in most.tolist()]

    def _map(self, work: Callable[[int], list[Found]]) -> list[list[Found]]:
        """The work of every lane, in their order."""
        lanes = range(len(self._lanes))
        if self._workers == 1:
            return [work(lane) for lane in lanes]
        with ThreadPoolExecutor(self._workers) as pool:
            return list(pool.map(work, lanes))

    def _saw(self, table: IntArray) -> bool:
        """Takes in a table if it fits everything, in integer arithmetic."""
        if not self.part.holds(table) or not self._before.holds(self._small.back(table)):
            return False
        self.low = np.minimum(self.low, table)
        self.high = np.maximum(self.high, table)
        self._table = table
        return True

    def _outer(self, end: End, bound: float) -> None:
        column, greatest = end
        if greatest:
            self.upper[column] = min(self.upper[column], np.floor(bound + _SURE))
        else:
            self.lower[column] = max(self.lower[column], np.ceil(bound - _SURE))

    def _some(self, ends: list[End], count: int, rng: np.random.Generator) -> list[End]:
        """Random ends, at most one of a column, none that has no limit."""
        picked: dict[int, End] = {}
        for i in rng.permutation(len(ends))[:count].tolist():
            column, greatest = ends[i]
            if not (greatest and self._endless[column]):
                picked.setdefault(column, ends[i])
        return list(picked.values())

    def _push(self, lane: int, ends: list[End], *, near: bool = True) -> Found:
        """The vertex where these ends are farthest, and a whole table: near it, or only if it is one."""
        if not ends:
            return None, None
        columns = np.array([column for column, _ in ends], dtype=np.int64)
        ways = np.array([1.0 if greatest else -1.0 for _, greatest in ends])
        vertex = self._lanes[lane].push(columns, ways)
        if vertex is None:
            return None, None
        table = self._lanes[lane].whole_near(vertex, self._rngs[lane]) if near else whole(vertex)
        return vertex, table

    def _sweep(self, at_once: int, least: float = _POOR) -> None:
        """Pushes random ends at once, for as long as that decides some."""
        poor = 0
        while poor < _PATIENCE:
            ends = self.open()
            if not ends:
                return
            chosen = [self._some(ends, at_once, rng) for rng in self._rngs]
            for found in self._map(lambda lane, c=chosen: [self._push(lane, c[lane])]):  # type: ignore[misc]
                for _, table in found:
                    if table is not None:
                        self._saw(table)
            decided = len(ends) - len(self.open())
            poor = 0 if decided >= max(least * len(ends), 1) else poor + 1

    def _bounds(self, blocks: list[Slab]) -> bool:
        """Outer bounds from slabs, and what follows from them; whether that decided any end."""
        ends = self.open()
        lower, upper = self.lower.copy(), self.upper.copy()

        def work(slab: Slab) -> list[tuple[End, float]]:
            inside = np.zeros(len(lower), dtype=bool)
            inside[slab.columns] = True
            wanted = [end for end in ends if inside[end[0]]]
            return slab.ends(self.part.rhs, lower, upper, wanted) if wanted else []

        with ThreadPoolExecutor(self._workers) as pool:
            for found in pool.map(work, blocks):
                for end, bound in found:
                    self._outer(end, bound)
        self._tighten()
        return len(self.open()) < len(ends)

    def _tighten(self) -> None:
        self.lower, self.upper = tightened(self.part.matrix, self.part.rhs, self.lower, self.upper)
        for lane in self._lanes:
            lane.bounds(self.lower.copy(), self.upper.copy())

    def _one_by_one(self, find: Callable[[int, End], Found]) -> None:
        """Each open end by itself; its linear optimum is an outer bound."""
        waiting = self.open()
        while waiting:
            still = set(self.open())
            waiting = [end for end in waiting if end in still]
            size = _CHUNK * len(self._lanes)
            chunk, waiting = waiting[:size], waiting[size:]
            cut = [chunk[lane :: len(self._lanes)] for lane in range(len(self._lanes))]
            results = self._map(lambda lane, c=cut: [find(lane, end) for end in c[lane]])  # type: ignore[misc]
            for ends, found in zip(cut, results, strict=True):
                for end, (vertex, table) in zip(ends, found, strict=True):
                    if vertex is not None:
                        self._outer(end, float(vertex[end[0]]))
                    if table is not None:
                        self._saw(table)
        self._tighten()

    def _limit(self, lane: int, end: End) -> Found:
        return self._push(lane, [end], near=False)

    def _near(self, lane: int, end: End) -> Found:
        return self._push(lane, [end])

    def _integer(self, end: End) -> None:
        """One end by an integer program."""
        column, greatest = end
        if end not in self.open():
            return
        part = Component(self.part.columns, self.part.matrix, self.part.rhs, self.lower, self.upper)
        limited = ceiling(part, 0)
        search = program(limited, integer=True, nodes=_NODES)
        costs = np.zeros(len(part.columns))
        costs[column] = 1.0
        search.set_costs(costs)
        answer = search.solve(greatest=greatest)
        if answer.values is None:
            return
        self._saw(np.rint(answer.values).astype(np.int64))
        capped = np.isinf(part.upper) & (answer.values >= limited.upper - 0.5)
        if np.isfinite(answer.bound) and not capped.any():
            self._outer(end, answer.bound)
