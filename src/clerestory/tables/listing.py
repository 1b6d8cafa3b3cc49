"""Rows that are public as such: a register of things, never of persons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clerestory.tables.dimension import Text


@dataclass(frozen=True)
class PublicList:
    """Some fields of every row of a public source.

    titles: for each column, what a reader sees above it; rows: in order, one text for each column.
    """

    name: str
    source: str
    title: Text
    columns: tuple[str, ...]
    titles: Mapping[str, Text]
    rows: tuple[tuple[str, ...], ...]

    @property
    def download(self) -> str:
        """Name of its CSV: never that of the table that counts the same source."""
        return f"{self.name}_rows"
