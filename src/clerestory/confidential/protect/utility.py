"""What a method did to the numbers, for insiders: how far published ones are from true ones, by margin."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from clerestory.tables import CellSpace
from clerestory.tables.space import IntArray


@dataclass(frozen=True)
class MarginErrors:
    """The cells of a table that cross some dimensions: how many, how far off, and which share changed."""

    table: str
    margin: tuple[str, ...]
    cells: int
    mean: float
    largest: int
    changed: float


@dataclass(frozen=True)
class Utility:
    """How far published numbers are from true ones. Confidential. mean, largest: of the absolute errors."""

    cells: int
    mean: float
    largest: int
    changed: float
    margins: tuple[MarginErrors, ...]

    def said(self) -> dict[str, Any]:
        """As it stands in the JSON report."""
        return asdict(self)


def utility_of(space: CellSpace, true: IntArray, published: IntArray) -> Utility:
    """The errors of published numbers. true, published: (cells,)."""
    error = np.abs(published - true)
    margins: list[MarginErrors] = []
    for layout in space.layouts:
        names = np.array([dimension.name for dimension in layout.design.dimensions])
        inside = layout.coords > 0
        codes = inside @ (1 << np.arange(inside.shape[1])) if inside.shape[1] else np.zeros(len(inside), int)
        for code in np.unique(codes):
            own = error[layout.cells[codes == code]]
            crossed = tuple(str(name) for place, name in enumerate(names) if code >> place & 1)
            margins.append(
                MarginErrors(
                    layout.design.name,
                    crossed,
                    len(own),
                    round(float(own.mean()), 4),
                    int(own.max()),
                    round(float((own > 0).mean()), 4),
                )
            )
    return Utility(
        len(error),
        round(float(error.mean()), 4) if len(error) else 0.0,
        int(error.max(initial=0)),
        round(float((error > 0).mean()), 4) if len(error) else 0.0,
        tuple(margins),
    )
