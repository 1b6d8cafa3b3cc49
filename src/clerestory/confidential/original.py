"""True values. They stay in this room: no serialiser, a redacted repr, and no pickling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from clerestory.tables import CellSpace
from clerestory.tables.space import IntArray


@dataclass(frozen=True, eq=False, repr=False)
class OriginalCells:
    """The true cells of a source's linked tables.

    values: (cells,) int64 in the unit of each cell. records: (cells,) records counted in the cell's box.
    persons: (cells,) distinct persons in the box, None where the source does not tell people apart; exact
    wherever it is small enough to matter, elsewhere a proven lower bound at or above the minimum count.
    """

    space: CellSpace
    values: IntArray
    records: IntArray
    persons: IntArray | None

    def __repr__(self) -> str:
        return f"OriginalCells(source={self.space.source!r}, cells={len(self.space)}, values=<confidential>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("true values are not pickled")
