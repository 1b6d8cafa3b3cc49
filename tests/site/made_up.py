"""Protected tables made up for a project, without records: what render needs, drawn by a seed."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Mapping

import numpy as np

from clerestory.project import Project, Table, declare
from clerestory.tables import (
    MISSING,
    RECORDS,
    TOTAL,
    Dimension,
    Node,
    PublicList,
    PublicTable,
    Status,
    Text,
    text,
)

INVENTED = ("first", "second", "third", "fourth", "fifth")
STATUSES = list(Status)


def _label(project: Project, table: Table, name: str, level: str, code: str) -> Text:
    said = table.said.dimensions[name]
    if code == MISSING:
        return said.missing or text("Not recorded", es="Sin dato")
    if said.hierarchy:
        return project.hierarchies[said.hierarchy].labels[level][code]
    field = project.sources[table.said.source].said.fields[said.from_ or name]
    if said.by is None and said.bands is None and field.categories:
        return field.categories[code]
    return text(code.replace("-", "–") if said.bands else code)


def made_up_dimension(project: Project, table: Table, name: str) -> Dimension:
    """A dimension with every node that the project's files declare, or a few invented ones."""
    said = table.said.dimensions[name]
    declared = declare(project, table, name)
    codes = declared.codes or {declared.levels[0]: INVENTED}
    total = project.hierarchies[said.hierarchy].total if said.hierarchy else text("All", es="Todo")
    nodes = [Node(TOTAL, total, TOTAL, -1)]
    position = {TOTAL: 0}
    for depth, level in enumerate(declared.levels):
        for code in codes[level]:
            parent = 0
            if depth and said.hierarchy:
                paths = project.hierarchies[said.hierarchy].codes.values()
                parent = position[next(path[depth - 1] for path in paths if path[depth] == code)]
            position[code] = len(nodes)
            nodes.append(Node(code, _label(project, table, name, level, code), level, parent))
        if depth == len(declared.levels) - 1 and said.missing:
            position[MISSING] = len(nodes)
            nodes.append(Node(MISSING, _label(project, table, name, level, MISSING), level, 0))
    members = np.zeros((len(nodes), 1), dtype=bool)
    title = said.title or text(name.replace("_", " ").capitalize())
    return Dimension(name, title, name, declared.levels, tuple(nodes), members)


def made_up_table(project: Project, name: str, *, scale: float = 1.0, seed: int = 1) -> PublicTable:
    """A table with skewed counts; small ones are hidden and so are some others. Counts do not add up."""
    table = project.tables[name]
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    dimensions = tuple(made_up_dimension(project, table, d) for d in table.said.dimensions)
    places = {d.name: i for i, d in enumerate(dimensions)}
    weights = [np.concatenate([[1.0], rng.dirichlet(np.full(len(d.nodes) - 1, 0.7))]) for d in dimensions]
    rows: set[tuple[int, ...]] = set()
    margins = tuple(tuple(sorted(margin)) for margin in table.said.publish.margins)
    for margin in margins:
        sides = [range(len(d.nodes)) if d.name in margin else range(1) for d in dimensions]
        rows.update(itertools.product(*sides))
    coords = np.array(sorted(rows), dtype=np.int32)
    share = np.prod([weights[places[d.name]][coords[:, places[d.name]]] for d in dimensions], axis=0)
    values = np.floor(share * 400_000 * scale).astype(np.int64)
    alone = (coords > 0).sum(axis=1) > 0
    hidden = (values > 0) & (values < 11) | (alone & (values > 0) & (rng.random(len(values)) < 0.04))
    statuses = np.where(hidden, STATUSES.index(Status.HIDDEN), 0).astype(np.int8)
    values[hidden] = 0
    return PublicTable(
        name, table.said.source, table.said.title, RECORDS, dimensions, margins, coords, values, statuses
    )


def made_up_tables(project: Project, *, scale: float = 1.0, seed: int = 1) -> Mapping[str, PublicTable]:
    """A made-up table for each table of a project."""
    return {name: made_up_table(project, name, scale=scale, seed=seed) for name in project.tables}


def made_up_list(project: Project) -> Mapping[str, PublicList]:
    """Made-up rows for each list that a page shows."""
    found = {}
    for page in project.pages:
        for rows in page.lists():
            said = project.sources[rows.said.source].said
            columns = rows.said.fields
            titles = {c: t if (t := said.fields[c].title) else text(c) for c in columns}
            made = tuple(tuple(f"{column} {row}" for column in columns) for row in range(30))
            found[rows.said.source] = PublicList(
                rows.said.source, rows.said.source, said.title, columns, titles, made
            )
    return found
