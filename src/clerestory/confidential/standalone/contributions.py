"""Adds up one amount of records into every cell, and keeps the largest contributions to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NoReturn

import numpy as np

from clerestory.confidential.standalone.amounts import decimals_of, multiples, number
from clerestory.confidential.standalone.counting import counted_dimension
from clerestory.confidential.standalone.hierarchy import Tree
from clerestory.confidential.standalone.reading import Columns
from clerestory.confidential.standalone.shape import linked
from clerestory.errors import InputError
from clerestory.tables import CellSpace, Dimension, Unit
from clerestory.tables.space import Block, IntArray


@dataclass(frozen=True, eq=False, repr=False)
class Contributions:
    """True sums and what makes them up; confidential. In units of 10 ** -decimals.

    sums: (cells,); contributors: (cells,) how many give more than 0; largest: (cells, depth) the largest
    contributions of one contributor, in falling order, 0 where there are fewer.
    """

    space: CellSpace
    sums: IntArray
    contributors: IntArray
    largest: IntArray
    decimals: int

    def __repr__(self) -> str:
        return f"Contributions(cells={len(self.space)}, sums=<confidential>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("true values are not pickled")


def contributions(
    read: Columns,
    dims: Sequence[str],
    *,
    name: str,
    amount: str,
    contributor: str | None,
    trees: Mapping[str, Tree],
    margins: Sequence[Sequence[str]],
    depth: int,
    decimals: int | None,
) -> Contributions:
    """The true cells. amount: the column that is added up, 0 or more; contributor: the column that says whose
    a row is (a firm, the holding that it belongs to), None where each row is a contributor of its own.

    Rows of one contributor in one cell add up before they are compared. Raises InputError, which names
    columns, rows and rules only.
    """
    if not read.rows:
        raise InputError("there are no rows", where=read.where, fix="check the file")
    amounts, kept = _amounts(read, amount, decimals)
    who = _contributors(read, contributor)
    found = [counted_dimension(read, d, trees.get(d)) for d in dims]
    dimensions = [d for d, _ in found]
    space = linked(name, dimensions, margins, Unit("sum", amount, (0, 1)))
    shape = (len(space), depth)
    made = Contributions(
        space,
        np.zeros(len(space), dtype=np.int64),
        np.zeros(len(space), dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        kept,
    )
    paths = [_nodes_of_leaves(d)[:, leaves] for d, leaves in found]
    for block in space.blocks[0]:
        for levels in product(*(range(len(paths[axis])) for axis in block.axes)):
            _add(made, block, [paths[axis][level] for axis, level in zip(block.axes, levels, strict=True)],
                 who, amounts)  # fmt: skip
    return made


def _add(made: Contributions, block: Block, nodes: list[IntArray], who: IntArray, amounts: IntArray) -> None:
    """Adds the rows to the cells of one level of each dimension; -1: the row is in none of them."""
    inside = np.ones(len(who), dtype=bool)
    for node in nodes:
        inside &= node >= 0
    at = tuple(node[inside] for node in nodes) if nodes else (np.zeros(int(inside.sum()), dtype=np.int64),)
    cells = block.cells[at]
    done = made.contributors[cells] > 0  # a cell of another margin that this one holds as well
    cells, person, amount = cells[~done], who[inside][~done], amounts[inside][~done]
    if not len(cells):
        return
    pairs, which = np.unique(np.column_stack([cells, person]), axis=0, return_inverse=True)
    given = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(given, which.ravel(), amount)
    order = np.lexsort((-given, pairs[:, 0]))
    cell, given = pairs[order, 0], given[order]
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    rank = np.arange(len(cell)) - np.repeat(first, np.diff(first, append=len(cell)))
    np.add.at(made.sums, cell, given)
    np.add.at(made.contributors, cell, (given > 0).astype(np.int64))
    top = rank < made.largest.shape[1]
    made.largest[cell[top], rank[top]] = given[top]


def _nodes_of_leaves(dimension: Dimension) -> IntArray:
    """(levels, leaves) the node that holds each finest category at each level, the total first; -1: none."""
    depth = [0] * len(dimension.nodes)
    for position, node in enumerate(dimension.nodes):
        if node.parent >= 0:
            depth[position] = depth[node.parent] + 1
    found = np.full((max(depth) + 1, dimension.members.shape[1]), -1, dtype=np.int64)
    for position, level in enumerate(depth):
        found[level, dimension.members[position]] = position
    return found


def _amounts(read: Columns, amount: str, decimals: int | None) -> tuple[IntArray, int]:
    column, where = read[amount], f"{read.where}, column {amount!r}"
    parsed = [number(text) for text in column.texts]
    bad = np.array([*(one is None for one in parsed), True])[column.places]
    if bad.any():
        raise InputError(
            f"{read.numbers(np.flatnonzero(bad))} hold no amount",
            where=where,
            fix="an amount is a number, 0 or more, with a point before decimals; leave out rows without one",
        )
    negative = np.array([*(one is not None and one < 0 for one in parsed), False])[column.places]
    if negative.any():
        raise InputError(
            f"{read.numbers(np.flatnonzero(negative))} hold an amount below 0",
            where=where,
            fix="what adds up to sums that hide must be 0 or more: publish gains and losses as two tables",
        )
    kept = decimals_of(parsed, decimals, where)
    scaled = np.array([*(one or 0 for one in multiples(parsed, kept, where)), 0], dtype=np.int64)
    if float(scaled[column.places].astype(np.float64).sum()) > 1e12:
        raise InputError(
            "the amounts add up to more than 1,000,000,000,000 in units of their last digit",
            where=where,
            fix="use larger units, thousands say",
        )
    return scaled[column.places], kept


def _contributors(read: Columns, contributor: str | None) -> IntArray:
    """(rows,) a number for each contributor; a row that names none is one of its own."""
    if contributor is None:
        return np.arange(read.rows, dtype=np.int64)
    column = read[contributor]
    own = len(column.texts) + np.arange(read.rows, dtype=np.int64)
    return np.where(column.places >= 0, column.places, own)
