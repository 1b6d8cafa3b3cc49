"""How a protected cell is written: its number or symbol, and the attributes that say which cell it is."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import quote

from clerestory.tables import Cell, PublicTable, Published, Status

SYMBOLS: Mapping[Status, str] = {Status.HIDDEN: "‡", Status.NO_DATA: "–"}
"""What stands where there is no number. One symbol for every hidden value: nothing tells two apart."""

NodeMap = Mapping[str, int]
"""Dimension name -> node position; dimensions that are not named are at their total."""


def number(value: int) -> str:
    """A number as every page writes it."""
    return f"{value:,}"


def written(cell: Cell) -> str:
    """The cell's number, or the symbol of its status."""
    return number(cell.value) if isinstance(cell, Published) else SYMBOLS[cell.status]


def cell_code(table: PublicTable, nodes: NodeMap) -> str:
    """Which cell of its table: "county=alameda;year=2012"; empty for the grand total."""
    parts = [
        f"{dimension.name}={quote(dimension.nodes[nodes[dimension.name]].code, safe='')}"
        for dimension in sorted(table.dimensions, key=lambda d: d.name)
        if nodes.get(dimension.name)
    ]
    return ";".join(parts)


def cell_attributes(table: PublicTable, nodes: NodeMap, cell: Cell) -> str:
    """The attributes of the element that writes this cell."""
    status = f' data-status="{cell.status.value}"' if cell.status is not Status.SHOWN else ""
    return f'data-table="{escape(table.name)}" data-cell="{escape(cell_code(table, nodes))}"{status}'


def statuses_of(cells: list[Cell]) -> list[Status]:
    """The statuses that need a word of explanation, each once, in the order of Status."""
    found = {cell.status for cell in cells}
    return [status for status in Status if status in found and status is not Status.SHOWN]
