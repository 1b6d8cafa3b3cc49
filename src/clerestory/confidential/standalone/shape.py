"""Dimensions and linked cells from columns: categories as they stand there, and hierarchies over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clerestory.confidential.standalone.reading import Columns, read_file, read_frame
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
    link_tables,
    text,
)

MAXIMUM_CELLS = 200_000


@dataclass(frozen=True)
class Tree:
    """A hierarchy. levels: names from coarse to fine; paths: finest code -> codes from coarse to fine."""

    levels: tuple[str, ...]
    paths: Mapping[str, tuple[str, ...]]


def read_tree(name: str, said: Any) -> Tree:
    """The hierarchy of a dimension.

    said: a CSV or Parquet file, or a dataframe, with a column for each level, the finest first, and a row for
    each finest code (columns whose name has a point, such as county.en, are labels and are left out); or a
    mapping from each finest code to the code it is inside, or to several, the nearest first.
    Raises InputError where it is no tree.
    """
    where = f"hierarchy of {name!r}"
    if isinstance(said, Tree):
        return said
    if isinstance(said, Mapping):
        return _tree_of_mapping(name, said, where)
    if isinstance(said, str | Path):
        read = read_file(Path(said), _levels)
    else:
        read = read_frame(said, _levels, where=where)
    levels = tuple(read.columns)[::-1]
    paths = [tuple(read[level].text(row) for level in levels) for row in range(read.rows)]
    return _tree(levels, paths, read.where, read.first)


def _levels(names: Sequence[str]) -> list[str]:
    return [name for name in names if "." not in name]


def _tree_of_mapping(name: str, said: Mapping[Any, Any], where: str) -> Tree:
    above = {str(code): [up] if isinstance(up, str) else [str(u) for u in up] for code, up in said.items()}
    depth = max((len(up) for up in above.values()), default=0)
    levels = (*(f"{name}_group{i}" if i > 1 else f"{name}_group" for i in range(depth, 0, -1)), name)
    return _tree(levels, [(*up[::-1], code) for code, up in above.items()], where, 0)


def _tree(levels: tuple[str, ...], paths: Sequence[tuple[str, ...]], where: str, first: int) -> Tree:
    level_of: dict[str, int] = {}
    above: dict[str, tuple[str, ...]] = {}
    found: dict[str, tuple[str, ...]] = {}
    for row, path in enumerate(paths):
        place = f"{where}, row {row + first}"
        if len(path) != len(levels) or "" in path:
            raise InputError("a code is missing", where=place, fix="give every code a code at each level")
        if path[-1] in found:
            raise InputError(f"the code {path[-1]!r} stands twice", where=place, fix="keep one row for it")
        for depth, code in enumerate(path):
            if code in (TOTAL, MISSING):
                raise InputError(f"the code {code!r} is reserved", where=place, fix="call it differently")
            if level_of.setdefault(code, depth) != depth:
                raise InputError(
                    f"the code {code!r} stands at two levels", where=place, fix="call one of them differently"
                )
            if above.setdefault(code, path[:depth]) != path[:depth]:
                raise InputError(
                    f"the code {code!r} is inside two others", where=place, fix="a code is inside one other"
                )
        found[path[-1]] = path
    if not found:
        raise InputError("the hierarchy has no rows", where=where, fix="write a row for each finest code")
    return Tree(levels, found)


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
        for code in dict.fromkeys(path[depth] for path in paths):
            inside = np.array([path[depth] == code for path in paths] + [False] * missing, dtype=bool)
            up = paths[int(np.argmax(inside))][depth - 1] if depth else TOTAL
            place[code] = len(nodes)
            nodes.append(Node(code, text(code), level, place[up]))
            rows.append(inside)
    if missing:
        nodes.append(Node(MISSING, text("Unknown"), known.levels[-1], 0))
        rows.append(np.array([leaf == MISSING for leaf in leaves], dtype=bool))
    return Dimension(name, text(name), name, known.levels, tuple(nodes), np.array(rows))


def _natural(code: str) -> tuple[int, int, str]:
    return (0, int(code), code) if code.isdecimal() else (1, 0, code)


def linked(name: str, dimensions: Sequence[Dimension], margins: Sequence[Sequence[str]]) -> CellSpace:
    """All cells of the margins and the totals they imply. Raises InputError beyond MAXIMUM_CELLS."""
    axes = [Axis(d.axis, tuple(map(str, range(d.members.shape[1])))) for d in dimensions]
    design = TableDesign(name, text(name), RECORDS, tuple(dimensions), tuple(map(tuple, margins)), {})
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
