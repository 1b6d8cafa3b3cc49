"""All releases of a source as one set of linked tables, so that every attack on one release works over time.

Where every table is frozen, an earlier table is one of today's that selects the categories of its time: its
cells are the same boxes, its totals are smaller ones, and what lies between (the new year) is implied. Where
records are added, an axis of releases says since when a record is counted: an earlier table selects what was
there by then, and an increment is the box of what came since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.lines import small, small_lines
from clerestory.attack.matching import JointAxis, match_axes
from clerestory.attack.relations import Relations, group, relations
from clerestory.attack.system import FloatArray, propagate
from clerestory.errors import Refused
from clerestory.tables import (
    RELEASES,
    Axis,
    CellSpace,
    Changes,
    Dimension,
    Node,
    PublicCells,
    TableDesign,
    link_tables,
)
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]

_FIX = 'correct the records, or declare how the table changes: changes = "cumulative" or "revised"'


@dataclass(frozen=True, eq=False)
class Earlier:
    """The public cells of a source in an earlier release, with the rows that tables had then."""

    release: str
    public: PublicCells


@dataclass(frozen=True, eq=False)
class History:
    """A source's releases as linked tables; the first tables are today's.

    space: the cells of all releases, equal ones once. current: (today's cells,) their positions; before: for
    each earlier release, oldest first, the positions of its cells. values, shown: (cells,) what earlier
    releases tell of each, exactly; was_hidden: (cells,) hidden in some earlier release, shown in none.
    """

    space: CellSpace
    rules: Relations
    releases: tuple[str, ...]
    current: IntArray
    before: tuple[IntArray, ...]
    values: IntArray
    shown: BoolArray
    was_hidden: BoolArray

    @property
    def known(self) -> BoolArray:
        """(today's cells,) what a reader of the earlier releases knows already, whatever is hidden now."""
        return np.asarray(self.shown[self.current])

    @cached_property
    def _earlier_bounds(self) -> tuple[FloatArray, FloatArray]:
        return self._bounds(np.zeros(len(self.space), dtype=bool), self.values)

    def _bounds(self, also: BoolArray, values: IntArray) -> tuple[FloatArray, FloatArray]:
        """What rows tell of earlier cells, and of others that are shown."""
        lower, upper = np.zeros(self.rules.variables), np.full(self.rules.variables, np.inf)
        cells = len(self.space)
        least = self.rules.floor(self.space.may_hide_zeros)[:cells]
        lower[:cells] = np.where(self.was_hidden, least, 0)
        fixed = np.flatnonzero(self.shown | also)
        lower[fixed] = upper[fixed] = values[fixed]
        return propagate(self.rules.matrix, lower, upper)

    def unrecoverable(self, minimum: int) -> tuple[BoolArray, IntArray]:
        """(variables,) and rows: small counts, and groups in a sensitive category, that earlier releases
        alone give away, whatever is done now."""
        lower, upper = self._earlier_bounds
        exact = lower == upper
        lines = small_lines(self.rules, exact, lower, minimum)
        told = np.asarray(exact & small(self.rules, lower, minimum))
        forms, (groups, _, minimums) = self.rules.forms, self.space.attribute_pairs
        told[forms] = (upper[forms] < minimums) & (upper[groups] > 0)
        return told, lines

    def public(self, now: PublicCells, minimum: int) -> PublicCells:
        """What a reader has who kept every release. now: today's public cells.

        What earlier releases tell counts as shown, and so does an earlier cell that is hidden, no cell of
        today, and known exactly and harmlessly from all of them. Raises Refused if a shown number is not what
        an earlier release says it must be.
        """
        values, shown = self.values.copy(), self.shown.copy()
        today = self.current[~now.hidden]
        wrong = shown[today] & (values[today] != now.values[~now.hidden])
        if wrong.any():
            raise self.differs(today[wrong])
        values[today], shown[today] = now.values[~now.hidden], True
        lower, upper = self._bounds(shown, values)
        only_then = ~shown
        only_then[self.current] = False
        exact = (lower == upper)[: len(self.space)]
        harmless = exact & ~small(self.rules, lower, minimum)[: len(self.space)] & only_then
        values[harmless], shown[harmless] = lower[: len(self.space)][harmless].astype(np.int64), True
        return PublicCells(self.space, np.where(shown, values, 0), ~shown, now.zeros_shown, now.insiders)

    def differs(self, cells: IntArray) -> Refused:
        """The refusal of cells that are not what an earlier release says they must be."""
        listed = "\n  ".join(self.space.describe(int(cell)) for cell in cells[:10])
        return Refused(
            f"{len(cells):,} cells are not what an earlier release shows or implies, which their tables "
            f"declare they must be:\n  {listed}",
            where=f"source {self.source!r}, releases {', '.join(self.releases)}",
            fix=_FIX,
        )

    def check(self, values: IntArray) -> None:
        """Raises Refused if these true values of today's cells are not what their tables declare.

        Frozen: they are what earlier releases show or imply; cumulative: they are at least that.
        """
        told = self.known
        wrong = self.current[told & (self.values[self.current] != values)]
        if not len(wrong):
            wrong = self._fallen(values)
        if len(wrong):
            raise self.differs(wrong)

    def _fallen(self, values: IntArray) -> IntArray:
        """Today's cells that are smaller than what an earlier release shows of the same box."""
        if self.space.axes[-1].name != RELEASES:
            return self.current[:0]
        boxes = np.column_stack([self.space.cells[:, :-1], self.space.units]).astype(np.int64)
        _, box = np.unique(group(boxes), return_inverse=True)
        most = np.zeros(int(box.max(initial=-1)) + 1, dtype=np.int64)
        for cells in self.before:
            own = cells[self.shown[cells]]
            np.maximum.at(most, box[own], self.values[own])
        return np.asarray(self.current[values < most[box[self.current]]])

    @property
    def source(self) -> str:
        """The source's own name."""
        return self.space.source.removesuffix(SUFFIX)


SUFFIX = ".over-time"


def linked(earlier: Sequence[tuple[Earlier, bool]]) -> list[Earlier]:
    """The latest of these releases that count the same people as today's, oldest first.

    earlier: each with whether the next one after it (today's, for the last) counts the same people.
    """
    found: list[Earlier] = []
    for one, same in reversed(earlier):
        if not same:
            break
        found.insert(0, one)
    return found


def history(now: CellSpace, earlier: Sequence[Earlier]) -> History:
    """Today's cells and those of earlier releases, oldest first, as one set of linked tables.

    Raises Refused if categories of an earlier release cannot be told, or releases contradict each other in
    what their tables declare.
    """
    names = ("today's", *(one.release for one in reversed(earlier)))
    spaces = (now, *(one.public.space for one in reversed(earlier)))
    axes = match_axes(spaces, names)
    steps = _steps(now, earlier)
    builder = _Builder(now, earlier, axes, all(not own for own in steps), steps)
    return builder.build()


def _steps(now: CellSpace, earlier: Sequence[Earlier]) -> list[frozenset[str]]:
    """For each earlier release its tables that grew until the next one."""
    found = []
    for number, one in enumerate(earlier):
        after = earlier[number + 1].public.space if number + 1 < len(earlier) else now
        said = {layout.design.name: layout.design.changes for layout in after.layouts}
        own = {layout.design.name: layout.design.changes for layout in one.public.space.layouts}
        # Of a table that is gone its own word is the last one.
        found.append(frozenset(n for n, c in own.items() if said.get(n, c) is Changes.CUMULATIVE))
    return found


@dataclass(eq=False)
class _Builder:
    now: CellSpace
    earlier: Sequence[Earlier]
    axes: tuple[JointAxis, ...]
    frozen: bool
    steps: list[frozenset[str]]

    def build(self) -> History:
        since = len(self.earlier) + 1
        designs = [self._design(0, layout.design, "") for layout in self.now.layouts]
        plain = [len(layout.coords) for layout in self.now.layouts]
        for number, one in enumerate(self.earlier):
            for layout in one.public.space.layouts:
                design = self._design(self._place(number), layout.design, one.release)
                if not self.frozen:
                    design = self._grown(number, design, layout.design.name)
                designs.append(design)
        empty = [] if self.frozen else self._still()
        axes = [axis.axis for axis in self.axes]
        if not self.frozen:
            axes.append(Axis(RELEASES, tuple(str(i) for i in range(since))))
        source = self.now.source + SUFFIX
        space = link_tables(source, axes, [*designs, *empty], maximum_cells=2**31)
        current = np.full(len(self.now), -1, dtype=np.int64)
        for layout, own, rows in zip(space.layouts, self.now.layouts, plain, strict=False):
            assert len(layout.cells) == rows
            current[own.cells] = layout.cells
        known = _Known(len(space))
        before = [np.full(len(one.public.space), -1, dtype=np.int64) for one in self.earlier]
        layouts = iter(space.layouts[len(plain) :])
        for number, one in enumerate(self.earlier):
            for own in one.public.space.layouts:
                layout = next(layouts)
                sizes_then = [len(dimension.nodes) for dimension in own.design.dimensions]
                then = (layout.coords < np.array(sizes_then, dtype=np.int64)).all(axis=1)
                before[number][own.cells] = layout.cells[then]
                known.zero(layout.cells[~then])
            hidden = one.public.hidden
            known.hide(before[number][hidden])
            known.show(before[number][~hidden], one.public.values[~hidden])
        for layout in layouts:
            known.zero(layout.cells)
        rules = relations(space)
        releases = tuple(one.release for one in self.earlier)
        found = History(
            space, rules, releases, current, tuple(before), known.values, known.shown, known.only_hidden()
        )
        if known.wrong:
            raise found.differs(np.unique(np.concatenate(known.wrong)))
        return _settled(found)

    def _place(self, number: int) -> int:
        """Where an earlier release stands among the spaces that were matched: newest first."""
        return len(self.earlier) - number

    def _design(self, place: int, design: TableDesign, release: str) -> TableDesign:
        """A table over the joint axes, restricted to the categories of its time."""
        select = {}
        for axis in self.axes:
            own = design.select.get(axis.axis.name)
            inside = axis.places[place] >= 0
            chosen = inside if own is None else axis.onto(place, own)
            if not chosen.all():
                select[axis.axis.name] = chosen
        dimensions = tuple(
            replace(d, members=self._members(place, d.axis, d.members)) for d in design.dimensions
        )
        name = f"{design.name} of {release}" if release else design.name
        return replace(design, name=name, dimensions=dimensions, select=select)

    def _members(self, place: int, name: str, members: BoolArray) -> BoolArray:
        axis = next(axis for axis in self.axes if axis.axis.name == name)
        return np.array([axis.onto(place, row) for row in members])

    def _grown(self, number: int, design: TableDesign, name: str) -> TableDesign:
        """An earlier table that also says of categories which came later that nobody was in them."""
        later = {axis.axis.name: self._later(number, axis) for axis in self.axes}
        today = {layout.design.name: layout.design for layout in self.now.layouts}.get(name)
        after = None if today is None else self._design(0, today, "")
        select = {}
        for axis, new in later.items():
            then = design.select.get(axis)
            if then is not None:
                grown = then | (new if after is None else new & after.select.get(axis, new))
                if not grown.all():
                    select[axis] = grown
        twins = {d.name: d for d in after.dimensions} if after else {}
        dimensions = [
            _with_later(dimension, twins.get(dimension.name), later[dimension.axis])
            for dimension in design.dimensions
        ]
        select[RELEASES] = self._by(number)
        return replace(design, dimensions=tuple(dimensions), select=select)

    def _later(self, number: int, axis: JointAxis) -> BoolArray:
        """The categories that came after an earlier release; those that were gone by then did not."""
        until = [axis.places[self._place(i)] < 0 for i in range(number + 1)]
        return np.asarray(np.logical_and.reduce(until))

    def _by(self, number: int) -> BoolArray:
        return np.arange(len(self.earlier) + 1) <= number

    def _still(self) -> list[TableDesign]:
        """For each earlier table that did not grow until the next release: nobody came to it."""
        found = []
        for number, one in enumerate(self.earlier):
            for layout in one.public.space.layouts:
                if layout.design.name not in self.steps[number]:
                    design = self._design(self._place(number), layout.design, one.release)
                    came = np.arange(len(self.earlier) + 1) == number + 1
                    select = {**design.select, RELEASES: came}
                    found.append(replace(design, name=f"{design.name}, until the next", select=select))
        return found


def _with_later(dimension: Dimension, twin: Dimension | None, new: BoolArray) -> Dimension:
    """The dimension with today's categories of which none was there then, and its sets grown by them.

    twin: the same dimension as it is today. new: categories nobody can have been in.
    """
    if twin is None or twin.axis != dimension.axis:
        return dimension
    members = dimension.members.copy()
    members[0] |= new & twin.members[0]
    codes = {node.code: place for place, node in enumerate(dimension.nodes)}
    nodes, rows = list(dimension.nodes), list(members)
    for node, own in zip(twin.nodes, twin.members, strict=True):
        place = codes.get(node.code)
        if place is not None:
            # An earlier region and today's, which holds a new county too, held the same people then.
            if place and not np.any(rows[place] & ~own) and not np.any(own & ~rows[place] & ~new):
                rows[place] = own
        elif not np.any(own & ~new):
            parent = codes.get(twin.nodes[node.parent].code, 0)
            codes[node.code] = len(nodes)
            nodes.append(Node(node.code, node.label, node.level, parent))
            rows.append(own)
    return replace(dimension, nodes=tuple(nodes), members=np.array(rows))


class _Known:
    """What earlier releases say of the joint cells, one after the other."""

    def __init__(self, cells: int) -> None:
        self.values = np.zeros(cells, dtype=np.int64)
        self.shown = np.zeros(cells, dtype=bool)
        self.hidden = np.zeros(cells, dtype=bool)
        self.wrong: list[IntArray] = []

    def show(self, cells: IntArray, values: IntArray) -> None:
        wrong = self.shown[cells] & (self.values[cells] != values)
        if wrong.any():
            self.wrong.append(cells[wrong])
        self.values[cells], self.shown[cells] = values, True

    def zero(self, cells: IntArray) -> None:
        self.show(cells, np.zeros(len(cells), dtype=np.int64))

    def hide(self, cells: IntArray) -> None:
        self.hidden[cells] = True

    def only_hidden(self) -> BoolArray:
        return self.hidden & ~self.shown


def _settled(found: History) -> History:
    """With every cell that follows from the earlier releases alone, row by row, as shown by them."""
    lower, upper = found._earlier_bounds
    if np.any(lower > upper):
        raise found.differs(np.flatnonzero((lower > upper)[: len(found.space)]))
    told = (lower == upper)[: len(found.space)] & ~found.shown
    values = np.where(told, lower[: len(found.space)], found.values).astype(np.int64)
    return replace(found, values=values, shown=found.shown | told, was_hidden=found.was_hidden & ~told)
