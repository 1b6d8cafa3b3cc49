"""Why a cell of a release is hidden or shown, for insiders: reasons and proven widths, never a true value."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clerestory.api.kept import FOLDER, read_kept
from clerestory.confidential.reasons import RuleSaid, rules_said
from clerestory.errors import InputError
from clerestory.project.problems import nearest
from clerestory.release import structure
from clerestory.release.check import release_folder
from clerestory.release.manifest import Manifest, is_id
from clerestory.release.proof import proof_list, witness
from clerestory.release.structure import Structure
from clerestory.release.verify import open_release
from clerestory.tables import Layout, Status

_EXAMPLE = "table:county=alpine,year=2020; dimensions not named are at their total"


@dataclass(frozen=True)
class Line:
    """The cells that a cell adds up with over one dimension: how many there are, and how many are hidden."""

    over: str
    inside: str
    cells: int
    hidden: int


@dataclass(frozen=True)
class Explanation:
    """Why one cell is as it is.

    status: the word in its download, "" if shown; hidden_as: "primary", "secondary" or "". proven, required:
    how far apart two values of it are that the release's own proof shows possible, and that the policy asks
    for, in the cell's unit; None without a proof.
    """

    release: str
    cell: str
    source: str
    status: str
    hidden_as: str
    rules: tuple[RuleSaid, ...]
    profile: str
    proven: int | None
    required: int
    level: int
    also_in: tuple[str, ...]
    lines: tuple[Line, ...]

    def said(self) -> dict[str, Any]:
        """The JSON of `clerestory explain RELEASE CELL --format json`."""
        return {
            "release": self.release,
            "cell": self.cell,
            "source": self.source,
            "status": self.status or "shown",
            "hidden_as": self.hidden_as or None,
            "rules": [{"rule": rule.rule, "what": rule.what} for rule in self.rules],
            "profile": self.profile,
            "interval": {"proven_width": self.proven, "required_width": self.required, "level": self.level},
            "also_in": list(self.also_in),
            "lines": [
                {"over": line.over, "inside": line.inside, "cells": line.cells, "hidden": line.hidden}
                for line in self.lines
            ],
        }

    def sentences(self) -> list[str]:
        """For people."""
        found = [f"{self.cell} (source {self.source}): {self.status or 'shown'}"]
        if self.hidden_as == "primary":
            found.append(
                f"hidden for its own sake, under the profile {self.profile} as the project tightens it:"
            )
            found += [f"  {rule.rule}: {rule.what}" for rule in self.rules]
        elif self.hidden_as == "secondary":
            found.append("hidden to protect others: no rule hides it for its own sake")
        else:
            found.append("no rule hides it, and no hidden cell needs it")
        for line in self.lines:
            found.append(
                f"  over {line.over} inside {line.inside}: {line.hidden} of {line.cells} cells are hidden"
            )
        if self.hidden_as:
            proven = "no proof is here" if self.proven is None else f"the proof shows {self.proven}"
            found.append(
                f"width: {proven}, the policy asks for {self.required} (level {self.level} attacker)"
            )
        if self.also_in:
            found.append(f"the same number: {', '.join(self.also_in)}")
        return found


def explain_cell(release: Path, cell: str) -> Explanation:
    """Why a cell of a release is hidden or shown. release: its folder, its name, or the project.

    Raises InputError that names the nearest valid word if the cell is not one of the release, or if what the
    build kept inside is not here.
    """
    folder = _folder(release)
    manifest = open_release(folder).manifest
    table, at = _parsed(cell)
    if table not in manifest.tables:
        raise InputError(f"no table {table!r}", where=cell, fix=nearest(table, manifest.tables))
    facts = manifest.tables[table]
    kept = read_kept(_root(folder), folder.name, "reasons")
    if facts.source not in kept["sources"]:
        return _open(folder.name, cell, facts.source, kept["policy"]["profile"])
    found = structure.parse(
        (folder / structure.path_of(facts.source)).read_bytes(), where=structure.path_of(facts.source)
    )
    layout = _layout(found, table)
    row = _row(layout, at, cell)
    statuses = _statuses(folder, manifest, table, len(layout.cells))
    bits = dict(
        zip(
            kept["sources"][facts.source][table]["hidden"],
            kept["sources"][facts.source][table]["reasons"],
            strict=True,
        )
    )
    hidden = statuses[row] == Status.HIDDEN.value
    if hidden != (row in bits):
        raise InputError(
            "what was kept inside is of other bytes than the release",
            where=folder.name,
            fix="build again: clerestory build",
        )
    minimum = max((one.minimum for one in layout.design.attributes), default=0)
    reasons = int(bits.get(row, 0))
    unit = layout.design.unit
    return Explanation(
        release=folder.name,
        cell=cell,
        source=facts.source,
        status=statuses[row],
        hidden_as=("primary" if reasons else "secondary") if hidden else "",
        rules=tuple(rules_said(reasons, kept["policy"], minimum)),
        profile=kept["policy"]["profile"],
        proven=_proven(folder, facts.source, int(layout.cells[row])) if hidden else None,
        required=facts.interval_width * (unit.bounds[1] if unit.kind == "sum" else 1),
        level=facts.level,
        also_in=_also_in(found, table, int(layout.cells[row])),
        lines=_lines(layout, row, statuses),
    )


def explain_report(release: Path, what: str) -> dict[str, Any]:
    """What the build report says of a release's utility or scoring, without true values.

    what: "utility" or "scoring". Raises InputError if the report is not here.
    """
    folder = _folder(release)
    said: dict[str, Any] = read_kept(_root(folder), folder.name, "reports").get(what, {})
    return {"release": folder.name, what: _without_values(said)}


def report_file(release: Path) -> Path:
    """Where the build report of a release is kept, with its true values."""
    folder = _folder(release)
    return _root(folder) / FOLDER / "reports" / f"{folder.name}.json"


def _without_values(said: Any) -> Any:
    if isinstance(said, Mapping):
        return {
            key: _without_values(value) for key, value in said.items() if key not in ("value", "hidden_value")
        }
    return [_without_values(one) for one in said] if isinstance(said, list) else said


def _folder(release: Path) -> Path:
    """A release's folder, by itself, by its name in the project one stands in, or by its project."""
    if is_id(str(release)) and not release.exists():
        return release_folder(Path("releases") / release)
    return release_folder(release)


def _root(folder: Path) -> Path:
    """The project that a release folder is in."""
    return folder.parent.parent


def _parsed(cell: str) -> tuple[str, dict[str, str]]:
    table, _, rest = cell.partition(":")
    at: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        name, equals, code = part.partition("=")
        if not equals or not name.strip() or not code.strip():
            raise InputError(f"{part!r} is not DIMENSION=CODE", where=cell, fix=f"write it as {_EXAMPLE}")
        if name.strip() in at:
            raise InputError(f"{name.strip()!r} stands twice", where=cell, fix="name each dimension once")
        at[name.strip()] = code.strip()
    return table.strip(), at


def _layout(found: Structure, table: str) -> Layout:
    return next(layout for layout in found.space.layouts if layout.design.name == table)


def _row(layout: Layout, at: Mapping[str, str], cell: str) -> int:
    names = [dimension.name for dimension in layout.design.dimensions]
    for name in at:
        if name not in names:
            raise InputError(f"no dimension {name!r}", where=cell, fix=nearest(name, names))
    wanted = []
    for dimension in layout.design.dimensions:
        codes = [node.code for node in dimension.nodes]
        code = at.get(dimension.name, codes[0])
        if code not in codes:
            raise InputError(f"no {dimension.name} {code!r}", where=cell, fix=nearest(code, codes))
        wanted.append(codes.index(code))
    rows = np.flatnonzero((layout.coords == np.array(wanted)).all(axis=1))
    if not len(rows):
        margins = "; ".join(", ".join(margin) for margin in layout.design.margins)
        raise InputError(
            "this combination is not published", where=cell, fix=f"the table's margins are: {margins}"
        )
    return int(rows[0])


def _statuses(folder: Path, manifest: Manifest, table: str, rows: int) -> list[str]:
    path = structure.csv_path(table)
    text = (folder / path).read_text(encoding="utf-8")
    found = [row[-1] for row in csv.reader(io.StringIO(text, newline=""))][1:]
    if len(found) != rows or manifest.tables[table].cells != rows:
        raise InputError(
            "the CSV has another number of rows", where=path, fix="build again: clerestory build"
        )
    return found


def _proven(folder: Path, source: str, cell: int) -> int | None:
    """The largest difference of a hidden cell over the witnesses of the release's proof."""
    path = folder / proof_list.path_of(source)
    if not path.is_file():
        return None
    proof = witness.parse(path.read_bytes(), where=proof_list.path_of(source))
    place = int(np.searchsorted(proof.columns, cell))
    if place == len(proof.columns) or proof.columns[place] != cell:
        return None
    changes = [0]
    for places, change in proof.steps:
        at = int(np.searchsorted(places, place))
        if at < len(places) and places[at] == place:
            changes.append(int(change[at]))
    return max(changes) - min(changes)


def _also_in(found: Structure, table: str, cell: int) -> tuple[str, ...]:
    """Other rows that show the same number."""
    others = []
    for layout in found.space.layouts:
        if layout.design.name == table:
            continue
        for row in np.flatnonzero(layout.cells == cell)[:1]:
            codes = [
                f"{dimension.name}={dimension.nodes[node].code}"
                for dimension, node in zip(layout.design.dimensions, layout.coords[row], strict=True)
                if node
            ]
            others.append(f"{layout.design.name}:{','.join(codes)}")
    return tuple(others)


def _lines(layout: Layout, row: int, statuses: Sequence[str]) -> tuple[Line, ...]:
    """For each dimension that divides the cell, its siblings: the parts of the same parent."""
    hidden = np.array([status == Status.HIDDEN.value for status in statuses])
    own = layout.coords[row]
    lines = []
    for column, dimension in enumerate(layout.design.dimensions):
        node = int(own[column])
        if not node:
            continue
        parent = dimension.nodes[node].parent
        others = np.delete(layout.coords, column, axis=1) == np.delete(own, column)
        near = others.all(axis=1) & np.isin(layout.coords[:, column], dimension.children(parent))
        lines.append(
            Line(
                dimension.name,
                dimension.nodes[parent].code,
                int(near.sum()),
                int((near & hidden).sum()),
            )
        )
    return tuple(lines)


def _open(release: str, cell: str, source: str, profile: str) -> Explanation:
    """A cell of a source whose rows are public as such."""
    return Explanation(release, cell, source, "", "", (), profile, None, 0, 0, (), ())
