"""A second opinion on a proof: do the witnesses in proof/*.json hold in the second attacker's own system?

Positions in a proof are those of the cells sorted by their sets on each axis and then by unit; sets are
numbered as the structure meets them: table by table, margin by margin, axis by axis, code by code. Only cells
are looked at here, not the implied counts that stand behind them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.attacker.files import NotRelease, parse
from tests.attacker.knowledge import system_of
from tests.attacker.published import Box

Runs = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Checked:
    """What the witnesses show: how many there are, and how far apart they take each hidden cell."""

    witnesses: int
    reach: Mapping[str, int]


def check(files: Mapping[str, bytes], source: str) -> Checked:
    """Checks every witness of a source against all that is published. Raises NotRelease where one fails.

    files: path in the release -> content; structure, downloads and proof.
    """
    release = parse(files)[source]
    order = [box for box, _ in _positions(json.loads(files[f"structure/{source}.json"]))]
    units = [unit for _, unit in _positions(json.loads(files[f"structure/{source}.json"]))]
    names = list(release.facts.units)
    system = system_of(release)
    place = {(names[unit], box): i for i, (box, unit) in enumerate(zip(order, units, strict=True))}
    wanted = [place[system.cells[i].unit, system.cells[i].box] for i in system.unknown]
    columns, tables = witnesses(files[f"proof/{source}.json"])
    if sorted(wanted) != [column for column in columns if column < len(order)]:
        raise NotRelease("the proof is about other cells than those that are hidden")
    for number, table in enumerate(tables):
        if not system.fits([table[position] for position in wanted]):
            raise NotRelease(f"witness {number + 1} contradicts what is published")
    return Checked(
        len(tables),
        {
            system.cells[i].label: max(t[position] for t in tables) - min(t[position] for t in tables)
            for i, position in zip(system.unknown, wanted, strict=True)
        },
    )


def witnesses(content: bytes) -> tuple[list[int], list[dict[int, int]]]:
    """proof/SOURCE.json: the positions that are not shown, and the tables over them, by position."""
    said = json.loads(content)
    columns, at = [], 0
    for gap in said["columns"]:
        at += gap
        columns.append(at)
    base = dict(zip(columns, said["base"], strict=True))
    tables = [base]
    for gaps, changes in said["steps"]:
        table, place = dict(base), 0
        for gap, change in zip(gaps, changes, strict=True):
            place += gap
            table[columns[place]] += change
        tables.append(table)
    return columns, tables


def _positions(said: Mapping[str, Any]) -> list[tuple[Box, int]]:
    """Every published box with its unit's number, in the order of the proof's positions."""
    axes = [axis["name"] for axis in said["axes"]]
    size = {axis["name"]: axis["categories"] for axis in said["axes"]}
    books = {name: {frozenset(range(n)): 0} for name, n in size.items()}
    units: dict[str, int] = {}
    found: set[tuple[tuple[int, ...], int]] = set()
    for table in said["tables"]:
        unit = units.setdefault(json.dumps(table["unit"], sort_keys=True), len(units))
        select = {axis: _members(runs) for axis, runs in table["select"].items()}
        for margin in _closure(table["margins"]):
            sides = []
            for axis in axes:
                own = [d for d in table["dimensions"] if d["name"] in margin and d["axis"] == axis]
                if own or axis in select:
                    everything = select.get(axis, frozenset(range(size[axis])))
                    sides.append([_number(books[axis], s) for s in _sets(own, everything)])
                else:
                    sides.append([0])
            found |= {(key, unit) for key in product(*sides) if -1 not in key}
    named = {axis: {n: members for members, n in book.items()} for axis, book in books.items()}
    return [
        (tuple(frozenset(f"{a}#{c}" for c in named[a][n]) for a, n in zip(axes, key, strict=True)), unit)
        for key, unit in sorted(found)
    ]


def _members(runs: Runs) -> frozenset[int]:
    return frozenset(n for first, last in runs for n in range(first, last + 1))


def _sets(dimensions: Sequence[Mapping[str, Any]], everything: frozenset[int]) -> Iterator[frozenset[int]]:
    for nodes in product(*(dimension["nodes"] for dimension in dimensions)):
        members = everything
        for _, _, _, runs in nodes:
            members &= _members(runs)
        yield members


def _number(book: dict[frozenset[int], int], members: frozenset[int]) -> int:
    return book.setdefault(members, len(book)) if members else -1


def _closure(margins: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    distinct = sorted({tuple(sorted(set(margin))) for margin in margins}, key=lambda m: (-len(m), m))
    kept: list[tuple[str, ...]] = []
    for margin in distinct:
        if not any(set(margin) <= set(other) for other in kept):
            kept.append(margin)
    return kept
