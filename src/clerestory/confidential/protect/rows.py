"""What a pattern of hidden cells lacks, as rows over 0-1 variables that every protecting pattern satisfies.

A variable stands for a box, hidden in all its units or not. For a pattern, linear programs give the range of
each hidden cell; the multipliers of one that is too narrow make a row.
Source: M. Fischetti and J. J. Salazar-Gonzalez, Solving the cell suppression problem on tabular data with
linear constraints, Management Science 47(7), 2001, 1008-1027; here every hidden cell must be wide, those that
were hidden for others too, and what is known for sure of a line must not be a small count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from clerestory.attack.moves import Move, Moves
from clerestory.attack.programs import whole
from clerestory.attack.relations import Kind, Relations
from clerestory.attack.solver import quiet_solver
from clerestory.attack.widen import Needs
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_EPS = 1e-6
_REACH = 16
"""How far a cell may move in the reader's program, in widths; no row depends on it."""
_MOST = 40
"""Rows found in a part of a source after which the next pattern is due."""
_ITERATIONS = 20_000
"""Simplex iterations for one end of one cell."""


@dataclass(frozen=True)
class Row:
    """sum(coefficient * hidden[box]) >= least."""

    terms: dict[int, float]
    least: float

    @property
    def size(self) -> float:
        """The largest coefficient."""
        return max(map(abs, self.terms.values()), default=0.0)

    def missing(self, hidden: FloatArray) -> float:
        """How much a pattern falls short; 0 or less if it satisfies the row."""
        return self.least - sum(c * float(hidden[b]) for b, c in self.terms.items())


class Steps:
    """Moves found so far, for whichever pattern."""

    def __init__(self, variables: int) -> None:
        self._variables = variables
        self._seen: set[bytes] = set()
        self._numbers: list[IntArray] = []
        self._columns: list[IntArray] = []
        self._steps: list[IntArray] = []

    def add(self, columns: IntArray, steps: IntArray) -> None:
        """Keeps a move; once, if it comes again."""
        used = steps != 0
        key = columns[used].tobytes() + steps[used].tobytes()
        if key in self._seen:
            return
        self._seen.add(key)
        self._numbers.append(np.full(int(used.sum()), len(self._numbers)))
        self._columns.append(columns[used])
        self._steps.append(steps[used])

    def reach(self, usable: BoolArray) -> tuple[IntArray, IntArray]:
        """(variables,) reach up and down by the moves that change usable variables only."""
        up, down = np.zeros((2, self._variables), dtype=np.int64)
        if self._numbers:
            good = self._inside(usable)[self._join()]
            columns, steps = np.concatenate(self._columns)[good], np.concatenate(self._steps)[good]
            np.maximum.at(up, columns, steps)
            np.minimum.at(down, columns, steps)
        return up, down

    def within(self, usable: BoolArray) -> list[Move]:
        """The moves that change usable variables only."""
        if not self._numbers:
            return []
        found = np.flatnonzero(self._inside(usable)).tolist()
        return [(self._columns[number], self._steps[number]) for number in found]

    def _join(self) -> IntArray:
        return np.concatenate(self._numbers)

    def _inside(self, usable: BoolArray) -> BoolArray:
        bad = np.bincount(self._join(), ~usable[np.concatenate(self._columns)], minlength=len(self._numbers))
        return np.asarray(bad == 0)


class Reader:
    """The range of each variable over a pattern, which may be fractional, and the rows that it breaks.

    table: (variables,) true; lower: (variables,) least values; boxes: (cells,) numbers; hideable: (cells,).
    judged: (variables,) implied cells that must be wide where they can move at all.
    """

    def __init__(
        self,
        rules: Relations,
        table: IntArray,
        lower: IntArray,
        boxes: IntArray,
        hideable: BoolArray,
        needs: Needs,
        judged: BoolArray,
    ) -> None:
        self.rules, self.table, self.needs, self.judged = rules, table, needs, judged
        self.boxes, self.hideable = boxes, hideable
        self.cells = len(boxes)
        self.room = (table - lower).astype(float)
        self.moves = Moves(rules, table, lower)
        self.steps = Steps(rules.variables)
        self._matrix = rules.matrix.tocsr()
        self._transposed = rules.matrix.T.tocsr().astype(float)
        self._implied = np.arange(rules.variables) >= self.cells
        self._far = _REACH * float(max(1, needs.width.max(initial=0), needs.above.max(initial=0)))

    def usable(self, hidden: FloatArray) -> BoolArray:
        """(variables,) what may change where these boxes are hidden, or partly so."""
        usable = self._implied.copy()
        usable[: self.cells] = self.hideable & (hidden[self.boxes] > _EPS)
        return usable

    def broken(self, hidden: FloatArray, near: BoolArray | None = None, *, fractional: bool) -> list[Row]:
        """Rows that the pattern breaks; hidden: (boxes,) from 0 to 1.

        near: (variables,) what to look at, and through what; a cell that needs the rest is not found then.
        """
        everything = self.usable(hidden)
        usable = everything if near is None else everything & near
        asked = np.zeros(self.rules.variables)
        asked[: self.cells] = np.where(usable[: self.cells], hidden[self.boxes], 0.0)
        if not fractional:
            asked[self.judged] = 1.0
        asked[(self.rules.kinds == Kind.FORM) & (self.needs.above > 0)] = 1.0
        asked[~usable] = 0.0
        self._load(usable, hidden, fractional)
        found: list[Row] = []
        up, down = self.steps.reach(everything)
        for variable in np.flatnonzero(asked > 0.01).tolist():
            if near is not None and len(found) >= _MOST:
                break
            width, above, below = (
                int(a[variable]) for a in (self.needs.width, self.needs.above, self.needs.below)
            )
            if not fractional and _enough(int(up[variable]), -int(down[variable]), width, above, below):
                continue
            ends = {}
            for sense in (1, -1):
                ends[sense] = self._end(variable, sense)
                values = ends[sense][0]
                if not fractional:
                    self._keep(values, up, down)
            for need, senses in ((width, (1, -1)), (above, (1,)), (below, (-1,))):
                if need:
                    row = self._row(variable, float(need), [ends[s] for s in senses], hidden, asked[variable])
                    if row is not None:
                        found.append(row)
        return found

    def _load(self, usable: BoolArray, hidden: FloatArray, fractional: bool) -> None:
        """The program over what may change; the rest stays as it is."""
        self._columns = np.flatnonzero(usable)
        part = self._matrix[:, self._columns]
        self._rows = np.flatnonzero(np.diff(part.indptr))
        part = part[self._rows]
        share = np.ones(len(self._columns))
        own = self._columns < self.cells
        share[own] = hidden[self.boxes[self._columns[own]]]
        far = self._far if not fractional else self._far / _REACH
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self._columns), len(self._rows)
        model.col_cost_ = np.zeros(len(self._columns))
        model.col_lower_ = -np.minimum(self.room[self._columns], far) * share
        model.col_upper_ = far * share
        model.row_lower_ = model.row_upper_ = np.zeros(len(self._rows))
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = part.indptr.astype(np.int32)
        model.a_matrix_.index_ = part.indices.astype(np.int32)
        model.a_matrix_.value_ = part.data.astype(float)
        self._solver = quiet_solver()
        self._solver.setOptionValue("presolve", "off")
        self._solver.setOptionValue("simplex_iteration_limit", _ITERATIONS)
        self._solver.passModel(model)
        self._place = np.full(self.rules.variables, -1)
        self._place[self._columns] = np.arange(len(self._columns))
        self._last = -1

    def _end(self, variable: int, sense: int) -> tuple[FloatArray, FloatArray]:
        """The farthest move up (1) or down (-1): (variables,) change, and multiplier of each bound."""
        at = int(self._place[variable])
        if self._last >= 0 and self._last != at:
            self._solver.changeColCost(self._last, 0.0)
        self._last = at
        self._solver.changeColCost(at, float(-sense))
        self._solver.run()
        found = self._solver.getSolution()
        values = np.zeros(self.rules.variables)
        values[self._columns] = found.col_value
        prices = np.zeros(self._matrix.shape[0])
        prices[self._rows] = found.row_dual
        costs = np.zeros(self.rules.variables)
        costs[variable] = -sense
        # what is shown has a multiplier too: what hiding it would give
        return values, costs - self._transposed @ prices

    def _keep(self, values: FloatArray, up: IntArray, down: IntArray) -> None:
        steps = whole(values)
        if steps is None:
            return
        columns = np.flatnonzero(steps)
        if self.moves.fits(columns, steps[columns]):
            self.steps.add(columns, steps[columns])
            np.maximum(up, steps, out=up)
            np.minimum(down, steps, out=down)

    def _row(
        self,
        variable: int,
        need: float,
        ends: Sequence[tuple[FloatArray, FloatArray]],
        hidden: FloatArray,
        asked: float,
    ) -> Row | None:
        reached = sum(abs(values[variable]) for values, _ in ends)
        implied = variable >= self.cells and bool(self.judged[variable])
        if reached >= need * asked - _EPS or (implied and reached < _EPS):
            return None
        terms: dict[int, float] = {}
        constant = 0.0
        for _, dual in ends:
            for v in np.flatnonzero(np.abs(dual) > 1e-9).tolist():
                # a negative multiplier presses on the upper bound, a positive one on the lower
                limit = need if dual[v] < 0 else min(need, dual[v] * self.room[v])
                if v >= self.cells:
                    constant += limit
                elif self.hideable[v]:
                    box = int(self.boxes[v])
                    terms[box] = terms.get(box, 0.0) + limit
        least = need - constant
        if least <= _EPS:
            return None
        terms = {box: min(c, least) for box, c in terms.items() if c > 1e-9}
        if variable < self.cells:
            own = int(self.boxes[variable])
            terms[own] = terms.get(own, 0.0) - least
            least = 0.0
        elif implied:
            # while all that moves here stays hidden, the implied cell can move, and so must be wide
            moved = np.flatnonzero(np.any([np.abs(values) > 1e-9 for values, _ in ends], axis=0))
            boxes = np.unique(self.boxes[moved[moved < self.cells]])
            for box in boxes.tolist():
                terms[box] = terms.get(box, 0.0) - least
            least -= least * len(boxes)
        row = Row(terms, least)
        return row if row.missing(hidden) > _EPS else None


def _enough(up: int, down: int, width: int, above: int, below: int) -> bool:
    return up + down >= width and up >= above and down >= below
