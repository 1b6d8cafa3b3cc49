"""What hiding a cell costs its readers, as the policy names it: protection hides where that is least."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.original import OriginalCells
from clerestory.policy import Cost, Policy
from clerestory.tables import CellSpace

_KEPT = 20.0
"""How many other cells are hidden rather than one of a margin that readers asked to keep."""
_LEAST, _MOST = 0.05, 50.0
"""Loss of the smallest and the largest number, in that of an average one, where the cost is the value."""


def loss(original: OriginalCells, policy: Policy) -> NDArray[np.float64]:
    """(cells,) what is lost where each is hidden; about 1 for an average cell, more in margins to keep."""
    found = np.ones(len(original.space))
    if policy.cost is Cost.VALUE:
        used = original.records[original.records > 0]
        average = float(used.mean()) if len(used) else 1.0
        found = np.clip(original.records / average, _LEAST, _MOST)
    return np.where(_kept(original.space), _KEPT * found, found)


def _kept(space: CellSpace) -> NDArray[np.bool_]:
    """(cells,) whether a table asks to keep the margin that a cell is in, or a larger one."""
    kept = np.zeros(len(space), dtype=bool)
    for layout in space.layouts:
        names = np.array([dimension.name for dimension in layout.design.dimensions])
        for margin in layout.design.keep:
            outside = ~np.isin(names, margin)
            kept[layout.cells[~np.any(layout.coords[:, outside] != 0, axis=1)]] = True
    return kept
