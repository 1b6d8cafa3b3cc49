"""Linked tables: every published cell of a source, each once, whichever tables show it.

A cell is a box: for each axis of the source a set of finest categories, and a unit that says what is added
up in it. Tables of one source that count the same box in the same unit share the cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clerestory.errors import InputError
from clerestory.tables.dimension import Axis, Dimension, Text

IntArray = NDArray[np.int64]


class Spread(Enum):
    """How distinct persons fall over the values of a dimension."""

    DISJOINT = "disjoint"
    """Each person has one value (checked), so persons add up over it."""
    FIRST = "first"
    """Each person is counted where the first of his records is; adds up."""
    LATEST = "latest"
    """Each person is counted where the latest of his records is; adds up."""
    OVERLAPPING = "overlapping"
    """A person counts in each value he has a record in; max(children) <= parent <= sum(children)."""


class Changes(StrEnum):
    """How the numbers of a table change from one release to the next; public."""

    FROZEN = "frozen"
    """Not at all: what an earlier release counted stays as it is, and only new categories (years) come."""
    CUMULATIVE = "cumulative"
    """They grow: records are added, and none that was counted goes or moves."""
    REVISED = "revised"
    """In any way: each release counts anew."""


@dataclass(frozen=True)
class Unit:
    """What a cell adds up: records, distinct persons, or a measure.

    kind: "records", "persons" or "sum". measure: the field summed, with bounds (least, greatest) of one
    record's contribution, public, in the measure's unit. assign: for persons, FIRST, LATEST or DISJOINT,
    ordered by the date field `by`; overlapping: axes over which persons overlap.
    """

    kind: str
    measure: str = ""
    bounds: tuple[int, int] = (1, 1)
    assign: Spread = Spread.DISJOINT
    by: str = ""
    overlapping: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """A short name, unique in a source: records, persons, sum of fee."""
        return f"sum of {self.measure}" if self.kind == "sum" else self.kind


RECORDS = Unit("records")

RELEASES = "(release)"
"""The axis that says since which release something is counted, where releases are attacked together; no axis
of a project has such a name."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A dimension whose categories say something sensitive of everybody in them.

    Of every group that a table shows beside its part in one category, at least `minimum` people must be able
    to be elsewhere: 15 of 15 denied tells about each of the 15.
    """

    dimension: str
    minimum: int


@dataclass(frozen=True, eq=False)
class TableDesign:
    """What one table publishes: its dimensions, the margins (sets of dimension names) and its restriction.

    Every subset of a margin is published too (totals are implied). select: axis -> (categories,) bool, the
    records that the table counts, for the axes that its `where` restricts. attributes: its sensitive
    dimensions. zeros_shown: whether a zero of it is never hidden; public, like all of this. keep: margins,
    with their totals, whose numbers readers want most: hidden only where little else does. changes: how
    its numbers change from the release before.
    """

    name: str
    title: Text
    unit: Unit
    dimensions: tuple[Dimension, ...]
    margins: tuple[tuple[str, ...], ...]
    select: Mapping[str, NDArray[np.bool_]]
    attributes: tuple[Attribute, ...] = ()
    zeros_shown: bool = True
    keep: tuple[tuple[str, ...], ...] = ()
    changes: Changes = Changes.FROZEN


@dataclass(frozen=True, eq=False)
class Block:
    """One margin of one table: a grid of cells.

    axes: positions of the source's axes that the margin divides or restricts; sets: for each of them the
    set ids along that side of the grid; cells: shape of the grid, cell positions in the space (-1 where two
    dimensions on one axis contradict each other, so that nobody can be there).
    coords: (dimensions of the table, cells in the grid) node positions, 0 (the total) for the others.
    """

    axes: tuple[int, ...]
    sets: tuple[IntArray, ...]
    cells: IntArray
    coords: IntArray


@dataclass(frozen=True, eq=False)
class Layout:
    """Where a table's cells are in the space: one row a published coordinate.

    coords: (n, dimensions) node positions; cells: (n,) cell positions; no coordinate twice.
    """

    design: TableDesign
    coords: NDArray[np.int32]
    cells: IntArray


@dataclass(frozen=True, eq=False)
class CellSpace:
    """All published cells of one source.

    sets: for each axis, (set ids, categories) bool; set 0 is always the whole axis.
    cells: (n, axes) set ids; units: (n,) positions in `unit_list`.
    """

    source: str
    axes: tuple[Axis, ...]
    sets: tuple[NDArray[np.bool_], ...]
    unit_list: tuple[Unit, ...]
    cells: NDArray[np.int32]
    units: NDArray[np.int32]
    blocks: tuple[tuple[Block, ...], ...]
    layouts: tuple[Layout, ...]

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def overlapping(self) -> tuple[frozenset[str], ...]:
        """For each unit, the axes over which it does not add up: one person may be in several categories.

        They are those that its tables declare; and, of persons who are in every box they have a record in,
        those on which tables select different categories while none says that each person has one.
        """
        return tuple(self._overlaps(unit) for unit in self.unit_list)

    def _overlaps(self, unit: Unit) -> frozenset[str]:
        if unit.kind != "persons" or unit.assign is not Spread.DISJOINT:
            return unit.overlapping
        own = [layout.design for layout in self.layouts if layout.design.unit == unit]
        divided = {dimension.axis for design in own for dimension in design.dimensions}
        found = set(unit.overlapping)
        for axis in self.axes:
            chosen = {
                design.select[axis.name].tobytes() if axis.name in design.select else b"" for design in own
            }
            if len(chosen) > 1 and axis.name not in divided and axis.name != RELEASES:
                found.add(axis.name)
        return frozenset(found)

    @cached_property
    def may_hide_zeros(self) -> NDArray[np.bool_]:
        """(cells,) bool: no table that holds the cell promises to show its zero."""
        hides = np.ones(len(self), dtype=bool)
        for layout in self.layouts:
            if layout.design.zeros_shown:
                hides[layout.cells] = False
        return hides

    @cached_property
    def attribute_pairs(self) -> tuple[IntArray, IntArray, IntArray]:
        """(n,) groups, (n,) parts, (n,) minimums: cells of which group - part must be able to be so large.

        For each attribute every row of its table at a category of the dimension, beside the same row at the
        dimension's total; a pair of cells stands once, with its largest minimum.
        """
        found: dict[tuple[int, int], int] = {}
        for layout in self.layouts:
            rows = {
                tuple(row): cell
                for row, cell in zip(layout.coords.tolist(), layout.cells.tolist(), strict=True)
            }
            for attribute in layout.design.attributes:
                at = next(k for k, d in enumerate(layout.design.dimensions) if d.name == attribute.dimension)
                for row, part in rows.items():
                    group = rows[(*row[:at], 0, *row[at + 1 :])] if row[at] else part
                    if group != part:
                        found[group, part] = max(found.get((group, part), 0), attribute.minimum)
        pairs = np.array([(*pair, minimum) for pair, minimum in sorted(found.items())], dtype=np.int64)
        groups, parts, minimums = pairs.reshape(-1, 3).T
        return groups, parts, minimums

    def describe(self, cell: int) -> str:
        """Where a cell is, in words: the first table that shows it and its categories. No value."""
        for layout in self.layouts:
            rows = np.flatnonzero(layout.cells == cell)
            if len(rows):
                design = layout.design
                where = ", ".join(
                    f"{dimension.name} {dimension.nodes[node].code}"
                    for dimension, node in zip(design.dimensions, layout.coords[rows[0]], strict=True)
                    if node
                )
                return f"table {design.name!r}, {where or 'the total'}"
        return f"cell {cell}"


def margin_closure(margins: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """The margins that are not inside another one, each sorted, in order; subsets come with them."""
    distinct = sorted({tuple(sorted(set(margin))) for margin in margins}, key=lambda m: (-len(m), m))
    kept: list[tuple[str, ...]] = []
    for margin in distinct:
        if not any(set(margin) <= set(other) for other in kept):
            kept.append(margin)
    return kept


def cell_count(design: TableDesign) -> int:
    """How many cells a table's margins ask for, counted before any is made (an upper bound)."""
    size = {dimension.name: len(dimension.nodes) for dimension in design.dimensions}
    total = 0
    for margin in margin_closure(design.margins):
        product = 1
        for name in margin:
            product *= size[name]
        total += product
    return total


class _SetBook:
    """The distinct sets of categories of one axis, numbered as they are first asked for; 0 is everything."""

    def __init__(self, categories: int) -> None:
        self.rows: list[NDArray[np.bool_]] = []
        self._ids: dict[bytes, int] = {}
        self.add(np.ones(categories, dtype=bool))

    def add(self, members: NDArray[np.bool_]) -> int:
        if not members.any():
            return -1
        key = np.packbits(members).tobytes()
        if key not in self._ids:
            self._ids[key] = len(self.rows)
            self.rows.append(members)
        return self._ids[key]


def _block(
    design: TableDesign, margin: tuple[str, ...], axes: Sequence[Axis], books: Sequence[_SetBook]
) -> tuple[Block, IntArray]:
    """A margin's grid, with (grid cells, axes) set ids; -1 where a cell is impossible."""
    position = {axis.name: i for i, axis in enumerate(axes)}
    chosen = [(k, d) for k, d in enumerate(design.dimensions) if d.name in margin]
    involved = sorted({position[d.axis] for _, d in chosen} | {position[a] for a in design.select})
    sides: list[IntArray] = []
    side_coords: list[list[tuple[int, IntArray]]] = []
    for axis in involved:
        here = [(k, d) for k, d in chosen if position[d.axis] == axis]
        base = design.select.get(axes[axis].name, np.ones(len(axes[axis].categories), dtype=bool))
        grids = np.meshgrid(*[np.arange(len(d.nodes)) for _, d in here], indexing="ij")
        flat = [grid.ravel().astype(np.int64) for grid in grids]
        count = len(flat[0]) if here else 1
        ids = np.empty(count, dtype=np.int64)
        for row in range(count):
            members = base
            for (_, dimension), nodes in zip(here, flat, strict=True):
                members = members & dimension.members[nodes[row]]
            ids[row] = books[axis].add(members)
        sides.append(ids)
        side_coords.append([(k, nodes) for (k, _), nodes in zip(here, flat, strict=True)])
    shape = tuple(len(side) for side in sides) or (1,)
    size = int(np.prod(shape))
    index = np.indices(shape).reshape(len(shape), size) if sides else np.zeros((0, 1), dtype=np.int64)
    keys = np.zeros((size, len(axes)), dtype=np.int64)
    coords = np.zeros((len(design.dimensions), size), dtype=np.int64)
    for along, axis in enumerate(involved):
        keys[:, axis] = sides[along][index[along]]
        for k, nodes in side_coords[along]:
            coords[k] = nodes[index[along]]
    return Block(tuple(involved), tuple(sides), np.empty(shape, dtype=np.int64), coords), keys


def link_tables(
    source: str, axes: Sequence[Axis], designs: Sequence[TableDesign], *, maximum_cells: int
) -> CellSpace:
    """The cell space of a source's tables.

    Raises InputError if the margins ask for more than maximum_cells, before any cell is made.
    """
    for design in designs:
        asked = cell_count(design)
        if asked > maximum_cells:
            raise InputError(
                f"the margins ask for {asked:,} cells; the most for one source is {maximum_cells:,}",
                where=f"table {design.name!r}",
                fix="cross fewer dimensions in one margin, or use coarser levels",
            )
    books = [_SetBook(len(axis.categories)) for axis in axes]
    unit_list = tuple(dict.fromkeys(design.unit for design in designs))
    parts: list[tuple[int, Block, IntArray]] = []
    for number, design in enumerate(designs):
        for margin in margin_closure(design.margins):
            block, keys = _block(design, margin, axes, books)
            parts.append((number, block, keys))
    stacked = np.concatenate(
        [
            np.column_stack([keys, np.full(len(keys), unit_list.index(designs[number].unit))])
            for number, _, keys in parts
        ]
    )
    possible = (stacked >= 0).all(axis=1)
    distinct, inverse = np.unique(stacked[possible], axis=0, return_inverse=True)
    found = np.full(len(stacked), -1, dtype=np.int64)
    found[possible] = inverse.ravel()
    blocks: list[list[Block]] = [[] for _ in designs]
    offset = 0
    for number, block, keys in parts:
        cells = found[offset : offset + len(keys)]
        offset += len(keys)
        block.cells[...] = cells.reshape(block.cells.shape)
        blocks[number].append(block)
    layouts = []
    for design, own in zip(designs, blocks, strict=True):
        coords = np.concatenate([block.coords.T for block in own]).astype(np.int32)
        cells = np.concatenate([block.cells.ravel() for block in own])
        coords, cells = coords[cells >= 0], cells[cells >= 0]
        _, first = np.unique(coords, axis=0, return_index=True)
        layouts.append(Layout(design, coords[first], cells[first]))
    if len(distinct) > maximum_cells:
        raise InputError(
            f"the tables ask for {len(distinct):,} cells; the most for one source is {maximum_cells:,}",
            where=f"source {source!r}",
            fix="cross fewer dimensions in one margin, or use coarser levels",
        )
    return CellSpace(
        source=source,
        axes=tuple(axes),
        sets=tuple(np.array(book.rows) for book in books),
        unit_list=unit_list,
        cells=distinct[:, :-1].astype(np.int32),
        units=distinct[:, -1].astype(np.int32),
        blocks=tuple(tuple(own) for own in blocks),
        layouts=tuple(layouts),
    )
