"""Why a cell is a primary suppression. Confidential: nothing public tells primary from secondary."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]


class Reason(IntFlag):
    """The rules that a cell breaks; 16 bits."""

    NONE = 0
    RECORDS = 1
    PERSONS = 2
    CONTRIBUTORS = 4
    DOMINANCE = 8
    P_PERCENT = 16
    PRIOR_POSTERIOR = 32
    ATTRIBUTE = 64
    POPULATION = 128
    UNIT = 256
    """Its box is hidden in another unit of the source; no rule hides it for its own value."""


@dataclass(frozen=True, eq=False)
class Broken:
    """Cells that break one rule. level: (cells,) how far above the true value must stay feasible, if any."""

    reason: Reason
    cells: BoolArray
    level: IntArray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Primary:
    """The primary suppressions of a source.

    hidden: (cells,). reasons: (cells,) uint16, the bits of Reason; 0 for cells that break no rule. upper,
    lower: (cells,) protection levels in the cell's unit: a value so far above, and one so far below, the
    true one must stay feasible; 0 where only the policy's width applies. single: (cells,) hidden cells to
    which one contributor alone contributes, who therefore knows their value.
    """

    hidden: BoolArray
    reasons: NDArray[np.uint16]
    upper: IntArray
    lower: IntArray
    single: BoolArray

    def __repr__(self) -> str:
        return f"Primary(cells={len(self.hidden)}, values=<confidential>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("reasons are not pickled")
