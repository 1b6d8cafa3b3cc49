"""What `protect` returns: a protected table, and what only insiders may know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from clerestory.api.frames import native
from clerestory.tables import PublicTable, Status, column_name


@dataclass(frozen=True, eq=False)
class ProtectedTable:
    """A protected table. `to_native()` is public; seed, primary and secondary are for insiders.

    cells: published cells; hidden: those without a number; level: of the attacker it withstands; smallest:
    the least width that the audit proved, None if nothing is hidden, or for sums; seed: keep it and use it
    for this table again. rules: of sums, in words, "" for counts; within: for sums, by how many percent every
    hidden one can be larger or smaller. Values of `table` are multiples of 10 ** -decimals.
    """

    table: PublicTable
    cells: int
    hidden: int
    primary: int
    secondary: int
    level: str
    minimum_count: int
    interval_width: int
    smallest: int | None
    seed: str
    kind: str
    rules: str = ""
    within: float = 0.0
    decimals: int = 0

    def __repr__(self) -> str:
        return f"ProtectedTable({self.table.name!r}, cells={self.cells}, hidden={self.hidden})"

    def to_arrow(self) -> pa.Table:
        """The rows: a column for each dimension (and its level, if several), value (null: hidden), status."""
        table, words = self.table, list(Status)
        columns: dict[str, pa.Array] = {}
        for k, dimension in enumerate(table.dimensions):
            nodes = table.coords[:, k]
            name = column_name(dimension.name)
            columns[name] = pa.array(np.array([node.code for node in dimension.nodes], dtype=object)[nodes])
            if len(dimension.levels) > 1:
                levels = np.array([node.level for node in dimension.nodes], dtype=object)
                columns[f"{name}_level"] = pa.array(levels[nodes])
        hidden = table.statuses == words.index(Status.HIDDEN)
        values = table.values
        if self.decimals:
            values = np.round(values / 10**self.decimals, self.decimals)
        columns["value"] = pa.array(values, mask=hidden)
        columns["status"] = pa.array([words[status].value for status in table.statuses.tolist()])
        return pa.table(columns)

    def to_native(self) -> Any:
        """The rows in the kind of frame that came in (for lazy ones and databases: Arrow)."""
        return native(self.to_arrow(), self.kind)

    def said(self) -> dict[str, Any]:
        """As it stands in the JSON report; confidential, because of the seed and the primary cells."""
        report: dict[str, Any] = {
            "format": "clerestory-protect/1",
            "cells": self.cells,
            "hidden": {"primary": self.primary, "secondary": self.secondary, "total": self.hidden},
            "level": self.level,
        }
        if self.rules:
            report |= {"rules": self.rules, "within_percent": self.within, "decimals": self.decimals}
        else:
            report |= {
                "minimum_count": self.minimum_count,
                "interval_width": self.interval_width,
                "smallest_width": self.smallest,
            }
        return report | {"seed": self.seed}
