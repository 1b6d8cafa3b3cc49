"""Moves of one table that fits bounded numbers: a count that a small circuit takes up or down is not told.

A circuit changes a handful of counts: one table proves for most counts what would else take a program each.
Rooms upwards are limited here as well; what has not enough of it is kept out of the circuits.
"""

from __future__ import annotations

import numpy as np

from clerestory.attack.bounded import Narrowed
from clerestory.attack.circuits import Board
from clerestory.attack.moves import Moves
from clerestory.tables.space import IntArray

_BUDGET = 24
"""Networks looked at for one circuit."""
_DEEP = 2
"""On how many axes circuits may add people, where simple ones do not do."""
_SHARES = (1, 2, 3)
"""What is needed is sought in one step, then in so many parts, so that counts with less room take part."""
_ENDLESS = np.iinfo(np.int64).max // 4


def move_apart(found: Narrowed, table: IntArray, least: IntArray, greatest: IntArray, *, seed: int) -> None:
    """Widens least and greatest by what moves of a table reach, until judged counts are far enough apart.

    table: (variables,) whole numbers that fit everything; least, greatest: (variables,), changed in place.
    Every move is checked against all rows and bounds in integer arithmetic before it counts.
    """
    system, need = found.system, found.need
    rules = system.relations
    upper = np.where(np.isfinite(system.upper), system.upper, _ENDLESS).astype(np.int64)
    lower = system.lower.astype(np.int64)
    room, rise = table - lower, upper - table
    moves = Moves(rules, table, lower)
    for share in _SHARES:
        most = -(-need // share)
        price = np.where(system.free & (rise >= most), 0.0, np.inf)
        board = Board(rules, room, price, np.maximum(table, 0))
        for variable in np.flatnonzero(found.judged & (greatest - least < need)).tolist():
            for sense in (1, -1, 1) if share > 1 else (1, -1):
                missing = int(need[variable] - (greatest[variable] - least[variable]))
                if missing <= 0:
                    break
                own = greatest[variable] - table[variable] if sense > 0 else table[variable] - least[variable]
                limit = int(min(most[variable], (rise if sense > 0 else room)[variable]))
                want = min(int(own) + missing, limit)
                if want <= own:
                    continue
                for deep in (0, _DEEP):
                    circuit = board.move(
                        variable, sense, want, buy=False, budget=_BUDGET, deep=deep, seed=seed + variable
                    )
                    if circuit is None:
                        continue
                    whole = moves.whole(circuit.columns, circuit.steps)
                    if whole is None:
                        continue
                    columns, steps = whole
                    values = table[columns] + steps
                    if np.any(values > upper[columns]):
                        continue
                    least[columns] = np.minimum(least[columns], values)
                    greatest[columns] = np.maximum(greatest[columns], values)
                    break
