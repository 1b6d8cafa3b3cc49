"""What protection costs: cells and value hidden by table and margin, the largest hidden cell, and where.

Confidential: it holds true values. What is printed leaves them out (`said(values=False)`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.original import OriginalCells
from clerestory.tables import Layout


@dataclass(frozen=True)
class Loss:
    """Cells, and those hidden; value: what the finest of them add up to, and hidden_value of it."""

    cells: int
    hidden: int
    value: int
    hidden_value: int

    def said(self, *, values: bool) -> dict[str, Any]:
        """As it stands in the build report; without values only the shares."""
        found: dict[str, Any] = {
            "cells": self.cells,
            "hidden": self.hidden,
            "hidden_share": _share(self.hidden, self.cells),
            "hidden_value_share": _share(self.hidden_value, self.value),
        }
        if values:
            found |= {"value": self.value, "hidden_value": self.hidden_value}
        return found


@dataclass(frozen=True)
class TableUtility:
    """One table. margins: by the dimensions that divide it, () for the total; where: dimension, code, loss.

    The value of the whole table, and of a category, counts every margin once.
    """

    whole: Loss
    margins: dict[tuple[str, ...], Loss]
    where: dict[str, dict[str, Loss]]

    def said(self, *, values: bool) -> dict[str, Any]:
        """As it stands in the build report."""
        return {
            **self.whole.said(values=values),
            "margins": [
                {"margin": list(margin), **loss.said(values=values)} for margin, loss in self.margins.items()
            ],
            "where": {
                name: {code: loss.said(values=values) for code, loss in codes.items()}
                for name, codes in self.where.items()
            },
        }


@dataclass(frozen=True)
class SourceUtility:
    """One source. largest: where its largest hidden count is, and how large; None if nothing is hidden."""

    cells: int
    hidden: int
    largest: tuple[str, int] | None
    tables: dict[str, TableUtility]

    def said(self, *, values: bool) -> dict[str, Any]:
        """As it stands in the build report; values: with true values, for files that stay inside."""
        largest: dict[str, Any] | None = None
        if self.largest is not None:
            largest = {"where": self.largest[0]} | ({"value": self.largest[1]} if values else {})
        return {
            "cells": self.cells,
            "hidden": self.hidden,
            "hidden_share": _share(self.hidden, self.cells),
            "largest_hidden": largest,
            "tables": {name: table.said(values=values) for name, table in self.tables.items()},
        }


def utility(original: OriginalCells, hidden: NDArray[np.bool_]) -> SourceUtility:
    """The cost of hiding these cells of a source. hidden: (cells,). Value is counted at the finest level."""
    space = original.space
    counts = np.array([unit.kind != "sum" for unit in space.unit_list] or [True])[space.units]
    candidates = np.flatnonzero(hidden & counts)
    if not len(candidates):
        candidates = np.flatnonzero(hidden)
    largest = None
    if len(candidates):
        cell = int(candidates[np.argmax(original.values[candidates])])
        largest = (space.describe(cell), int(original.values[cell]))
    return SourceUtility(
        len(space),
        int(hidden.sum()),
        largest,
        {layout.design.name: _table(layout, original, hidden) for layout in space.layouts},
    )


def _table(layout: Layout, original: OriginalCells, hidden: NDArray[np.bool_]) -> TableUtility:
    dimensions = layout.design.dimensions
    out, values = hidden[layout.cells], original.values[layout.cells]
    finest = np.ones(len(layout.cells), dtype=bool)
    for column, dimension in enumerate(dimensions):
        leaves = np.isin(layout.coords[:, column], dimension.leaves()) | (layout.coords[:, column] == 0)
        finest &= leaves

    def loss(rows: NDArray[np.bool_]) -> Loss:
        adding = rows & finest
        return Loss(
            int(rows.sum()),
            int((rows & out).sum()),
            int(values[adding].sum()),
            int(values[adding & out].sum()),
        )

    margins = {
        tuple(d.name for d, divides in zip(dimensions, margin, strict=True) if divides): loss(
            (divided == margin).all(axis=1)
        )
        for divided in [layout.coords > 0]
        for margin in np.unique(divided, axis=0)
    }
    where = {
        dimension.name: {
            node.code: loss(layout.coords[:, column] == place)
            for place, node in enumerate(dimension.nodes)
            if place
        }
        for column, dimension in enumerate(dimensions)
    }
    return TableUtility(loss(np.ones(len(out), dtype=bool)), margins, where)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
