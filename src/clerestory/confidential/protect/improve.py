"""Makes a pattern leaner: shows again what is hidden without need, then looks for a cheaper one.

Small sources get the cheapest pattern, larger ones the cheapest in one part after another while the rest
stays as it is. A pattern that is not cheaper once everything is wide is taken back.
Source: large neighbourhood search, P. Shaw, "Using constraint programming and local search methods to solve
vehicle routing problems", CP 1998.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.moves import Move
from clerestory.confidential.protect.optimal import Search
from clerestory.confidential.protect.pattern import PROBES, Pattern, Progress
from clerestory.confidential.protect.rows import Reader
from clerestory.tables.space import IntArray

_KEPT = 0.02
"""Share of the secondaries that pruning leaves alone, drawn by the secret seed: a reader who re-runs the
method must not be able to conclude that each hidden cell was needed (level 4)."""
_PROGRAMS = 4_000
"""Variables of a source up to which pruning may use programs too, not only circuits."""
_MANY, _HUB = 1_500, 6
"""Secondaries from which those with more moves through them are left alone: they are hardly ever free."""
_LARGE = 10_000
"""Cells that might be hidden from which a source is only pruned."""
_SMALL = 260
"""The same up to which the cheapest pattern is sought over the whole source."""
_LINEAR, _WHOLE = 30, 24
"""Rounds of linear and of 0-1 programs for a small source."""
_ROUNDS = 24
"""Parts tried in a small source; fewer in larger ones, where each takes longer."""
_FEWEST = 7
"""Parts tried at least."""
_FREE = 40
"""Boxes in such a part."""
_SIZES, _TIES = 0.02, 0.01
"""By how much costs differ at most by the share of all records, and by the secret seed."""


def improve(pattern: Pattern, primary: NDArray[np.bool_], seed: int, progress: Progress | None) -> None:
    """Replaces the pattern by a cheaper one: the cheapest for small sources, else part by part."""
    size = int(np.isfinite(pattern.prices).sum())
    if size > _LARGE or pattern.fixed.any() or pattern.then.any() or pattern.told.any():
        _prune(pattern, primary, progress)
        return
    search = _search(pattern, primary, seed)
    count = len(search.costs)
    if size <= _SMALL:
        _try(pattern, search, np.ones(count, dtype=bool), None, linear=_LINEAR, whole=_WHOLE)
        if search.settled:
            return
    rounds = max(_FEWEST, _ROUNDS * _SMALL // max(size, _SMALL))
    better = 0
    for _ in range(rounds):
        boxes = _secondary(pattern, primary)
        if not len(boxes):
            return
        free = _around(pattern, int(pattern.rng.choice(boxes)), count)
        near = _near(pattern, free)
        better += _try(pattern, search, free, near, linear=4 if size <= _SMALL else 0, whole=20)
    if progress is not None:
        progress(f"{better:,} improvements in {rounds:,} parts")


def _prune(pattern: Pattern, primary: NDArray[np.bool_], progress: Progress | None) -> None:
    """Shows again, dearest first, what is hidden without need."""
    boxes = _secondary(pattern, primary)
    boxes = boxes[pattern.rng.random(len(boxes)) >= _KEPT]
    most = _HUB if len(boxes) > _MANY else len(boxes) ** 2
    price = np.array([_price(pattern, box) for box in boxes.tolist()])
    shown = 0
    for box in boxes[np.argsort(-price, kind="stable")].tolist():
        shown += _without(pattern, box, most)
    if progress is not None:
        progress(f"{shown:,} of {len(boxes):,} secondary cells shown again")


def _search(pattern: Pattern, primary: NDArray[np.bool_], seed: int) -> Search:
    """Every cell costs its loss, more where it holds much of all; ties are broken by the secret seed."""
    count = len(pattern.cells_of)
    hideable = np.isfinite(pattern.prices)
    large = pattern.records / max(1, int(pattern.records.max(initial=0)))
    ties = 1 + _TIES * np.random.default_rng(seed + 2).random(count)
    worth = np.bincount(pattern.boxes, hideable * pattern.loss * (1 + _SIZES * large), minlength=count)
    costs = worth.astype(np.float64) * ties
    fixed = np.zeros(count, dtype=bool)
    fixed[pattern.boxes[primary]] = True
    reader = Reader(
        pattern.rules,
        pattern.table,
        pattern.lower,
        pattern.boxes,
        hideable,
        pattern.reach.needs,
        pattern.judged,
    )
    return Search(reader, costs, fixed, costs == 0, pattern.limit, seed)


def _try(
    pattern: Pattern,
    search: Search,
    free: NDArray[np.bool_],
    near: NDArray[np.bool_] | None,
    *,
    linear: int,
    whole: int,
) -> bool:
    """Whether a pattern that differs in free boxes only costs less; the pattern is then that."""
    before = np.zeros(len(free), dtype=bool)
    before[pattern.boxes[pattern.hidden]] = True
    moves = pattern.moves.all()
    for columns, steps in moves:
        search.reader.steps.add(columns, steps)
    found = search.cheaper(before, free, near, linear=linear, whole=whole)
    if found.hidden is None or (near is not None and not found.protects):
        return False
    usable = search.reader.usable(found.hidden.astype(np.float64))
    pattern.replace(found.hidden, search.reader.steps.within(usable))
    pattern.construct(None)
    after = np.unique(pattern.boxes[pattern.hidden])
    if search.costs[after].sum() < search.costs[before].sum():
        return True
    pattern.replace(before, moves)
    return False


def _near(pattern: Pattern, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(variables,) what shares a row with free boxes."""
    near = np.zeros(pattern.rules.variables, dtype=bool)
    near[pattern.beside(np.flatnonzero(free[pattern.boxes]))] = True
    return near


def _around(pattern: Pattern, first: int, count: int) -> NDArray[np.bool_]:
    """(boxes,) the boxes of a small grid through one: a few places on each axis where others are hidden."""
    coordinates = pattern.rules.boxes[: pattern.cells].astype(np.int64)
    hideable = np.isfinite(pattern.prices)
    here = coordinates[pattern.cells_of[first][0]]
    inside = coordinates == here  # (cells, axes)
    axes = np.arange(coordinates.shape[1])
    while True:
        grid = inside.all(axis=1) & hideable
        if int(grid.sum()) >= _FREE:
            break
        # along which axis, and to where: a hidden cell that differs from the grid on one axis only
        beside = np.flatnonzero((inside.sum(axis=1) == len(axes) - 1) & pattern.hidden)
        if not len(beside):
            break
        weights = [np.flatnonzero(~inside[beside, axis]) for axis in axes]
        axis = int(pattern.rng.choice([axis for axis in axes if len(weights[axis])]))
        place = coordinates[beside[pattern.rng.choice(weights[axis])], axis]
        inside[:, axis] |= coordinates[:, axis] == place
    free = np.zeros(count, dtype=bool)
    free[pattern.boxes[grid]] = True
    return free


def _secondary(pattern: Pattern, primary: NDArray[np.bool_]) -> IntArray:
    own = np.unique(pattern.boxes[primary])
    return np.setdiff1d(np.unique(pattern.boxes[pattern.hidden]), own)


def _price(pattern: Pattern, box: int) -> float:
    return float(pattern.prices[pattern.cells_of[box]].sum())


def _without(pattern: Pattern, box: int, most: int) -> bool:
    """Whether everything is wide without this box; if not, nothing changes. most: moves through it."""
    moves = pattern.moves
    through = moves.through(pattern.cells_of[box])
    if len(through) > most:
        return False
    dropped: list[Move] = moves.get(through)
    first = moves.next_number
    pattern.show(box)
    touched = moves.drop(through)
    if not pattern.small_near(pattern.cells_of[box]) and _wide(pattern, touched):
        return True
    moves.drop(moves.since(first))
    pattern.hide(np.array([box]))
    for columns, steps in dropped:
        moves.add(columns, steps)
    return False


def _wide(pattern: Pattern, touched: IntArray) -> bool:
    reach = pattern.reach
    ladder = PROBES if len(pattern.judged) <= _PROGRAMS else ()
    waiting = _relevant(pattern, touched)
    for form in waiting[np.argsort(pattern.table[waiting], kind="stable")].tolist():
        if not reach.wide(np.array([form]))[0] and not reach.widen(form, ladder, buy=False):
            return False
    return True


def _relevant(pattern: Pattern, touched: IntArray) -> IntArray:
    inside = touched < pattern.cells
    hidden = inside & pattern.hidden[np.where(inside, touched, 0)]
    wanted = hidden | pattern.judged[touched] | (pattern.reach.needs.above[touched] > 0)
    return pattern.reach.narrow(touched[wanted & (hidden | ~inside)])
