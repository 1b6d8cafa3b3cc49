"""Hierarchies over the finest codes of a dimension: look-up tables, mappings, tau-ARGUS' .hrc files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clerestory.confidential.standalone.reading import read_file, read_frame
from clerestory.errors import InputError
from clerestory.tables import MISSING, TOTAL

_LEAD = "@"
"""What stands before a code in a .hrc file, once for each level that it is down."""


@dataclass(frozen=True)
class Tree:
    """A hierarchy. levels: names from coarse to fine; paths: finest code -> codes from coarse to fine.

    A path may be shorter than levels: a branch that ends higher up.
    """

    levels: tuple[str, ...]
    paths: Mapping[str, tuple[str, ...]]


def read_tree(name: str, said: Any) -> Tree:
    """The hierarchy of a dimension.

    said: a .hrc file of tau-ARGUS; or a CSV or Parquet file, or a dataframe, with a column for each level,
    the finest first, and a row for each finest code (columns whose name has a point, such as county.en, are
    labels and are left out); or a mapping from each finest code to the code it is inside, or to several, the
    nearest first. Raises InputError where it is no tree.
    """
    where = f"hierarchy of {name!r}"
    if isinstance(said, Tree):
        return said
    if isinstance(said, Mapping):
        return _tree_of_mapping(name, said, where)
    if isinstance(said, str | Path) and Path(said).suffix.lower() == ".hrc":
        return read_hrc(name, Path(said))
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


def read_hrc(name: str, path: Path) -> Tree:
    """The hierarchy of a dimension from a .hrc file of tau-ARGUS; codes may end at different levels.

    One code a line, with as many @ before it as it is levels down. Raises InputError for a code that stands
    twice, and for one more than a level below the line before. Source: tau-ARGUS User's Manual.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError:
        raise InputError("there is no such file", where=str(path), fix="check its name") from None
    except UnicodeDecodeError:
        raise InputError("the file is not in UTF-8", where=path.name, fix="save it again in UTF-8") from None
    above: list[str] = []
    paths: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for row, line in enumerate(lines, start=1):
        place = f"{path.name}, row {row}"
        depth = len(line.strip()) - len(line.strip().lstrip(_LEAD))
        code = line.strip().lstrip(_LEAD).strip()
        if not code:
            if depth:
                raise InputError("a code is missing", where=place, fix="write it after the @")
            continue
        if depth > len(above):
            raise InputError(
                "the code is more than one level below the line before it",
                where=place,
                fix="each level has one @ more than the level above",
            )
        if code in seen:
            raise InputError(f"the code {code!r} stands twice", where=place, fix="keep one line for it")
        if code in (TOTAL, MISSING):
            raise InputError(f"the code {code!r} is reserved", where=place, fix="call it differently")
        seen.add(code)
        above[depth:] = [code]
        if paths and depth and paths[-1] == tuple(above[:depth]):
            paths.pop()  # the line before has a code inside it, so it is no finest one
        paths.append(tuple(above))
    if not paths:
        raise InputError("the hierarchy has no rows", where=path.name, fix="write a line for each code")
    deepest = max(len(path) for path in paths)
    groups = tuple(f"{name}_group{i}" if i > 1 else f"{name}_group" for i in range(deepest - 1, 0, -1))
    return Tree((*groups, name), {path[-1]: path for path in paths})
