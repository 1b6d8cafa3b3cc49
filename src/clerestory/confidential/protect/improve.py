"""Makes a pattern leaner: shows again what is hidden without need, then searches for cheaper patterns nearby.

Every change keeps each hidden cell wide by moves that are known; a change that does not is taken back.
Source: large neighbourhood search, P. Shaw, "Using constraint programming and local search methods to solve
vehicle routing problems", CP 1998 (take a few away, repair greedily, keep what is better).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.moves import Move
from clerestory.confidential.protect.pattern import PROBES, Pattern, Progress
from clerestory.tables.space import IntArray

_KEPT = 0.02
"""Share of the secondaries that pruning leaves alone, drawn by the secret seed: a reader who re-runs the
method must not be able to conclude that each hidden cell was needed (level 4)."""
_PROGRAMS = 4_000
"""Variables of a source up to which pruning may use programs too, not only circuits."""
_GROUP = (2, 3, 4, 6, 9)
"""How many secondaries are taken away together."""


def prune(pattern: Pattern, primary: NDArray[np.bool_], progress: Progress | None) -> None:
    """Shows again, dearest first, what is hidden without need."""
    boxes = _secondary(pattern, primary)
    boxes = boxes[pattern.rng.random(len(boxes)) >= _KEPT]
    price = np.array([_price(pattern, box) for box in boxes.tolist()])
    shown = 0
    for box in boxes[np.argsort(-price, kind="stable")].tolist():
        shown += _without(pattern, [box], buy=False)
    if progress is not None:
        progress(f"{shown:,} of {len(boxes):,} secondary cells shown again")


def improve(pattern: Pattern, primary: NDArray[np.bool_], rounds: int, progress: Progress | None) -> None:
    """Takes a few secondaries that stand together away, buys what is missing, keeps what costs less."""
    better = 0
    for number in range(rounds):
        boxes = _secondary(pattern, primary)
        if not len(boxes):
            return
        first = int(pattern.rng.choice(boxes))
        size = _GROUP[number % len(_GROUP)]
        better += _without(pattern, _together(pattern, first, boxes, size), buy=True)
        if progress is not None and number % 50 == 49:
            progress(f"{better:,} improvements in {number + 1:,} of {rounds:,} tries")


def _secondary(pattern: Pattern, primary: NDArray[np.bool_]) -> IntArray:
    own = np.unique(pattern.boxes[primary])
    return np.setdiff1d(np.unique(pattern.boxes[pattern.hidden]), own)


def _price(pattern: Pattern, box: int) -> float:
    return float(pattern.prices[pattern.cells_of[box]].sum())


def _together(pattern: Pattern, first: int, boxes: IntArray, size: int) -> list[int]:
    """A secondary box with others that share moves with it."""
    moves = pattern.moves
    numbers = sorted(moves.through(pattern.cells_of[first]))
    if len(numbers) > 20:
        numbers = sorted(pattern.rng.choice(numbers, 20, replace=False).tolist())
    if not numbers:
        return [first]
    seen = np.concatenate([columns for columns, _ in moves.get(set(numbers))])
    near = np.intersect1d(pattern.boxes[seen[seen < pattern.cells]], boxes)
    near = near[near != first]
    if not len(near):
        return [first]
    return [first, *pattern.rng.choice(near, min(size - 1, len(near)), replace=False).tolist()]


def _without(pattern: Pattern, boxes: list[int], *, buy: bool) -> bool:
    """Whether showing these boxes, and hiding others if allowed, is cheaper; if not, nothing changes."""
    moves = pattern.moves
    cells = np.concatenate([pattern.cells_of[box] for box in boxes])
    saved = sum(_price(pattern, box) for box in boxes)
    through = moves.through(cells)
    dropped: list[Move] = moves.get(through)
    first = moves.next_number
    for box in boxes:
        pattern.show(box)
    touched = moves.drop(through)
    pattern.opened = []
    if not _repaired(pattern, touched, saved, buy=buy):
        moves.drop(moves.since(first))
        for box in pattern.opened:
            pattern.show(box)
        pattern.opened = None
        for box in boxes:
            pattern.hide(np.array([box]))
        for columns, steps in dropped:
            moves.add(columns, steps)
        return False
    pattern.opened = None
    return True


def _repaired(pattern: Pattern, touched: IntArray, saved: float, *, buy: bool) -> bool:
    reach, opened = pattern.reach, pattern.opened
    assert opened is not None
    ladder = PROBES if len(pattern.judged) <= _PROGRAMS else ()
    spent, counted = 0.0, 0
    waiting = _relevant(pattern, touched)
    if pattern.small_near(touched[touched < pattern.cells]) and not buy:
        return False
    while len(waiting):
        for form in waiting[np.argsort(pattern.table[waiting], kind="stable")].tolist():
            if reach.wide(np.array([form]))[0]:
                continue
            if not reach.widen(form, () if buy else ladder, buy=buy):
                return False
            while counted < len(opened):
                spent += _price(pattern, opened[counted])
                counted += 1
            if spent >= saved - 1e-9:
                return False
        if not counted:
            break
        fresh = np.concatenate([pattern.cells_of[box] for box in opened])
        waiting = reach.narrow(fresh)
    return not pattern.small_near(touched[touched < pattern.cells])


def _relevant(pattern: Pattern, touched: IntArray) -> IntArray:
    inside = touched < pattern.cells
    hidden = inside & pattern.hidden[np.where(inside, touched, 0)]
    wanted = hidden | pattern.judged[touched] | (pattern.reach.needs.above[touched] > 0)
    return pattern.reach.narrow(touched[wanted & (hidden | ~inside)])
