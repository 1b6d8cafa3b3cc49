"""Counts records, or adds up counts, into every cell of the margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from clerestory.confidential.original import OriginalCells
from clerestory.confidential.standalone.hierarchy import Tree
from clerestory.confidential.standalone.reading import Columns, whole_number
from clerestory.confidential.standalone.shape import dimension, linked, unknown_codes
from clerestory.errors import InputError
from clerestory.tables import MISSING, TOTAL, CellSpace, Dimension
from clerestory.tables.space import IntArray


def count_cells(
    read: Columns,
    dims: Sequence[str],
    *,
    name: str,
    value: str | None,
    trees: Mapping[str, Tree],
    margins: Sequence[Sequence[str]],
) -> OriginalCells:
    """The true cells. value: the column of counts, None where every row is one record.

    Rows that agree in all dimensions add up. Raises InputError, which names columns, rows and rules only.
    """
    if not read.rows:
        raise InputError("there are no rows", where=read.where, fix="check the file")
    weights = np.ones(read.rows, dtype=np.int64) if value is None else _counts(read, value)
    found = [counted_dimension(read, d, trees.get(d)) for d in dims]
    dimensions = [d for d, _ in found]
    space = linked(name, dimensions, margins)
    values = _values(space, dimensions, [leaves for _, leaves in found], weights)
    return OriginalCells(space, values, values, None)


def _counts(read: Columns, value: str) -> IntArray:
    column = read[value]
    numbers = [whole_number(text) for text in column.texts]
    good = np.array([number is not None and number >= 0 for number in numbers] + [False])
    bad = np.flatnonzero(~good[column.places])
    if len(bad):
        raise InputError(
            f"{read.numbers(bad)} hold no count: a whole number, 0 or more",
            where=f"{read.where}, column {value!r}",
            fix="protect takes true counts; for a table in which cells are hidden already use audit",
        )
    return np.array([*(number or 0 for number in numbers), 0], dtype=np.int64)[column.places]


def counted_dimension(read: Columns, name: str, tree: Tree | None) -> tuple[Dimension, IntArray]:
    """The dimension, and for every row the position of its finest category."""
    column = read[name]
    total = [place for place, code in enumerate(column.texts) if code.lower() in (TOTAL, "total")]
    if total:
        rows = np.flatnonzero(np.isin(column.places, total))
        raise InputError(
            f"{read.numbers(rows)} seem to be totals",
            where=f"{read.where}, column {name!r}",
            fix="give the finest level only; totals are made from it",
        )
    missing = bool(np.any(column.places < 0)) or MISSING in column.texts
    categories = [code for code in column.texts if code != MISSING]
    if tree is not None:
        strange = [code for code in categories if code not in tree.paths]
        if strange:
            raise unknown_codes(read, name, strange)
    made = dimension(name, categories, tree, missing=missing)
    leaf_codes = [made.nodes[leaf].code for leaf in made.leaves()]
    leaf_of = {
        code: int(np.flatnonzero(made.members[made.index(code)])[0]) for code in leaf_codes if code != TOTAL
    }
    places = np.array([*(leaf_of[code] for code in column.texts), leaf_of.get(MISSING, -1)], dtype=np.int64)
    return made, places[column.places]


def _values(
    space: CellSpace, dimensions: Sequence[Dimension], leaves: Sequence[IntArray], weights: IntArray
) -> IntArray:
    """(cells,) sums of the weights in every cell."""
    values = np.zeros(len(space), dtype=np.int64)
    for block in space.blocks[0]:
        # Every dimension has an axis of its own, so the sides of a block are dimensions.
        sides = [dimensions[axis] for axis in block.axes]
        shape = tuple(d.members.shape[1] for d in sides) or (1,)
        flat = np.zeros(len(weights), dtype=np.int64)
        for axis, side in zip(block.axes, sides, strict=True):
            flat = flat * side.members.shape[1] + leaves[axis]
        grid = np.zeros(int(np.prod(shape)), dtype=np.int64)
        np.add.at(grid, flat, weights)
        grid = grid.reshape(shape)
        for along, side in enumerate(sides):
            members = side.members.astype(np.int64)
            grid = np.moveaxis(np.tensordot(members, grid, axes=(1, along)), 0, along)
        values[block.cells.ravel()] = grid.ravel()
    return values
