"""What a reader has: published rows, trees of codes, the policy's facts; and the boxes that they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Box = tuple[frozenset[str], ...]
Categories = frozenset[str]


class Inconsistent(ValueError):
    """The published numbers contradict each other: no population gives them."""


@dataclass(frozen=True)
class Tree:
    """A dimension: code -> code above (None for the total), and the finest categories of each code."""

    axis: str
    parents: Mapping[str, str | None]
    finest: Mapping[str, Categories]


@dataclass(frozen=True)
class Row:
    """One published line: dimension -> code (the total where a dimension is not named); None if hidden."""

    codes: Mapping[str, str]
    value: int | None


@dataclass(frozen=True)
class Table:
    """A published table. where: axis -> the finest categories it counts, for the axes it restricts."""

    name: str
    unit: str
    trees: Mapping[str, Tree]
    rows: tuple[Row, ...]
    where: Mapping[str, Categories] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What the policy tells everybody. at_most: pairs of units, the first never more than the second."""

    minimum_count: int
    width: int
    zeros_shown: bool = True
    at_most: tuple[tuple[str, str], ...] = (("persons", "records"),)


@dataclass(frozen=True)
class Release:
    """All published tables of one source. axes: name -> finest categories."""

    axes: Mapping[str, tuple[str, ...]]
    tables: tuple[Table, ...]
    facts: Facts


@dataclass(frozen=True)
class Cell:
    """A published cell, once, however many tables show it. label: where it stands, for messages."""

    unit: str
    box: Box
    value: int | None
    label: str


def cells_of(release: Release) -> tuple[Cell, ...]:
    """Every published box once. One that any table shows is shown. Raises Inconsistent if values differ."""
    whole = {axis: frozenset(categories) for axis, categories in release.axes.items()}
    values: dict[tuple[str, Box], int | None] = {}
    labels: dict[tuple[str, Box], str] = {}
    for table in release.tables:
        for row in table.rows:
            sides = {axis: whole[axis] & table.where.get(axis, whole[axis]) for axis in whole}
            for dimension, code in row.codes.items():
                tree = table.trees[dimension]
                sides[tree.axis] &= tree.finest[code]
            key = (table.unit, tuple(sides[axis] for axis in release.axes))
            if not all(key[1]):
                if row.value:
                    raise Inconsistent(f"table {table.name}: {dict(row.codes)} can hold nobody")
                continue
            where = ", ".join(f"{d} {c}" for d, c in row.codes.items()) or "total"
            labels.setdefault(key, f"{table.name}[{table.unit}]: {where}")
            seen = values.get(key)
            if seen is not None and row.value is not None and seen != row.value:
                raise Inconsistent(f"{labels[key]} is published with two values")
            values[key] = row.value if seen is None else seen
    return tuple(Cell(unit, box, values[unit, box], labels[unit, box]) for unit, box in values)
