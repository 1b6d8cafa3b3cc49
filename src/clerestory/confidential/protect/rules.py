"""Primary suppression: which cells the policy hides for their own sake."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.shown import box_numbers
from clerestory.confidential.original import OriginalCells
from clerestory.policy import Policy


def primary_suppressions(original: OriginalCells, policy: Policy) -> NDArray[np.bool_]:
    """(cells,) cells whose box holds 1 to minimum_count - 1 records or persons; zeros stay published.

    Units link: a box that is hidden in one unit is hidden in all (save for zeros), since records, persons and
    sums of the same people bound each other. A count may be small where the box is not: persons who are
    counted where their first record is.
    """
    space = original.space
    counted = np.array([unit.kind != "sum" for unit in space.unit_list] or [True])[space.units]
    small = counted & (original.values > 0) & (original.values < policy.minimum_count)
    small |= (original.records > 0) & (original.records < policy.minimum_count)
    if original.persons is not None:
        small |= (original.persons > 0) & (original.persons < policy.minimum_count)
    boxes = box_numbers(space)
    hidden = np.zeros(int(boxes.max(initial=-1)) + 1, dtype=bool)
    hidden[boxes[small]] = True
    return hidden[boxes] & (original.values > 0)
