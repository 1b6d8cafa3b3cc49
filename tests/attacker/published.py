"""What a reader has: published rows, trees of codes, the policy's facts; and the boxes that they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
    """One published line: dimension -> code (the total where a dimension is not named); None if hidden.

    between: for a number that is published rounded or with bounded noise, what the true one lies between.
    """

    codes: Mapping[str, str]
    value: int | None
    between: tuple[int, int] | None = None


@dataclass(frozen=True)
class Table:
    """A published table. where: axis -> the finest categories it counts, for the axes it restricts.

    attributes: sensitive dimensions, with how many of a visible group must be able to be elsewhere.
    zeros_shown: whether its zeros are never hidden.
    """

    name: str
    unit: str
    trees: Mapping[str, Tree]
    rows: tuple[Row, ...]
    where: Mapping[str, Categories] = field(default_factory=dict)
    attributes: Mapping[str, int] = field(default_factory=dict)
    zeros_shown: bool = True


@dataclass(frozen=True)
class Measured:
    """What a unit other than records and assigned persons is.

    least, most: what one record adds to a sum. overlapping: axes on which a person counts in every category
    that he has a record in. torn: he may count in a box without a record of his.
    """

    kind: str
    least: int = 1
    most: int = 1
    overlapping: frozenset[str] = frozenset()
    torn: bool = False


@dataclass(frozen=True)
class Facts:
    """What the policy tells everybody. at_most: pairs of units, the first never more than the second.

    units: what the units are, for those that do not simply add up one by one. insiders: so many records of
    anything hidden may be the reader's own.
    """

    minimum_count: int
    width: int
    zeros_shown: bool = True
    at_most: tuple[tuple[str, str], ...] = (("persons", "records"),)
    units: Mapping[str, Measured] = field(default_factory=dict)
    insiders: int = 1

    def unit(self, name: str) -> Measured:
        """What a unit is: one that adds up, if nothing else is said."""
        return self.units.get(name, Measured(name))


@dataclass(frozen=True)
class Release:
    """All published tables of one source. axes: name -> finest categories."""

    axes: Mapping[str, tuple[str, ...]]
    tables: tuple[Table, ...]
    facts: Facts


@dataclass(frozen=True)
class Cell:
    """A published cell, once, however many tables show it. label: where it stands, for messages.

    low, high: what is known of a value that is not shown, before anything is added up.
    """

    unit: str
    box: Box
    value: int | None
    label: str
    low: int = 0
    high: int | None = None
    rounded: bool = False


def cells_of(release: Release) -> tuple[Cell, ...]:
    """Every published box once. One that any table shows is shown. Raises Inconsistent if values differ."""
    whole = {axis: frozenset(categories) for axis, categories in release.axes.items()}
    found: dict[tuple[str, Box], Cell] = {}
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
            own = _cell(table, row, key, f"{table.name}[{table.unit}]: {where}", release.facts)
            found[key] = _both(found[key], own) if key in found else own
    return tuple(found.values())


def _cell(table: Table, row: Row, key: tuple[str, Box], label: str, facts: Facts) -> Cell:
    if row.value is not None:
        return Cell(*key, row.value, label)
    if row.between is not None:
        low, high = row.between
        return Cell(*key, None, label, max(low, 0), high, rounded=True)
    least = max(facts.unit(table.unit).least, 1)
    if facts.insiders > 1:
        return Cell(*key, None, label, facts.insiders * least)
    return Cell(*key, None, label, least if facts.zeros_shown and table.zeros_shown else 0)


def _both(one: Cell, two: Cell) -> Cell:
    """What two tables tell of one cell."""
    if one.value is not None and two.value is not None and one.value != two.value:
        raise Inconsistent(f"{one.label} is published with two values")
    value = two.value if one.value is None else one.value
    high = two.high if one.high is None else one.high if two.high is None else min(one.high, two.high)
    low, rounded = max(one.low, two.low), one.rounded and two.rounded
    return replace(one, value=value, low=low, high=high, rounded=rounded)
