"""Dimensions and linked cells from columns: categories as they stand there, and hierarchies over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clerestory.confidential.standalone.hierarchy import Tree
from clerestory.confidential.standalone.reading import Columns
from clerestory.errors import InputError
from clerestory.tables import (
    MISSING,
    RECORDS,
    TOTAL,
    Axis,
    CellSpace,
    Dimension,
    Node,
    TableDesign,
    Unit,
    link_tables,
    text,
)

MAXIMUM_CELLS = 200_000


def dimension(name: str, categories: Sequence[str], tree: Tree | None, *, missing: bool) -> Dimension:
    """A dimension over the finest categories that a table has, or over all codes of its hierarchy.

    missing: whether there is a category of those without a value.
    """
    known = tree or Tree((name,), {code: (code,) for code in sorted(categories, key=_natural)})
    leaves = [*known.paths, *([MISSING] if missing else [])]
    nodes = [Node(TOTAL, text("Total"), TOTAL, -1)]
    place = {TOTAL: 0}
    rows = [np.ones(len(leaves), dtype=bool)]
    paths = list(known.paths.values())
    for depth, level in enumerate(known.levels):
        for code in dict.fromkeys(path[depth] for path in paths if len(path) > depth):
            inside = np.array(
                [path[depth : depth + 1] == (code,) for path in paths] + [False] * missing, dtype=bool
            )
            up = paths[int(np.argmax(inside))][depth - 1] if depth else TOTAL
            place[code] = len(nodes)
            finest = code in known.paths
            nodes.append(Node(code, text(code), known.levels[-1] if finest else level, place[up]))
            rows.append(inside)
    if missing:
        nodes.append(Node(MISSING, text("Unknown"), known.levels[-1], 0))
        rows.append(np.array([leaf == MISSING for leaf in leaves], dtype=bool))
    return Dimension(name, text(name), name, known.levels, tuple(nodes), np.array(rows))


def _natural(code: str) -> tuple[int, int, str]:
    return (0, int(code), code) if code.isdecimal() else (1, 0, code)


def linked(
    name: str, dimensions: Sequence[Dimension], margins: Sequence[Sequence[str]], unit: Unit = RECORDS
) -> CellSpace:
    """All cells of the margins and the totals they imply. Raises InputError beyond MAXIMUM_CELLS."""
    axes = [Axis(d.axis, tuple(map(str, range(d.members.shape[1])))) for d in dimensions]
    design = TableDesign(name, text(name), unit, tuple(dimensions), tuple(map(tuple, margins)), {})
    return link_tables(name, axes, [design], maximum_cells=MAXIMUM_CELLS)


def checked_names(
    dims: Sequence[str], hierarchies: Mapping[str, Any] | None, margins: Sequence[Sequence[str]] | None
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The dimensions and margins as they were asked for. Raises InputError where they do not fit together."""
    names = () if isinstance(dims, str) else tuple(dims)
    named = all(isinstance(name, str) and name for name in names)
    if not names or not named or len(set(names)) < len(names):
        raise InputError(
            "the dimensions are a list of one or more names of columns, each once",
            where="dims",
            fix="county and year, say",
        )
    for name in hierarchies or {}:
        if name not in names:
            raise InputError(f"{name!r} is no dimension", where="hierarchy", fix=f"one of {', '.join(names)}")
    asked = tuple(tuple(margin) for margin in margins) if margins else (names,)
    for margin in asked:
        for name in margin:
            if name not in names:
                raise InputError(f"{name!r} is no dimension", where="margins", fix=f"use {', '.join(names)}")
    unused = [name for name in names if not any(name in margin for margin in asked)]
    if unused:
        raise InputError(
            f"the dimension {unused[0]!r} is in no margin", where="margins", fix="add it, or leave it out"
        )
    return names, asked


def refuse_taken(columns: Sequence[str]) -> None:
    """Raises InputError if two columns of what comes out would have one name."""
    for name in columns:
        if columns.count(name) > 1:
            raise InputError(
                f"a dimension cannot be called {name!r}: another column of the result is",
                where="dims",
                fix="rename the column of the table",
            )


def unknown_codes(read: Columns, name: str, codes: Sequence[str]) -> InputError:
    """Codes of a column that its hierarchy does not have; the message says how many rows, not which codes."""
    column = read[name]
    bad = [place for place, text_ in enumerate(column.texts) if text_ in set(codes)]
    rows = np.flatnonzero(np.isin(column.places, bad))
    return InputError(
        f"{len(codes)} codes of {name!r} are not in its hierarchy, in {read.numbers(rows)}",
        where=f"{read.where}, column {name!r}",
        fix="add them to the hierarchy, or correct the rows",
    )
