"""structure/SOURCE.json: read back with the CSVs beside it, it must give exactly the protected tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from clerestory.errors import Refused
from clerestory.release import structure
from clerestory.release.accounting.tally import Problem
from clerestory.release.manifest import Manifest
from clerestory.tables import Dimension, PublicCells, PublicTable, Status
from clerestory.tables.space import Layout

_HIDDEN = list(Status).index(Status.HIDDEN)


def account_structure(
    folder: Path, path: str, manifest: Manifest, tables: Mapping[str, PublicTable]
) -> list[Problem]:
    """What in one structure is not that of the protected tables; empty if it links them as they are."""

    def problem(place: str, rule: str) -> list[Problem]:
        return [Problem(path, place, rule)]

    try:
        found = structure.parse((folder / path).read_bytes(), where=path)
        if structure.path_of(found.source) != path:
            return problem("source", "the file is not named after it")
        differs = found.facts_problem(manifest.tables)
        if differs:
            return problem("the file", differs)
        own = {layout.design.name: layout for layout in found.space.layouts}
        if set(own) != {name for name, table in tables.items() if table.source == found.source}:
            return problem("tables", "they are not the protected tables of the source")
        downloads = {name: (folder / structure.csv_path(name)).read_bytes() for name in own}
        public = structure.public_cells(found, downloads, where=path)
    except (Refused, OSError) as refused:
        return problem("the file", refused.what if isinstance(refused, Refused) else "a CSV is missing")
    for name, layout in own.items():
        rule = _difference(layout, public, tables[name])
        if rule:
            return problem(f"table {name!r}", rule)
    return []


def _difference(layout: Layout, public: PublicCells, table: PublicTable) -> str:
    design = layout.design
    if design.unit != table.unit or design.margins != table.margins:
        return "its unit or margins are not those of the protected table"
    if design.attributes != table.attributes or design.zeros_shown != table.zeros_shown:
        return "its rules are not those of the protected table"
    if len(design.dimensions) != len(table.dimensions):
        return "it has another number of dimensions than the protected table"
    for own, true in zip(design.dimensions, table.dimensions, strict=True):
        if not _alike(own, true):
            return f"dimension {own.name!r} is not that of the protected table"
    if not np.array_equal(layout.coords, table.coords):
        return "its rows are not those of the protected table"
    hidden = table.statuses == _HIDDEN
    if not (
        np.array_equal(public.hidden[layout.cells], hidden)
        and np.array_equal(public.values[layout.cells], np.where(hidden, 0, table.values))
    ):
        return "its cells are not those of the protected table"
    return ""


def _alike(own: Dimension, true: Dimension) -> bool:
    return (
        (own.name, own.axis, own.levels) == (true.name, true.axis, true.levels)
        and [(n.code, n.level, n.parent) for n in own.nodes]
        == [(n.code, n.level, n.parent) for n in true.nodes]
        and np.array_equal(own.members, true.members)
    )
