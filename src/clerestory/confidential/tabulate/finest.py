"""Records at the finest level that any table tells apart, and what is asked of them.

There are two ways. DuckDB encodes every record once, as a few small numbers in a table of its own, and rolls
each block up from there. Where no table may be made, as with a reader's role in PostgreSQL, the finest groups
are counted in one aggregation and rolled up with NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.design import Counts, Plan, SourceDesign
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.encode import staged
from clerestory.confidential.tabulate.measures import BadRows
from clerestory.confidential.tabulate.rollup import Grid
from clerestory.tables.space import IntArray

Restriction = Mapping[str, NDArray[np.bool_]]
"""For each variable that is restricted, the classes that are let through."""


class Finest(Counts, Protocol):
    """The records of a source, at the finest level."""

    def rows(self) -> int:
        """How many records there are."""

    def boxes(self, design: SourceDesign, grid: Grid, measure: str) -> tuple[IntArray, IntArray]:
        """What the boxes of a grid hold, in box_shape: records, and the sum of a measure ("" for none)."""

    def bad_rows(self, measure: str, restrictions: Sequence[Restriction]) -> BadRows:
        """Rows that any of the restrictions lets through, and in which the measure cannot be summed."""

    def persons(
        self, design: SourceDesign, grids: Sequence[Grid], counted: IntArray, minimum: int
    ) -> IntArray:
        """(cells,) distinct persons in the box of each cell of these grids; 0 for the other cells.

        counted: (cells,) records in each box. A number below `minimum` is exact; others may be lower bounds
        that are at least `minimum`. Records that do not say whose they are count as one person of a box that
        holds nobody else, so that no box is thought to hold more persons than it does.
        """


def distinct_odd_values(records: Records, plan: Plan, variable: str) -> int:
    """How many different values of a category variable are none of its categories."""
    stage = staged(records, [plan.variables[variable]])
    own = stage.digit(variable)
    odd = np.zeros(own.variable.classes, dtype=bool)
    odd[own.variable.odd] = True
    query = stage.table.filter(own.inside(odd)).aggregate(n=lambda table: table["value_0"].nunique())
    return int(records.integers(query)["n"][0])
