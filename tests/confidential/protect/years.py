"""A table of years by places that grows by a year or by records, made from counts of people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.original import OriginalCells
from clerestory.tables import (
    RECORDS,
    Axis,
    CellSpace,
    Changes,
    Dimension,
    Node,
    TableDesign,
    link_tables,
    text,
)

IntArray = NDArray[np.int64]


def dimension(name: str, size: int) -> Dimension:
    nodes = (
        Node("all", text("all"), "all", -1),
        *(Node(f"{name}{i}", text(name), name, 0) for i in range(size)),
    )
    members = np.vstack([np.ones(size, dtype=bool), np.eye(size, dtype=bool)])
    return Dimension(name, text(name), name, (name,), nodes, members)


def space(years: int, places: int, changes: Changes) -> CellSpace:
    dimensions = (dimension("year", years), dimension("place", places))
    axes = [Axis(d.name, tuple(map(str, range(len(d.nodes) - 1)))) for d in dimensions]
    design = TableDesign("t", text("t"), RECORDS, dimensions, (("year", "place"),), {}, changes=changes)
    return link_tables("s", axes, [design], maximum_cells=10**4)


def boxes(made: CellSpace) -> IntArray:
    """(cells, years, places) 1 where a finest cell is in a cell, by the codes of rows."""
    layout = made.layouts[0]
    years, places = (d.members for d in layout.design.dimensions)
    found = np.zeros((len(made), years.shape[1], places.shape[1]), dtype=np.int64)
    for (year, place), cell in zip(layout.coords.tolist(), layout.cells.tolist(), strict=True):
        found[cell] = np.outer(years[year], places[place])
    return found


def original(made: CellSpace, people: IntArray) -> OriginalCells:
    values = (boxes(made) * people).sum(axis=(1, 2))
    return OriginalCells(made, values, values, None)
