"""True values. They stay in this room: no serialiser, a redacted repr, and no pickling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from clerestory.tables import CellSpace
from clerestory.tables.space import IntArray


@dataclass(frozen=True, eq=False, repr=False)
class Contributions:
    """Who is behind the cells: what each contributor (a person, a holding) adds to a cell, in absolute value.

    contributors: (cells,) how many there are, -1 where nobody asked. largest: (cells, n) the largest
    contributions, descending, 0 where there are fewer; records that do not say whose they are are added to
    the first, as if they were all the largest contributor's. total: (cells,) all contributions.
    """

    contributors: IntArray
    largest: IntArray
    total: IntArray

    def __repr__(self) -> str:
        return f"Contributions(cells={len(self.total)}, values=<confidential>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("true values are not pickled")


@dataclass(frozen=True, eq=False, repr=False)
class OriginalCells:
    """The true cells of a source's linked tables.

    values: (cells,) int64 in the unit of each cell. records: (cells,) records counted in the cell's box.
    persons: (cells,) distinct persons in the box, None where the source does not tell people apart; exact
    wherever it is small enough to matter, elsewhere a proven lower bound at or above the minimum count.
    contributions: only where the policy asks for them. populations: (cells,) people that a cell could be
    about, from a reference file; -1 in tables that name none; None where no table does.
    keys: (cells,) the sum of the record keys in the box, None where the method needs none.
    """

    space: CellSpace
    values: IntArray
    records: IntArray
    persons: IntArray | None
    contributions: Contributions | None = None
    populations: IntArray | None = None
    keys: IntArray | None = None

    def __repr__(self) -> str:
        return f"OriginalCells(source={self.space.source!r}, cells={len(self.space)}, values=<confidential>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("true values are not pickled")
