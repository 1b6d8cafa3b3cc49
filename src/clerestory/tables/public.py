"""What crosses to the public side: protected cells. A hidden cell holds no number and gives no reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clerestory.tables.dimension import Dimension, Text
from clerestory.tables.space import Attribute, CellSpace, IntArray, Unit


class Status(StrEnum):
    """Why a value is as it is; the word in the `status` column of every download."""

    SHOWN = ""
    HIDDEN = "hidden"
    NO_DATA = "no-data"
    UNSTABLE = "unstable"
    INCOMPLETE = "incomplete"


def column_name(dimension: str) -> str:
    """What a dimension's column is called in downloads: its own name, unless that is a column already."""
    return "status_category" if dimension == "status" else dimension


@dataclass(frozen=True, eq=False)
class PublicCells:
    """The protected cells of a source: what the attacker, and everybody, sees.

    values: (cells,) int64, 0 where hidden (the number is not there); hidden: (cells,) bool.
    zeros_shown: whether a zero is never hidden, which tells a reader that every hidden cell is at least 1.
    insiders: so many records of any hidden cell may be a reader's own, so that for him it is at least that.
    """

    space: CellSpace
    values: IntArray
    hidden: NDArray[np.bool_]
    zeros_shown: bool = True
    insiders: int = 1

    def __post_init__(self) -> None:
        if np.any(self.values[self.hidden] != 0):
            raise ValueError("a hidden cell holds a number")

    @property
    def may_be_zero(self) -> NDArray[np.bool_]:
        """(cells,) bool: as far as the policy tells, a hidden cell here may be 0."""
        return np.asarray(self.space.may_hide_zeros | (not self.zeros_shown))


@dataclass(frozen=True, slots=True)
class Published:
    """A number that everybody may see; status is SHOWN or INCOMPLETE (counting is not finished)."""

    value: int
    status: Status = Status.SHOWN


@dataclass(frozen=True, slots=True)
class Withheld:
    """No number: HIDDEN or NO_DATA. Nothing tells why a hidden one is hidden."""

    status: Status


Cell = Published | Withheld


@dataclass(frozen=True, eq=False)
class PublicTable:
    """One protected table, as the site draws it.

    coords: (n, dimensions) node positions, sorted, unique; values: (n,) int64, 0 where there is no number;
    statuses: (n,) positions in list(Status). margins: the sets of dimension names that are published.
    attributes, zeros_shown: as in the table's design.
    """

    name: str
    source: str
    title: Text
    unit: Unit
    dimensions: tuple[Dimension, ...]
    margins: tuple[tuple[str, ...], ...]
    coords: NDArray[np.int32]
    values: IntArray
    statuses: NDArray[np.int8]
    attributes: tuple[Attribute, ...] = ()
    zeros_shown: bool = True

    @cached_property
    def _rows(self) -> dict[tuple[int, ...], int]:
        return {tuple(row): i for i, row in enumerate(self.coords.tolist())}

    def dimension(self, name: str) -> Dimension:
        """The dimension with this name. Raises KeyError."""
        for dimension in self.dimensions:
            if dimension.name == name:
                return dimension
        raise KeyError(name)

    def cell(self, nodes: Mapping[str, int]) -> Cell | None:
        """The cell at these node positions, the total for dimensions not named; None if not published."""
        row = self._rows.get(tuple(nodes.get(dimension.name, 0) for dimension in self.dimensions))
        if row is None:
            return None
        status = list(Status)[self.statuses[row]]
        if status in (Status.SHOWN, Status.INCOMPLETE, Status.UNSTABLE):
            return Published(int(self.values[row]), status)
        return Withheld(status)


def marked(table: PublicTable, status: Status, where: Mapping[str, str]) -> PublicTable:
    """The table with a remark on the cells inside the named categories (dimension -> code).

    INCOMPLETE keeps numbers and leaves hidden cells hidden. NO_DATA takes the place of zeros.
    Raises KeyError for an unknown dimension or code, ValueError if NO_DATA meets a cell that is not 0.
    """
    chosen = np.ones(len(table.coords), dtype=bool)
    for column, dimension in enumerate(table.dimensions):
        if dimension.name in where:
            node = dimension.index(where[dimension.name])
            inside = (dimension.members <= dimension.members[node]).all(axis=1)
            chosen &= inside[table.coords[:, column]]
    for name in where:
        table.dimension(name)
    order = list(Status)
    shown = table.statuses == order.index(Status.SHOWN)
    if status is Status.NO_DATA and np.any(chosen & (~shown | (table.values != 0))):
        raise ValueError("cells marked as no-data hold data")
    statuses = np.where(chosen & shown, order.index(status), table.statuses).astype(np.int8)
    return replace(table, statuses=statuses)


def unstable(table: PublicTable, below: int) -> PublicTable:
    """The table with its shown counts under `below` flagged as unstable; nothing is hidden.

    The count of rare events varies like a Poisson count: its relative standard error is 1 / sqrt(count), so
    under 20 events it is above 22 percent (CDC WONDER calls such rates unreliable). A 0 has no error to
    speak of and is flagged as well.
    """
    order = list(Status)
    flagged = (table.statuses == order.index(Status.SHOWN)) & (table.values < below)
    statuses = np.where(flagged, order.index(Status.UNSTABLE), table.statuses).astype(np.int8)
    return replace(table, statuses=statuses)


def events_for_error(relative_error: float) -> int:
    """The fewest events with a relative standard error, 1 / sqrt(events), within this: 16 for 0.25."""
    events = max(1, math.floor(1 / relative_error**2) - 1)
    while events * relative_error**2 < 1 - 1e-12:
        events += 1
    return events
