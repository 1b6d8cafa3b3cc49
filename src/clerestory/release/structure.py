"""structure/SOURCE.json: what links the tables of a source, so that a reader of its CSVs has every relation.

It says of each table which categories its codes stand for, and what the table selects; a row of its CSV is
then a box, and rows of one box in one unit are one cell. Categories of an axis are numbers: their names
are in the codes of the tables, as far as they are published.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clerestory.errors import ClerestoryError, Refused
from clerestory.methods import SUPPRESSION, Protector, method_of, method_said
from clerestory.release.manifest import TableFacts, is_id
from clerestory.tables import (
    Attribute,
    Axis,
    CellSpace,
    Changes,
    Dimension,
    Node,
    PublicCells,
    Spread,
    Status,
    TableDesign,
    Unit,
    column_name,
    link_tables,
    text,
)

FORMAT = "clerestory-structure/1"
FOLDER = "structure"
_MOST_CELLS = 20_000_000
"""No structure may ask for more cells than this, whatever it says."""
_MOST_MEMBERS = 50_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUMBERLESS = (Status.HIDDEN.value, Status.NO_DATA.value)

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rule:
    """The policy, as the public knows it."""

    level: int
    interval_width: int
    minimum_count: int
    zeros_shown: bool = True
    method: Protector = SUPPRESSION
    insider_records: int = 1


@dataclass(frozen=True, slots=True)
class Before:
    """An earlier release of the source: its id, the SHA-256 of its manifest, and whether the next one counts
    the same people as its tables declare (frozen, cumulative), so that both are attacked together."""

    release: str
    manifest: str
    linked: bool


@dataclass(frozen=True, eq=False)
class Structure:
    """What links the tables of a source: designs over axes whose categories are numbered, and the rule.

    history: the earlier releases that were taken into account, oldest first.
    """

    space: CellSpace
    rule: Rule
    history: tuple[Before, ...] = ()

    @property
    def source(self) -> str:
        """The source's name."""
        return self.space.source

    def to_bytes(self) -> bytes:
        """The one byte form: one dimension a line, UTF-8, LF at the end."""
        return write(self.space, self.rule, self.history)

    def facts_problem(self, tables: Mapping[str, TableFacts]) -> str:
        """How the manifest's word on the source's tables differs from the structure; empty if it does not."""
        own = {name: facts for name, facts in tables.items() if facts.source == self.source}
        layouts = {layout.design.name: layout for layout in self.space.layouts}
        if set(own) != set(layouts):
            return "its tables are not those of the manifest"
        for name, facts in own.items():
            own_rule = self.rule
            rule = replace(
                own_rule,
                level=facts.level,
                interval_width=facts.interval_width,
                minimum_count=facts.minimum_count,
            )
            if rule != own_rule or facts.method != own_rule.method.method.value:
                return f"its policy is not that of table {name!r} in the manifest"
            if facts.cells != len(layouts[name].cells):
                return f"table {name!r} has another number of rows in the manifest"
        return ""


def path_of(source: str) -> str:
    """Where the structure of a source is in a release."""
    return f"{FOLDER}/{source}.json"


def csv_path(table: str) -> str:
    """Where the CSV of a table is in a release."""
    return f"site/data/{table}.csv"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _runs(members: BoolArray) -> list[list[int]]:
    """The categories of a set as [first, last] ranges, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], members.astype(np.int8), [0]])))
    return [[int(first), int(after) - 1] for first, after in edges.reshape(-1, 2)]


def _members(runs: Any, categories: int) -> BoolArray:
    members = np.zeros(categories, dtype=bool)
    for first, last in runs:
        if not (type(first) is int and type(last) is int and 0 <= first <= last < categories):
            raise ValueError("a range of categories is outside its axis")
        members[first : last + 1] = True
    return members


def write(space: CellSpace, rule: Rule, history: Sequence[Before] = ()) -> bytes:
    """The canonical bytes of the structure of public cells. Holds no value of a cell."""
    axes = [{"name": axis.name, "categories": len(axis.categories)} for axis in space.axes]
    tables = []
    for layout in space.layouts:
        design = layout.design
        dimensions = ",\n".join(
            _json(
                {
                    "name": dimension.name,
                    "axis": dimension.axis,
                    "levels": dimension.levels,
                    "nodes": [
                        [node.code, node.level, node.parent, _runs(dimension.members[position])]
                        for position, node in enumerate(dimension.nodes)
                    ],
                }
            )
            for dimension in design.dimensions
        )
        head = _json(
            {
                "name": design.name,
                "rows": len(layout.cells),
                "unit": _unit_said(design.unit),
                "select": {axis: _runs(members) for axis, members in sorted(design.select.items())},
                "margins": design.margins,
                "attributes": [[attribute.dimension, attribute.minimum] for attribute in design.attributes],
                "zeros_shown": design.zeros_shown,
                "changes": design.changes.value,
            }
        )
        tables.append(f'{head[:-1]},"dimensions":[\n{dimensions}\n]}}')
    head = _json(
        {
            "format": FORMAT,
            "source": space.source,
            "level": rule.level,
            "interval_width": rule.interval_width,
            "minimum_count": rule.minimum_count,
            "zeros_shown": rule.zeros_shown,
            "method": method_said(rule.method),
            # One adds nothing to what is known of hidden cells, and is not said.
            **({"insider_records": rule.insider_records} if rule.insider_records != 1 else {}),
            "cells": len(space),
            "history": [[one.release, one.manifest, one.linked] for one in history],
            "axes": axes,
        }
    )
    whole = ",\n".join(tables)
    return f'{head[:-1]},"tables":[\n{whole}\n]}}\n'.encode()


def _unit_said(unit: Unit) -> dict[str, Any]:
    return {
        "kind": unit.kind,
        "measure": unit.measure,
        "bounds": unit.bounds,
        "assign": unit.assign.value,
        "by": unit.by,
        "overlapping": sorted(unit.overlapping),
    }


def parse(content: bytes, *, where: str) -> Structure:
    """The structure these bytes hold. Raises Refused if they are not exactly its canonical form."""
    try:
        structure = _read(json.loads(content.decode("utf-8")))
        if structure.to_bytes() != content:
            raise ValueError("it is not in the canonical form")
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, ClerestoryError) as problem:
        reason = str(problem) if type(problem) is ValueError else "a key is missing or of the wrong kind"
        raise Refused(
            f"the structure cannot be used: {reason}", where=where, fix="build the release again"
        ) from None
    return structure


def _read(said: Any) -> Structure:
    if said["format"] != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    sizes = {axis["name"]: axis["categories"] for axis in said["axes"]}
    if not all(type(size) is int and 0 < size <= _MOST_MEMBERS for size in sizes.values()):
        raise ValueError("the categories of an axis are not a number")
    designs = tuple(_design(table, sizes) for table in said["tables"])
    if len({design.name for design in designs}) != len(designs):
        raise ValueError("a table stands twice")
    axes = tuple(Axis(name, tuple(map(str, range(size)))) for name, size in sizes.items())
    # More than it says itself: margins share cells, and some boxes are impossible.
    rows = sum(int(table["rows"]) for table in said["tables"])
    most = min(_MOST_CELLS, 4 * rows + 1000)
    space = link_tables(str(said["source"]), axes, designs, maximum_cells=most)
    rule = Rule(
        said["level"],
        said["interval_width"],
        said["minimum_count"],
        said["zeros_shown"],
        method_of(said["method"]),
        said.get("insider_records", 1),
    )
    if type(rule.insider_records) is not int or rule.insider_records < 1:
        raise ValueError("insider_records is no number of records")
    for number in (rule.level, rule.interval_width, rule.minimum_count):
        if type(number) is not int or number < 0:
            raise ValueError("a number of the policy is none")
    if type(rule.zeros_shown) is not bool:
        raise ValueError("zeros_shown is neither true nor false")
    return Structure(space, rule, tuple(_before(one) for one in said["history"]))


def _before(said: Any) -> Before:
    release, manifest, linked = said
    if not is_id(release) or not _DIGEST.fullmatch(manifest) or not manifest.startswith(release[2:]):
        raise ValueError("an earlier release is not named by its id and digest")
    if type(linked) is not bool:
        raise ValueError("it is not said whether an earlier release counts the same people")
    return Before(release, manifest, linked)


def _design(said: Any, sizes: Mapping[str, int]) -> TableDesign:
    unit = said["unit"]
    dimensions = tuple(_dimension(dimension, sizes) for dimension in said["dimensions"])
    names = [dimension.name for dimension in dimensions]
    if len(set(names)) != len(names) or any(name not in names for m in said["margins"] for name in m):
        raise ValueError("a dimension stands twice, or a margin names one that is not there")
    attributes = tuple(Attribute(name, minimum) for name, minimum in said["attributes"])
    if any(
        one.dimension not in names or type(one.minimum) is not int or one.minimum < 1 for one in attributes
    ):
        raise ValueError("an attribute names a dimension that is not there, or has no minimum")
    if len({one.dimension for one in attributes}) != len(attributes) or type(said["zeros_shown"]) is not bool:
        raise ValueError("an attribute stands twice, or zeros_shown is neither true nor false")
    return TableDesign(
        name=str(said["name"]),
        title=text(str(said["name"])),
        unit=Unit(
            kind=unit["kind"],
            measure=unit["measure"],
            bounds=(unit["bounds"][0], unit["bounds"][1]),
            assign=Spread(unit["assign"]),
            by=unit["by"],
            overlapping=frozenset(unit["overlapping"]),
        ),
        dimensions=dimensions,
        margins=tuple(tuple(margin) for margin in said["margins"]),
        select={axis: _members(runs, sizes[axis]) for axis, runs in said["select"].items()},
        attributes=attributes,
        zeros_shown=said["zeros_shown"],
        changes=Changes(said["changes"]),
    )


def _dimension(said: Any, sizes: Mapping[str, int]) -> Dimension:
    size = sizes[said["axis"]]
    if len(said["nodes"]) * size > _MOST_MEMBERS:
        raise ValueError("a dimension has too many categories")
    codes = [node[0] for node in said["nodes"]]
    if len(set(codes)) != len(codes):
        raise ValueError("a code stands twice in a dimension")
    name = str(said["name"])
    nodes = tuple(
        Node(str(code), text(str(code)), str(level), parent) for code, level, parent, _ in said["nodes"]
    )
    if not all(type(node.parent) is int and -1 <= node.parent < i for i, node in enumerate(nodes)):
        raise ValueError("a category stands before the one it is in")
    members = np.array([_members(runs, size) for _, _, _, runs in said["nodes"]], dtype=bool)
    return Dimension(name, text(name), said["axis"], tuple(said["levels"]), nodes, members)


def public_cells(structure: Structure, downloads: Mapping[str, bytes], *, where: str) -> PublicCells:
    """The public cells of a source, from its structure and the CSVs of its tables, by table name.

    A cell marked as no-data is a 0: the mark takes the place of zeros only. Raises Refused if a CSV is not
    one row a cell of the structure, each once, or two tables say different things of one cell.
    """
    space = structure.space
    values = np.zeros(len(space), dtype=np.int64)
    hidden = np.zeros(len(space), dtype=bool)
    seen = np.zeros(len(space), dtype=bool)
    for layout in space.layouts:
        table = layout.design.name
        try:
            rows = list(csv.reader(io.StringIO(downloads[table].decode("utf-8"), newline=""), strict=True))
            own_values, own_hidden = _table(layout.design, layout.coords, rows)
        except (KeyError, ValueError, IndexError, csv.Error) as problem:
            reason = str(problem) if type(problem) is ValueError else "it is not the table's CSV"
            raise Refused(
                f"the CSV does not fit the structure: {reason}",
                where=f"{where}, table {table!r}",
                fix="build the release again",
            ) from None
        again = seen[layout.cells]
        known = layout.cells[again]
        if np.any(values[known] != own_values[again]) or np.any(hidden[known] != own_hidden[again]):
            raise Refused(
                "two tables say different things of one cell",
                where=f"{where}, table {table!r}",
                fix="build the release again",
            )
        values[layout.cells], hidden[layout.cells], seen[layout.cells] = own_values, own_hidden, True
    return PublicCells(
        space,
        values,
        hidden,
        zeros_shown=structure.rule.zeros_shown,
        insiders=structure.rule.insider_records,
    )


def _table(
    design: TableDesign, coords: NDArray[np.int32], rows: list[list[str]]
) -> tuple[NDArray[np.int64], BoolArray]:
    """(rows,) values and what is hidden, in the order of the layout."""
    columns: list[str] = []
    places: list[int] = []
    for dimension in design.dimensions:
        places.append(len(columns))
        columns.append(column_name(dimension.name))
        if len(dimension.levels) > 1:
            columns.append(f"{column_name(dimension.name)}_level")
    if rows[0] != [*columns, "value", "status"]:
        raise ValueError("its columns are not the dimensions of the structure")
    if len(rows) - 1 != len(coords):
        raise ValueError("it has another number of rows")
    codes = [[node.code for node in dimension.nodes] for dimension in design.dimensions]
    values = np.zeros(len(coords), dtype=np.int64)
    hidden = np.zeros(len(coords), dtype=bool)
    for number, (row, nodes) in enumerate(zip(rows[1:], coords.tolist(), strict=True)):
        for place, own, node in zip(places, codes, nodes, strict=True):
            if row[place] != own[node]:
                raise ValueError(f"row {number + 1} is another cell, or none")
        value, status = row[-2], row[-1]
        hidden[number] = status == Status.HIDDEN.value
        if (value == "") != (status in _NUMBERLESS):
            raise ValueError(f"row {number + 1} has a number where its status has none, or none where it has")
        if value:
            if not value.isascii() or not value.isdigit() or len(value) > 15:
                raise ValueError(f"row {number + 1} has a value that is no whole number of 0 or more")
            values[number] = int(value)
    return values, hidden
