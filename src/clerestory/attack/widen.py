"""Takes a cell apart: finds moves of one table that give it the width it needs, and opens cells if it may.

Circuits first, since they are quick to find; where a cell is in no circuit, or none is in sight, small linear
programs around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.circuits import Board, Circuit
from clerestory.attack.moves import Move, Moves
from clerestory.attack.neighbourhood import Flow, Ladder, Neighbourhoods
from clerestory.attack.relations import Relations
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_BUDGET = 16
"""Networks looked at for one circuit."""
_DEEP = 2
"""On how many axes people may be added instead of moved."""
_ROUNDS, _MOST_ROUNDS = 8, 40
"""Circuits in a row for one move; more where a longer search is worth it, but not one a unit of any width."""
_DEEPEST = 16
_TURNS = (64, 64, 256)
"""Networks looked at in each turn of a longer search; every turn looks elsewhere."""
_APART = 1_000_003


@dataclass(frozen=True, eq=False)
class Needs:
    """What must be open of each variable, as distances; each (variables,), 0 where nothing is needed.

    width: between two feasible values; above, below: from the table's own value, each way.
    """

    width: IntArray
    above: IntArray
    below: IntArray


class Widening:
    """Moves from one table, and which variables are open to them.

    take: called with each move before it is kept; it must open what the move opens (see `open`).
    """

    def __init__(
        self,
        rules: Relations,
        moves: Moves,
        needs: Needs,
        open_: BoolArray,
        prices: FloatArray,
        *,
        seed: int,
        take: Callable[[Flow], None] | None = None,
    ) -> None:
        self.rules, self.moves, self.needs = rules, moves, needs
        self.near = Neighbourhoods(rules, moves, open_, prices)
        room = moves.table - moves.lower
        self.board = Board(rules, room, np.where(open_, 0.0, prices), np.maximum(moves.table, 0))
        self._seed = seed & (2**62 - 1)
        self._take = take

    @property
    def is_open(self) -> BoolArray:
        """(variables,) what may change freely."""
        return self.near.open

    def open(self, variables: IntArray) -> None:
        """Lets variables change freely."""
        self.near.open[variables] = True
        self.board.price[variables] = 0.0

    def close(self, variables: IntArray) -> None:
        """Takes that back; their moves must be dropped by the caller."""
        self.near.open[variables] = False
        self.board.price[variables] = self.near.prices[variables]

    def wide(self, variables: IntArray) -> BoolArray:
        """Whether known moves give each variable all it needs."""
        up, down = self.moves.up[variables], -self.moves.down[variables]
        needs = self.needs
        return np.asarray(
            (up + down >= needs.width[variables])
            & (up >= needs.above[variables])
            & (down >= needs.below[variables])
        )

    def narrow(self, variables: IntArray) -> IntArray:
        """Those that known moves do not give what they need."""
        return variables[~self.wide(variables)]

    def widen(
        self,
        variable: int,
        ladder: Ladder,
        *,
        buy: bool,
        circuits: bool = True,
        deep: int = _DEEP,
        budget: int = _BUDGET,
    ) -> bool:
        """Finds moves until the variable has what it needs; whether it does.

        ladder: neighbourhoods for linear programs, none if empty; circuits: whether to try them first.
        """
        at = np.array([variable])
        if circuits and self.board.group[variable] >= 0:
            for level in range(deep + 1) if buy else (min(deep, 1),):
                if self._circuits(variable, buy=buy, deep=level, budget=budget):
                    return True
        if not ladder:
            return bool(self.wide(at)[0])
        width = int(self.needs.width[variable])
        if width:
            self.near.widen(variable, width, ladder, buy=buy, take=self._keep)
        for missing, sense in (
            (int(self.needs.above[variable] - self.moves.up[variable]), 1),
            (int(self.needs.below[variable] + self.moves.down[variable]), -1),
        ):
            if missing > 0:
                self._by_program(variable, sense, ladder, buy=buy)
        return bool(self.wide(at)[0])

    def try_move(self, columns: IntArray, steps: IntArray) -> None:
        """Keeps a move that may be one, if it fits and changes only what is open."""
        if self.near.open[columns].all() and self.moves.fits(columns, steps):
            self._keep(Flow(columns, steps, columns[:0]))

    def thoroughly(self, variable: int, *, buy: bool = True) -> bool:
        """Looks longer for circuits, from several beginnings; whether the variable has what it needs."""
        if self.board.group[variable] < 0:
            return False
        rounds = max(int(self.needs.width[variable]), int(self.needs.above[variable]), _ROUNDS)
        return any(
            self._circuits(
                variable, buy=buy, deep=_DEEPEST, budget=budget, rounds=min(rounds, _MOST_ROUNDS), turn=turn
            )
            for turn, budget in enumerate(_TURNS, start=1)
        )

    def stirs(self, variable: int) -> bool:
        """Whether a variable is known to move, or found to by one step through what is open."""
        if self.moves.up[variable] or self.moves.down[variable]:
            return True
        if self.board.group[variable] < 0:
            return False
        for sense in (1, -1):
            circuit = self.board.move(
                variable,
                sense,
                1 if sense > 0 else min(1, int(self.board.room[variable])),
                buy=False,
                budget=_TURNS[0],
                deep=_DEEPEST,
                seed=self._seed + variable,
            )
            whole = None if circuit is None else self._checked(circuit, paid=False)
            if whole is not None:
                self._keep(Flow(*whole, whole[0][:0]))
                return True
        return False

    def _by_program(self, variable: int, sense: int, ladder: Ladder, *, buy: bool) -> None:
        needed = self.needs.above if sense > 0 else self.needs.below
        for breadth, climb in ladder:
            flow = self.near.flow(
                variable, sense * int(needed[variable]), breadth=breadth, climb=climb, buy=buy
            )
            if flow is not None:
                self._keep(flow)
                return

    def _circuits(
        self, variable: int, *, buy: bool, deep: int, budget: int, rounds: int = _ROUNDS, turn: int = 0
    ) -> bool:
        needs, moves, at = self.needs, self.moves, np.array([variable])
        width, above, below = (int(a[variable]) for a in (needs.width, needs.above, needs.below))
        room = int(self.board.room[variable])
        for sense, paid in ((-1, False), (1, False), (1, True), (-1, True)):
            if paid and not buy:
                continue
            up, down = int(moves.up[variable]), -int(moves.down[variable])
            if sense > 0:
                want = max(width - down, above)
                if want <= up:
                    continue
            else:
                want = min(max(width - up, below), room)
                if want <= down:
                    continue
            circuit = self.board.move(
                variable,
                sense,
                want,
                buy=paid,
                budget=budget,
                deep=deep,
                rounds=rounds,
                seed=self._seed + variable + turn * _APART,
            )
            if circuit is None:
                continue
            useful = circuit.reached >= want or (not paid and circuit.reached > (up if sense > 0 else down))
            whole = self._checked(circuit, paid=paid) if useful else None
            if whole is None:
                self.board.undo()
                continue
            columns, steps = whole
            self._keep(Flow(columns, steps, columns[~self.near.open[columns]]))
            if self.wide(at)[0]:
                return True
        return bool(self.wide(at)[0])

    def _checked(self, circuit: Circuit, *, paid: bool) -> Move | None:
        """The whole move, None if it is none: whatever the search did, nothing that must stay has changed."""
        if np.any(np.diff(circuit.columns) <= 0):
            return None
        whole = self.moves.whole(circuit.columns, circuit.steps)
        if whole is None:
            return None
        shut = whole[0][~self.near.open[whole[0]]]
        if len(shut) and not (paid and np.all(np.isfinite(self.near.prices[shut]))):
            return None
        return whole

    def _keep(self, flow: Flow) -> None:
        if self._take is not None:
            self._take(flow)
        self.moves.add(flow.columns, flow.steps)
