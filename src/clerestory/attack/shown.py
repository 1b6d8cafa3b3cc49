"""What needs no arithmetic: small counts in plain sight, and a box that one unit hides and another shows."""

from __future__ import annotations

import numpy as np

from clerestory.attack.relations import group
from clerestory.tables import CellSpace, PublicCells
from clerestory.tables.space import IntArray


def small_shown(public: PublicCells, minimum: int) -> IntArray:
    """Cells that show a count of 1 to minimum - 1. A sum does not say how many it is of."""
    space = public.space
    counted = np.array([unit.kind != "sum" for unit in space.unit_list] or [True])[space.units]
    small = (public.values > 0) & (public.values < minimum)
    return np.flatnonzero(counted & small & ~public.hidden)


def open_units(public: PublicCells) -> IntArray:
    """Cells shown, and not zero, of a box that is hidden in another unit: units bound each other."""
    boxes = box_numbers(public.space)
    hidden = np.zeros(int(boxes.max(initial=-1)) + 1, dtype=bool)
    hidden[boxes[public.hidden]] = True
    return np.flatnonzero(hidden[boxes] & ~public.hidden & (public.values != 0))


def box_numbers(space: CellSpace) -> IntArray:
    """(cells,) a number for each box, the same for its cells in every unit; 0, 1, 2 and so on."""
    _, numbers = np.unique(group(space.cells.astype(np.int64)), return_inverse=True)
    return np.asarray(numbers.ravel(), dtype=np.int64)
