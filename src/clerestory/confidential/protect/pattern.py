"""The pattern of hidden cells of one source as it grows and shrinks; inputs and seed decide everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.history import History
from clerestory.attack.lines import small_lines
from clerestory.attack.moves import Move, Moves
from clerestory.attack.neighbourhood import Flow
from clerestory.attack.relations import Kind, Relations
from clerestory.attack.shown import box_numbers
from clerestory.attack.stuck import stuck
from clerestory.attack.system import propagate
from clerestory.attack.widen import Needs, Widening
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.loss import loss
from clerestory.confidential.protection_levels import ProtectionLevels
from clerestory.errors import Refused
from clerestory.policy import Policy
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
Progress = Callable[[str], None]

LADDER = ((20, True), (60, True), (0, True))
"""Neighbourhoods tried in turn: siblings on a line, whether to climb to parents; 0 takes the whole source."""
_FEW_PROGRAMS = ((20, True), (0, True))
"""The same in large sources, after a longer search for circuits."""
PROBES = ((10, True),)
"""The same where nothing may be bought: to see whether what is hidden is enough."""
_SMALL = 9_000
"""Variables of a source up to which every purchase is a linear program's: dearer to find, but fewer."""
_LARGE = 30_000
"""Variables of a source from which circuits are sought for longer before programs are tried."""


class Pattern:
    """Which cells are hidden, and the moves that keep every one of them wide.

    table: (variables,) the true table; prices: (cells,) what hiding each costs, inf where it must not be.
    """

    def __init__(
        self,
        rules: Relations,
        table: IntArray,
        original: OriginalCells,
        policy: Policy,
        needs: Needs,
        prices: FloatArray,
        may_be_zero: BoolArray,
        seed: int,
        past: History | None = None,
        levels: ProtectionLevels | None = None,
    ) -> None:
        self.rules, self.table, self.policy, self.levels = rules, table, policy, levels
        self.rng = np.random.default_rng(seed)
        self.records = original.records
        self.cells = count = len(original.space)
        self.boxes = box_numbers(original.space)
        self.lower = rules.floor(may_be_zero, policy.insider_records)
        if policy.insider_records > 1:
            # Nobody has more records of a cell than it holds; moves must start from the true table.
            self.lower = np.minimum(self.lower, table)
        self._remember(past)
        prices = np.where(self.fixed, np.inf, prices)
        hideable = np.isfinite(prices)
        self.cells_of = [cells[hideable[cells]] for cells in _members(self.boxes)]
        self.judged = np.isin(rules.kinds, (Kind.BOX, Kind.OVERLAP))
        self.hidden = np.zeros(count, dtype=bool)
        self.moves = Moves(rules, table, self.lower)
        everywhere = np.full(rules.variables, np.inf)
        everywhere[:count] = prices
        open_ = np.arange(rules.variables) >= count
        self.reach = Widening(rules, self.moves, needs, open_, everywhere, seed=seed, take=self._take)
        self.prices = prices
        self.loss = loss(original, policy)
        self.ladder = LADDER if rules.variables <= _LARGE else _FEW_PROGRAMS
        self.frugal = int(np.sum(table > 0)) <= _SMALL
        sums = np.array([unit.kind == "sum" for unit in rules.space.unit_list] or [False])
        lines = np.flatnonzero(rules.parents >= 0)
        self._record_lines = lines[sums[rules.units[rules.parents[lines]]]]
        self._box_records = self._records_of_boxes()
        self._by_column = rules.matrix.tocsc()
        self.limit = policy.minimum_count * rules.least()
        self._known_stuck = np.zeros(0, dtype=np.int64), self.hidden.copy()

    def _remember(self, past: History | None) -> None:
        """fixed: (cells,) shown by an earlier release for ever; then: hidden in one, and no cell of today;
        told: (variables,) and lines, small counts that earlier releases give away by themselves."""
        self.fixed, self.then = np.zeros((2, self.cells), dtype=bool)
        self.told = np.zeros(self.rules.variables, dtype=bool)
        self.told_lines = np.zeros(0, dtype=np.int64)
        if past is not None:
            self.fixed, self.then = past.shown, past.was_hidden.copy()
            self.then[past.current] = False
            self.told, self.told_lines = past.unrecoverable(self.policy.minimum_count)

    def hide(self, boxes: IntArray) -> None:
        """Hides boxes in all their units."""
        for box in np.unique(boxes).tolist():
            cells = self.cells_of[box]
            self.hidden[cells] = True
            self.reach.open(cells)

    def show(self, box: int) -> None:
        """Shows a box again in all its units; its moves must be dropped."""
        self.hidden[self.cells_of[box]] = False
        self.reach.close(self.cells_of[box])

    def replace(self, boxes: BoolArray, moves: Sequence[Move]) -> None:
        """Another pattern, (boxes,) hidden, and the moves that are known to keep within it."""
        self.moves.drop(self.moves.since(0))
        self.reach.close(np.flatnonzero(self.hidden))
        self.hidden[:] = False
        self.hide(np.flatnonzero(boxes))
        for columns, steps in moves:
            self.moves.add(columns, steps)

    def beside(self, variables: IntArray) -> IntArray:
        """The variables that share a row with any of these."""
        return np.unique(self.rules.matrix[np.unique(self._rows_of(variables))].indices)

    def _take(self, flow: Flow) -> None:
        if len(flow.bought):
            self.hide(self.boxes[flow.bought])

    def exact(self) -> tuple[BoolArray, IntArray]:
        """What a reader knows at once of the variables: whether exactly, and the value."""
        lower, upper = self.lower.astype(np.float64), np.full(self.rules.variables, np.inf)
        shown = np.flatnonzero(~self.hidden)
        lower[shown] = upper[shown] = self.table[shown]
        lower, upper = propagate(self.rules.matrix, lower, upper)
        return lower == upper, lower.astype(np.int64)

    def forms(self) -> IntArray:
        """The variables that must be wide now: hidden cells, and implied ones not harmlessly known."""
        wanted = np.zeros(self.rules.variables, dtype=bool)
        harmless = wanted
        if self.then.any() or np.any(self.rules.kinds != Kind.CELL):
            exact, values = self.exact()
            harmless = exact & ((values == 0) | (values >= self.limit))
            # a box between restricted tables matters only where it is known exactly
            wanted = (self.judged | (exact & (self.rules.kinds == Kind.STEP))) & ~harmless
            groups, rows = self.rules.space.attribute_pairs[0], self.rules.forms
            nobody = exact[groups] & (values[groups] == 0)
            wanted[rows] = (self.reach.needs.above[rows] > 0) & ~nobody
        wanted[: self.cells] = self.hidden & ~(self.then & harmless[: self.cells])
        return np.flatnonzero(wanted & ~self.told)

    def construct(self, progress: Progress | None) -> None:
        """Buys room until every form is wide. Raises Refused if that is impossible."""
        while True:
            before = int(self.hidden.sum())
            forms = self.reach.narrow(self.forms())
            if progress is not None and len(forms):
                progress(f"{len(forms):,} cells need room")
            firm = self._whatever_is_known(forms)
            self._buy_each(forms[firm])
            moving, doubtful = self._moving(self.reach.narrow(forms[~firm]))
            self._buy_each(moving)
            if int(self.hidden.sum()) == before:
                self._buy_each(doubtful[~self._stuck(doubtful)])
            lines = np.union1d(self.small(), self.told_by_one())
            if len(lines):
                self.widen_lines(lines)
            elif int(self.hidden.sum()) == before:
                return

    def _buy_each(self, forms: IntArray) -> None:
        order = np.lexsort((self.rng.random(len(forms)), self.table[forms]))
        for form in forms[order].tolist():
            if not self.reach.wide(np.array([form]))[0]:
                self._buy(form)

    def _whatever_is_known(self, forms: IntArray) -> BoolArray:
        """Which of them must be wide even if a reader knows no better; the others may be known exactly."""
        values = self.table[forms]
        small = (values > 0) & (values < self.limit[forms])
        return np.asarray((forms < self.cells) | (self.rules.kinds[forms] == Kind.FORM) | small)

    def _moving(self, forms: IntArray) -> tuple[IntArray, IntArray]:
        """Those of some implied cells that move, and zeros that may not; what makes some wide is kept."""
        for form in forms.tolist():
            self.reach.widen(form, (), buy=False)
        forms = self.reach.narrow(forms)
        zeros = forms[self.table[forms] == 0]
        doubtful = zeros[np.array([not self.reach.stirs(form) for form in zeros.tolist()], dtype=bool)]
        large = forms[self.table[forms] > 0]
        settled = large[np.array([self._settled(form) for form in large.tolist()], dtype=bool)]
        return np.setdiff1d(forms, np.concatenate([doubtful, settled])), doubtful

    def _stuck(self, forms: IntArray) -> BoolArray:
        """Which implied zeros cannot rise; what was found stays so until more is hidden."""
        if not len(forms):
            return np.zeros(0, dtype=bool)
        stuck_then, hidden_then = self._known_stuck
        if np.any(self.hidden & ~hidden_then) or len(np.setdiff1d(forms, stuck_then)):
            exact, _ = self.exact()
            free = np.flatnonzero(self.reach.is_open & ~exact)
            inside = np.isin(forms, free)
            matrix, room = self.rules.matrix[:, free].tocsr(), (self.table - self.lower)[free]
            found = ~inside
            found[inside] = stuck(matrix, room.astype(np.float64), np.searchsorted(free, forms[inside]))
            self._known_stuck = stuck_then, hidden_then = forms[found], self.hidden.copy()
        return np.isin(forms, stuck_then)

    def _settled(self, form: int) -> bool:
        """Whether an implied cell cannot move at all and so is known exactly, and harmlessly."""
        value = self.table[form]
        kind = self.rules.kinds[form]
        if form < self.cells or kind == Kind.FORM or 0 < value < self.limit[form]:
            return False
        if self.reach.widen(form, PROBES, buy=False):
            return True
        steps = (1, -1) if value else (1,)
        near = self.reach.near
        return all(near.flow(form, step, breadth=0, climb=True, buy=False) is None for step in steps)

    def _buy(self, form: int) -> None:
        if self.frugal:
            if self.reach.widen(form, (), buy=False, deep=0):
                return
        elif self.reach.widen(form, (), buy=True):
            return
        large = self.rules.variables > _LARGE
        if large and self.reach.thoroughly(form):
            return
        if self.reach.widen(form, self.ladder, buy=True, circuits=False):
            return
        if not large and self.reach.thoroughly(form):
            return
        if self._settled(form):
            return
        self._hide_totals(form)
        if self.reach.widen(form, LADDER, buy=True):
            return
        if self.fixed.any() and self._buy_both_ways(form):
            return
        needs = self.reach.needs
        if not self.table[form] or self.fixed.any():
            raise self._impossible(form)
        # With every number but the zeros hidden, any multiple of the truth fits.
        self.hide(self.boxes)
        used = np.flatnonzero(self.table)
        self.moves.add(used, self.table[used] * int(max(needs.width[form], needs.above[form])))
        if not self.reach.widen(form, LADDER, buy=False):
            raise self._impossible(form)

    def _impossible(self, form: int) -> Refused:
        return Refused(
            "no set of hidden cells gives this cell what the policy asks for",
            where=self.rules.describe(form),
            fix="use coarser categories or fewer dimensions in this table",
        )

    def _buy_both_ways(self, form: int) -> bool:
        """Room up and room down, as far as each goes; at last with everything hidden that can be."""
        need = int(self.reach.needs.width[form])
        room = int(self.table[form] - self.lower[form])
        for reach in (need, -min(room, need)):
            flow = self.reach.near.flow(form, reach, breadth=0, climb=True, buy=True, most=True)
            if flow is not None:
                self._take(flow)
                self.moves.add(flow.columns, flow.steps)
        if self.reach.wide(np.array([form]))[0]:
            return True
        self.hide(self.boxes)
        return self.reach.widen(form, LADDER, buy=False)

    def _hide_totals(self, form: int) -> None:
        """The last resort: every published cell that holds this one's box, up to the total."""
        space = self.rules.space
        inside = np.ones(self.cells, dtype=bool)
        for axis, book in enumerate(space.sets):
            own = self.rules.boxes[form, axis]
            if own < len(book):
                inside &= ~np.any(book[own][None, :] & ~book, axis=1)[space.cells[:, axis]]
            else:
                inside &= space.cells[:, axis] == 0
        self.hide(self.boxes[np.flatnonzero(inside & (self.records > 0))])

    def small(self) -> IntArray:
        """Lines in which what is hidden has a known sum, and that of 1 to minimum - 1 records.

        A reader sees the number of records only in counts; inside it is known for sums too, and holds there.
        """
        exact, values = self.exact()
        exact[: self.cells] &= ~self.hidden
        minimum = self.policy.minimum_count
        seen = small_lines(self.rules, exact, values.astype(np.float64), minimum)
        if not len(self._record_lines):
            return seen
        known, inside = self._box_records
        matrix = self.rules.matrix[self._record_lines]
        parents = self.rules.parents[self._record_lines]
        rest = matrix @ np.where(exact, inside, 0)
        usable = exact[parents] & (matrix @ np.where(exact & ~known, 1, 0) == 0)
        return np.union1d(seen, self._record_lines[usable & (rest > 0) & (rest < minimum)])

    def told_by_one(self) -> IntArray:
        """Lines in which a single contributor can work out another one's sum."""
        if self.levels is None:
            return np.zeros(0, dtype=np.int64)
        return self.levels.told_by_one(self.rules, self.hidden)

    def small_near(self, cells: IntArray) -> bool:
        """Whether a line of these cells has a shown parent and hidden parts with a small sum, or two parts of
        which a single contributor tells one by the other.

        What propagation alone would tell is left to `small`, which looks at everything.
        """
        matrix, parents = self.rules.matrix, self.rules.parents
        rows = np.unique(self._rows_of(cells))
        for row in rows[parents[rows] >= 0].tolist():
            parent = int(parents[row])
            if parent >= self.cells or self.hidden[parent]:
                continue
            inside = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            parts = inside[inside != parent]
            left = parts[self.reach.is_open[parts]]
            if 0 < int(self.table[left].sum()) < self.limit[parent]:
                return True
            if len(left) == 2 and self._tells(left):
                return True
        return False

    def _tells(self, parts: IntArray) -> bool:
        """Whether a single contributor to one of two unknown parts is told the other, sensitive as well."""
        levels = self.levels
        if levels is None or parts.max() >= self.cells:
            return False
        return bool(levels.single[parts].any() and levels.sensitive[parts].all())

    def _rows_of(self, variables: IntArray) -> IntArray:
        starts, ends = self._by_column.indptr[variables], self._by_column.indptr[variables + 1]
        return np.concatenate(
            [self._by_column.indices[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        ).astype(np.int64)

    def _records_of_boxes(self) -> tuple[BoolArray, IntArray]:
        """Records in every box, and where they follow from those of the cells."""
        if not len(self._record_lines):
            return np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64)
        lines = self.rules.matrix[np.flatnonzero(self.rules.parents >= 0)]
        lower, upper = np.zeros(self.rules.variables), np.full(self.rules.variables, np.inf)
        lower[: self.cells] = upper[: self.cells] = self.records
        lower, upper = propagate(lines, lower, upper)
        return lower == upper, lower.astype(np.int64)

    def widen(self, variables: IntArray, lines: IntArray) -> None:
        """Hides a cheap neighbour of each cell that the audit did not pass, and in each of these lines."""
        self.widen_lines(np.union1d(self._rows_of(variables), lines) if len(variables) else lines)

    def widen_lines(self, lines: IntArray) -> None:
        """One more hidden cell in each of these lines, the cheapest; farther away where a line has none left.

        A line in which a line before it has opened something waits for the next look. Raises Refused when
        everything but the zeros was hidden already.
        """
        matrix, reach = self.rules.matrix, self.reach
        before = reach.is_open.copy()
        for line in lines.tolist():
            own = matrix.indices[matrix.indptr[line] : matrix.indptr[line + 1]]
            if np.any(reach.is_open[own] & ~before[own]):
                continue
            near = self._hideable_near(line)
            if len(near):
                self.hide(self.boxes[near[[int(np.argmin(reach.near.prices[near]))]]])
            elif np.array_equal(reach.is_open, before):
                raise Refused(
                    "what is hidden tells a small count or a contributor, and nothing else can be hidden",
                    where=self.rules.describe(int(own[0])),
                    fix="use coarser categories or fewer dimensions in this table",
                )

    def _hideable_near(self, line: int) -> IntArray:
        """Cells that can still be hidden: of this line, else of the nearest lines that have some."""
        matrix, reach = self.rules.matrix, self.reach
        reached = np.zeros(matrix.shape[0], dtype=bool)
        reached[line] = True
        while True:
            inside = np.unique(matrix[np.flatnonzero(reached)].indices)
            left = inside[np.isfinite(reach.near.prices[inside]) & ~reach.is_open[inside]]
            before = int(reached.sum())
            reached[self._by_column[:, inside].indices] = True
            if len(left) or int(reached.sum()) == before:
                return np.asarray(left)


def _members(boxes: IntArray) -> list[IntArray]:
    order = np.argsort(boxes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(boxes))[:-1]) if len(boxes) else []
