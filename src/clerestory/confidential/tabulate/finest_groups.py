"""The finest groups of records as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.tabulate.encode import Digit, Packing
from clerestory.tables.space import IntArray


@dataclass(frozen=True, eq=False)
class Groups:
    """The finest groups that have records: how many, and their class on each variable.

    words: the packed digits; classes: for each variable, (groups,) its class; count: (groups,) records.
    measures: for each measure its PARTS.
    """

    digits: tuple[Digit, ...]
    packing: Packing
    words: Mapping[str, IntArray]
    classes: Mapping[str, NDArray[np.int32]]
    count: IntArray
    measures: Mapping[str, Mapping[str, IntArray]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.count)

    def each(self, variable: str) -> IntArray:
        """Records in each class of a variable."""
        size = next(one.variable.classes for one in self.digits if one.variable.name == variable)
        return np.bincount(self.classes[variable], weights=self.count, minlength=size).astype(np.int64)

    def chosen(self, classes: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Which groups are, for each variable, in one of its classes."""
        chosen = np.ones(len(self), dtype=bool)
        for variable, inside in classes.items():
            chosen &= inside[self.classes[variable]]
        return chosen
