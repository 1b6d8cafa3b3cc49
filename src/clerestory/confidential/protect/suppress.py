"""Complementary suppression over all linked tables of a source: hide more until every hidden cell is wide.

Construct: around each cell that is too narrow, buy the cheapest cells that give it room. Prune: show again
what no longer helps. What leaves here still has to pass the audit, which starts from the public values.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.decide import Verdict, decide
from clerestory.attack.lines import small_lines
from clerestory.attack.moves import Moves
from clerestory.attack.neighbourhood import Flow, Neighbourhoods
from clerestory.attack.relations import Kind, Relations
from clerestory.attack.shown import box_numbers
from clerestory.attack.system import propagate
from clerestory.attack.tables import completed
from clerestory.confidential.original import OriginalCells
from clerestory.errors import Refused
from clerestory.policy import Policy
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
Progress = Callable[[str], None]

_LADDER = ((20, True), (60, True), (0, True))
"""Neighbourhoods tried in turn: siblings on a line, whether to climb to parents; 0 takes the whole source."""
_PROBES = ((10, True),)
"""The same where nothing may be bought: to see whether what is hidden is enough."""
_REPAIRS = 20
"""Rounds of audit and hiding more, after which the tables are refused."""
_KEPT = 0.1
"""Share of the secondaries that pruning leaves alone, drawn by the secret seed: a reader who
re-runs the method must not be able to conclude that each hidden cell was needed (level 4)."""


class Suppressor:
    """The growing and shrinking pattern of one source; all decisions follow from the inputs and the seed."""

    def __init__(
        self, rules: Relations, table: IntArray, original: OriginalCells, policy: Policy, seed: int
    ) -> None:
        self.rules, self.table, self.policy = rules, table, policy
        self.rng = np.random.default_rng(seed)
        self.records = original.records
        self.boxes = box_numbers(original.space)
        hideable = original.values > 0
        self.cells_of = [cells[hideable[cells]] for cells in _members(self.boxes)]
        count = len(original.space)
        self.cells = count
        self.lower = np.where(np.arange(rules.variables) < count, rules.least_hidden(), 0)
        self.need = policy.interval_width * rules.factor(np.arange(rules.variables))
        self.judged = (rules.kinds == Kind.BOX) | (rules.kinds == Kind.OVERLAP)
        self.hidden = np.zeros(count, dtype=bool)
        sums = np.array([unit.kind == "sum" for unit in rules.space.unit_list] or [False])
        lines = np.flatnonzero(rules.parents >= 0)
        self.record_lines = lines[sums[rules.units[rules.parents[lines]]]]
        self.box_records = self._records_of_boxes()
        self.moves = Moves(rules, table, self.lower)
        open_ = np.arange(rules.variables) >= count
        self.near = Neighbourhoods(rules, self.moves, open_, self._prices())

    def _prices(self) -> NDArray[np.float64]:
        """Near 1 a cell, more for the coarse and large; ties are broken by the secret seed."""
        prices = np.full(self.rules.variables, np.inf)
        size = np.log2(1.0 + self.records)
        ties = self.rng.random(int(self.boxes.max(initial=-1)) + 1)[self.boxes]
        prices[: self.cells] = 1 + 0.15 * size + 0.1 * ties
        prices[: self.cells][self.table[: self.cells] == 0] = np.inf  # a zero is never hidden
        return prices

    def hide(self, boxes: IntArray) -> None:
        """Hides boxes in all their units."""
        for box in np.unique(boxes).tolist():
            cells = self.cells_of[box]
            self.hidden[cells] = True
            self.near.open[cells] = True

    def show(self, box: int) -> None:
        """Shows a box again in all its units."""
        self.hidden[self.cells_of[box]] = False
        self.near.open[self.cells_of[box]] = False

    def exact(self) -> tuple[BoolArray, IntArray]:
        """What a reader knows at once of the variables: whether exactly, and the value."""
        lower, upper = self.lower.astype(np.float64), np.full(self.rules.variables, np.inf)
        shown = np.flatnonzero(~self.hidden)
        lower[shown] = upper[shown] = self.table[shown]
        lower, upper = propagate(self.rules.matrix, lower, upper)
        return lower == upper, lower.astype(np.int64)

    def forms(self) -> IntArray:
        """The variables that must be wide now: hidden cells, and implied ones not harmlessly known."""
        exact, values = self.exact()
        limit = self.policy.minimum_count * self.rules.least()
        harmless = exact & ((values == 0) | (values >= limit))
        # a box between restricted tables matters only where it is known exactly
        judged = (self.judged | (exact & (self.rules.kinds == Kind.STEP))) & ~harmless
        judged[: self.cells] = self.hidden
        return np.flatnonzero(judged)

    def narrow(self, forms: IntArray) -> IntArray:
        """Those that no known moves take apart by the width."""
        return forms[self.moves.width(forms) < self.need[forms]]

    def construct(self, progress: Progress | None) -> None:
        """Buys room until every form is wide. Raises Refused if that is impossible."""
        while True:
            before = int(self.hidden.sum())
            forms = self.narrow(self.forms())
            if progress is not None and len(forms):
                progress(f"{len(forms)} cells need room")
            order = np.lexsort((self.rng.random(len(forms)), self.table[forms]))
            for form in forms[order].tolist():
                if self.moves.width(np.array([form]))[0] < self.need[form] and not self._settled(form):
                    self._buy(form)
            lines = self.small()
            if len(lines):
                self.widen_lines(lines)
            elif int(self.hidden.sum()) == before:
                return

    def _settled(self, form: int) -> bool:
        """Whether an implied cell cannot move at all and so is known exactly, and harmlessly."""
        value = self.table[form]
        if form < self.cells or 0 < value < self.policy.minimum_count * self.rules.least()[form]:
            return False
        if self.cover(form, buy=False):
            return True
        steps = (1, -1) if value else (1,)
        return all(self.near.flow(form, step, breadth=0, climb=True, buy=False) is None for step in steps)

    def _buy(self, form: int) -> None:
        if self.cover(form, buy=True):
            return
        self._hide_totals(form)
        if self.cover(form, buy=True):
            return
        if not self.table[form]:
            raise Refused(
                "no set of hidden cells gives this cell the policy's interval width",
                where=self.rules.describe(form),
                fix="use coarser categories or fewer dimensions in this table",
            )
        # With every number but the zeros hidden, any multiple of the truth fits.
        self.hide(self.boxes)
        used = np.flatnonzero(self.table)
        self.moves.add(used, self.table[used] * int(self.need[form]))

    def cover(self, form: int, *, buy: bool) -> bool:
        """Finds moves that make the form wide, buying cells if allowed; False if there are none in reach."""
        ladder = _LADDER if buy else _PROBES
        return self.near.widen(form, int(self.need[form]), ladder, buy=buy, take=self._take)

    def _take(self, flow: Flow) -> None:
        bought = flow.bought
        if len(bought):
            self.hide(self.boxes[bought])
        self.moves.add(flow.columns, flow.steps)

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
        if not len(self.record_lines):
            return seen
        known, inside = self.box_records
        matrix = self.rules.matrix[self.record_lines]
        parents = self.rules.parents[self.record_lines]
        rest = matrix @ np.where(exact, inside, 0)
        usable = exact[parents] & (matrix @ np.where(exact & ~known, 1, 0) == 0)
        return np.union1d(seen, self.record_lines[usable & (rest > 0) & (rest < minimum)])

    def _records_of_boxes(self) -> tuple[BoolArray, IntArray]:
        """Records in every box, and where they follow from those of the cells."""
        lines = self.rules.matrix[np.flatnonzero(self.rules.parents >= 0)]
        lower, upper = np.zeros(self.rules.variables), np.full(self.rules.variables, np.inf)
        lower[: self.cells] = upper[: self.cells] = self.records
        lower, upper = propagate(lines, lower, upper)
        return lower == upper, lower.astype(np.int64)

    def widen(self, variable: int) -> None:
        """Hides a cheap neighbour of a cell that the audit did not pass. Raises Refused if none."""
        self.widen_lines(self.lines_of(variable))

    def lines_of(self, variable: int) -> IntArray:
        """The rows that a variable is in."""
        return np.flatnonzero(np.diff(self.rules.matrix[:, [variable]].tocsr().indptr))

    def widen_lines(self, lines: IntArray) -> None:
        """One more hidden cell in each of these lines, the cheapest; farther away where a line has none left.

        Raises Refused when everything but the zeros is hidden already.
        """
        matrix = self.rules.matrix
        for line in lines.tolist():
            reached = np.zeros(matrix.shape[0], dtype=bool)
            reached[line] = True
            while True:
                inside = np.unique(matrix[np.flatnonzero(reached)].indices)
                left = inside[np.isfinite(self.near.prices[inside]) & ~self.near.open[inside]]
                if len(left):
                    self.hide(self.boxes[left[[int(np.argmin(self.near.prices[left]))]]])
                    break
                before = int(reached.sum())
                reached[matrix[:, inside].tocsc().indices] = True
                if int(reached.sum()) == before:
                    raise Refused(
                        "what is hidden adds up to a small count, and nothing else can be hidden",
                        where=self.rules.describe(int(matrix.indices[matrix.indptr[line]])),
                        fix="use coarser categories or fewer dimensions in this table",
                    )

    def prune(self, primary: BoolArray, progress: Progress | None) -> None:
        """Shows again, dearest first, what is hidden without need."""
        boxes = np.unique(self.boxes[self.hidden & ~primary])
        boxes = boxes[self.rng.random(len(boxes)) >= _KEPT]
        price = np.array([self.near.prices[self.cells_of[box]].sum() for box in boxes.tolist()])
        shown = 0
        for box in boxes[np.argsort(-price, kind="stable")].tolist():
            shown += self._try_to_show(box)
        if progress is not None:
            progress(f"{shown} of {len(boxes)} secondary cells shown again")

    def _try_to_show(self, box: int) -> bool:
        cells = self.cells_of[box]
        through = self.moves.through(cells)
        kept = self.moves.get(through)
        self.show(box)
        touched = self.moves.drop(through)
        relevant = touched[self.judged[touched] | self._is_hidden(touched)]
        fine = all(self.cover(form, buy=False) for form in self.narrow(relevant).tolist())
        if fine and not len(self.small()):
            return True
        self.hide(np.array([box]))
        for columns, steps in kept:
            self.moves.add(columns, steps)
        return False

    def _is_hidden(self, variables: IntArray) -> BoolArray:
        inside = variables < self.cells
        return np.asarray(inside & self.hidden[np.where(inside, variables, 0)])


def suppress(
    rules: Relations,
    original: OriginalCells,
    policy: Policy,
    primary: BoolArray,
    *,
    seed: int,
    progress: Progress | None = None,
) -> BoolArray:
    """(cells,) the primary suppressions and the secondary ones that give all of them the policy's width.

    The audit of the public values has the last word: what it does not pass gets more hidden around it.
    Raises Refused, naming the table, if nothing helps; Undecided if the true table cannot be completed.
    """
    table = completed(rules, original.values, seed=seed)
    pattern = Suppressor(rules, table, original, policy, seed)
    pattern.hide(pattern.boxes[primary])
    pattern.construct(progress)
    pattern.prune(primary, progress)
    for _ in range(_REPAIRS):
        verdicts = decide(
            PublicCells(original.space, np.where(pattern.hidden, 0, original.values), pattern.hidden.copy()),
            width=policy.interval_width,
            minimum=policy.minimum_count,
            start=original.values,
            seed=seed,
            known=rules,
        )
        if verdicts.wide:
            return pattern.hidden
        failed = np.concatenate([verdicts.of(Verdict.BROKEN), verdicts.of(Verdict.UNDECIDED)])
        for variable in failed.tolist():
            pattern.widen(variable)
        if len(verdicts.small_lines):
            pattern.widen_lines(verdicts.small_lines)
        pattern.construct(progress)
    raise Refused(
        f"{len(failed)} cells stay open after {_REPAIRS} rounds of hiding more",
        where=rules.describe(int(failed[0])) if len(failed) else f"source {rules.space.source!r}",
        fix="use coarser categories or fewer dimensions in this table",
    )


def _members(boxes: IntArray) -> list[IntArray]:
    order = np.argsort(boxes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(boxes))[:-1]) if len(boxes) else []
