"""What a reader of a release folder has, from its files alone: structure/*.json and site/data/*.csv.

A parser of its own, written from the description of the format in docs/explanation/proof.md. It imports
nothing of the package, knows nothing that is not in the files, and believes the files about nothing but what
they say: a table has the rows of its CSV, a row is the box of its codes, and a category is a number.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.attacker.published import Categories, Facts, Measured, Release, Row, Table, Tree

TOTAL = "all"


class NotRelease(ValueError):
    """The folder's files are not those of a release."""


def read(folder: Path, *, beside: Iterable[str] = ("proof",)) -> dict[str, Release]:
    """All protected sources of a release folder, by name, after checking every digest of its manifest.

    beside: folders that may stand beside the files of the manifest. Raises NotRelease.
    """
    said = json.loads((folder / "manifest.json").read_bytes())
    files: dict[str, bytes] = {}
    for entry in said["files"]:
        content = (folder / entry["path"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != entry["sha256"] or len(content) != entry["size"]:
            raise NotRelease(f"{entry['path']} is not the file of the manifest")
        files[entry["path"]] = content
    for path in folder.rglob("*"):
        own = path.relative_to(folder).as_posix()
        known = own in files or own == "manifest.json" or own.split("/")[0] in beside
        if path.is_file() and not known:
            raise NotRelease(f"{own} is not on the manifest")
    return parse(files)


def parse(files: Mapping[str, bytes]) -> dict[str, Release]:
    """All protected sources of a release, by name. files: path in the release -> content."""
    found = {}
    for path, content in files.items():
        if path.startswith("structure/") and path.endswith(".json"):
            said = json.loads(content)
            found[said["source"]] = _release(said, files)
    return found


def _release(said: Mapping[str, Any], files: Mapping[str, bytes]) -> Release:
    axes = {axis["name"]: _categories(axis["name"], range(axis["categories"])) for axis in said["axes"]}
    names = _unit_names([table["unit"] for table in said["tables"]])
    tables = tuple(
        _table(table, names[_key(table["unit"])], axes, files[f"site/data/{table['name']}.csv"], said)
        for table in said["tables"]
    )
    # A person whose place is that of one record and who also counts in every category of another axis may
    # count in a box in which there is no record of his.
    units = {
        names[_key(unit)]: Measured(
            unit["kind"],
            unit["bounds"][0] if unit["kind"] == "sum" else 1,
            _most(unit),
            _overlapping(unit, said["tables"]),
            torn=bool(unit["overlapping"]) and unit["assign"] != "disjoint",
        )
        for unit in (table["unit"] for table in said["tables"])
    }
    fewer = [name for name, unit in units.items() if unit.kind == "persons" and not unit.torn]
    more = [name for name, unit in units.items() if unit.kind == "records"]
    facts = Facts(
        minimum_count=said["minimum_count"],
        width=said["interval_width"],
        zeros_shown=said["zeros_shown"],
        at_most=tuple((one, other) for one in fewer for other in more),
        units=units,
        insiders=said.get("insider_records", 1),
    )
    return Release(axes, tables, facts)


def _overlapping(unit: Mapping[str, Any], tables: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The axes on which one person may be in several categories: those that are said to overlap, and for
    people who count wherever they have a record those that tables select differently and none divides."""
    found = set(unit["overlapping"])
    if unit["kind"] == "persons" and unit["assign"] == "disjoint":
        own = [table for table in tables if table["unit"] == unit]
        divided = {dimension["axis"] for table in own for dimension in table["dimensions"]}
        for axis in {axis for table in own for axis in table["select"]} - divided:
            if any(table["select"].get(axis) != own[0]["select"].get(axis) for table in own):
                found.add(axis)
    return frozenset(found)


def _key(unit: Mapping[str, Any]) -> str:
    return json.dumps(unit, sort_keys=True)


def _unit_names(units: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A short name for each distinct unit: records, persons, sum of fee; numbered if that is not enough."""
    names: dict[str, str] = {}
    for unit in units:
        if _key(unit) not in names:
            short = f"sum of {unit['measure']}" if unit["kind"] == "sum" else unit["kind"]
            taken = sum(name.split(" no. ")[0] == short for name in names.values())
            names[_key(unit)] = f"{short} no. {taken + 1}" if taken else short
    return names


def _categories(axis: str, numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"{axis}#{number}" for number in numbers)


def _set(axis: str, runs: Iterable[tuple[int, int]]) -> Categories:
    return frozenset(_categories(axis, (n for first, last in runs for n in range(first, last + 1))))


def _column(name: str) -> str:
    return "status_category" if name == "status" else name


def _table(
    said: Mapping[str, Any],
    unit: str,
    axes: Mapping[str, tuple[str, ...]],
    content: bytes,
    source: Mapping[str, Any],
) -> Table:
    trees = {}
    for dimension in said["dimensions"]:
        nodes, axis = dimension["nodes"], dimension["axis"]
        trees[dimension["name"]] = Tree(
            axis,
            {code: nodes[above][0] if above >= 0 else None for code, _, above, _ in nodes},
            {code: _set(axis, runs) for code, _, _, runs in nodes},
        )
    rows = []
    for line in csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")):
        codes = {name: line[_column(name)] for name in trees}
        for name, code in codes.items():
            if code not in trees[name].finest:
                raise NotRelease(f"table {said['name']}: {code!r} is no code of {name}")
        codes = {name: code for name, code in codes.items() if code != TOTAL}
        row = _row(codes, line["value"], line["status"], said["name"])
        rows.append(_told(row, source.get("method"), _most(said["unit"])))
    return Table(
        said["name"],
        unit,
        trees,
        tuple(rows),
        {axis: _set(axis, runs) for axis, runs in said["select"].items()},
        dict(said.get("attributes", ())),
        said.get("zeros_shown", source["zeros_shown"]),
    )


def _most(unit: Mapping[str, Any]) -> int:
    """The most that one record adds."""
    return int(unit["bounds"][1]) if unit["kind"] == "sum" else 1


def _told(row: Row, method: Mapping[str, Any] | None, most: int) -> Row:
    """A number as its method tells it: between two numbers, where it is rounded or has bounded noise."""
    if method is None or method["name"] == "suppression" or row.value is None:
        return row
    if method["name"] == "rounding":
        base = method["base"] * most
        if method["kind"] == "conventional":
            down, up = base // 2, (base - 1) // 2
        else:
            down = up = base * method.get("reach", 1) - 1
    elif method["name"] == "cell-key" and method["mode"] == "consistent":
        down = up = method["largest"]
    else:
        raise NotRelease(f"the method {method['name']} promises no bounds")
    # Zeros stay zeros, so a number above zero stands for one above zero.
    return replace(row, value=None, between=(max(row.value - down, int(row.value > 0)), row.value + up))


def _row(codes: Mapping[str, str], value: str, status: str, table: str) -> Row:
    if status == "hidden":
        if value:
            raise NotRelease(f"table {table}: a hidden cell has a number")
        return Row(codes, None)
    if status == "no-data" and not value:
        return Row(codes, 0)
    return Row(codes, int(value))
