"""What changed between two releases, read from their public files alone."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from clerestory.errors import Refused
from clerestory.release.bundle import Bundle

_DATA = PurePosixPath("site/data")
_MOST = 50
"""Cells and files named in the JSON for each kind of change; the rest are counted."""


@dataclass(frozen=True)
class FilesChanged:
    """Paths, sorted."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class TableChanged:
    """One download whose cells differ. Cells are named by their codes: "county=alameda, year=2012".

    newly_shown, newly_hidden: cells in both whose number appeared or went; changed: another number;
    status: only the word beside it. added, removed: cells in one of the two only; categories_added,
    categories_removed: "dimension=code" found in one of the two only.
    """

    name: str
    newly_shown: tuple[str, ...]
    newly_hidden: tuple[str, ...]
    changed: tuple[str, ...]
    status: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    categories_added: tuple[str, ...]
    categories_removed: tuple[str, ...]


@dataclass(frozen=True)
class Changes:
    """What changed from one release to another; tables: those with a difference, by name."""

    before: str
    after: str
    files: FilesChanged
    tables: tuple[TableChanged, ...]
    tables_added: tuple[str, ...]
    tables_removed: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        files = self.files
        return not (files.added or files.removed or files.changed)

    def said(self) -> dict[str, Any]:
        """The whole comparison for JSON; every list of names as its count and its first names."""
        whole = {name: _counted(value) for name, value in asdict(self).items()}
        return whole | {"tables": [_counted(asdict(table)) for table in self.tables]}

    def summary(self) -> str:
        """A few lines for a person."""
        if self.same:
            return "Nothing changed since the last release."
        files = self.files
        counts = f"{len(files.added):,} added, {len(files.removed):,} removed, {len(files.changed):,} changed"
        lines = [f"Files: {counts}."]
        lines += [f"Table {name}: new." for name in self.tables_added]
        lines += [f"Table {name}: no longer published." for name in self.tables_removed]
        for table in self.tables:
            parts = (
                ("newly shown", table.newly_shown),
                ("newly hidden", table.newly_hidden),
                ("with another number", table.changed),
                ("with another status", table.status),
                ("new", table.added),
                ("no longer there", table.removed),
            )
            said = ", ".join(f"{len(cells):,} {words}" for words, cells in parts if cells)
            lines.append(f"Table {table.name}: cells {said or 'unchanged, the file in another form'}.")
            if table.categories_added:
                lines.append(f"  New categories: {_some(table.categories_added)}.")
            if table.categories_removed:
                lines.append(f"  Categories gone: {_some(table.categories_removed)}.")
        return "\n".join(lines)


def compare(before: Bundle, after: Bundle) -> Changes:
    """What changed from one release, committed or staged, to another.

    Files are compared by the digests of the two manifests; tables by site/data/NAME.csv.
    Raises Refused if a download cannot be read.
    """
    old = {entry.path: entry.sha256 for entry in before.manifest.files}
    new = {entry.path: entry.sha256 for entry in after.manifest.files}
    changed = sorted(path for path in old.keys() & new.keys() if old[path] != new[path])
    old_tables, new_tables = _downloads(old), _downloads(new)
    tables = [
        _compare_tables(name, _cells(before.folder / path), _cells(after.folder / path))
        for name, path in sorted(old_tables.items() & new_tables.items())
        if path in changed
    ]
    return Changes(
        before=before.id,
        after=after.id,
        files=FilesChanged(
            tuple(sorted(new.keys() - old.keys())), tuple(sorted(old.keys() - new.keys())), tuple(changed)
        ),
        tables=tuple(tables),
        tables_added=tuple(sorted(new_tables.keys() - old_tables.keys())),
        tables_removed=tuple(sorted(old_tables.keys() - new_tables.keys())),
    )


def _downloads(files: Mapping[str, str]) -> dict[str, str]:
    paths = [PurePosixPath(path) for path in files]
    return {path.stem: str(path) for path in paths if path.parent == _DATA and path.suffix == ".csv"}


_Cells = dict[tuple[tuple[str, str], ...], tuple[str, str]]


def _cells(file: Path) -> _Cells:
    """Codes -> (value, status); a public list's rows count as codes without a value."""
    try:
        rows = list(csv.reader(io.StringIO(file.read_bytes().decode(), newline=""), strict=True))
    except (OSError, ValueError, csv.Error):
        raise Refused(
            "the download cannot be read", where=f"{file.parent.parent.parent.name}/{file.name}"
        ) from None
    heading = rows[0] if rows else []
    is_table = heading[-2:] == ["value", "status"]
    found: _Cells = {}
    for row in rows[1:]:
        if is_table:
            found[_codes(heading[:-2], row[:-2])] = (row[-2], row[-1])
        else:
            found[tuple(zip(heading, row, strict=False))] = ("", "")
    return found


def _codes(columns: Sequence[str], row: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The codes that are not totals; a level column after its dimension says nothing new."""
    dimensions = set(columns)
    return tuple(
        (name, code)
        for name, code in zip(columns, row, strict=True)
        if code != "all" and not (name.endswith("_level") and name.removesuffix("_level") in dimensions)
    )


def _compare_tables(name: str, old: _Cells, new: _Cells) -> TableChanged:
    shown: list[str] = []
    hidden: list[str] = []
    changed: list[str] = []
    status: list[str] = []
    for cell in old.keys() & new.keys():
        (was, was_status), (now, now_status) = old[cell], new[cell]
        if was != now:
            (shown if not was else hidden if not now else changed).append(_named(cell))
        elif was_status != now_status:
            status.append(_named(cell))
    old_categories = {f"{dimension}={code}" for cell in old for dimension, code in cell}
    new_categories = {f"{dimension}={code}" for cell in new for dimension, code in cell}
    return TableChanged(
        name,
        newly_shown=tuple(sorted(shown)),
        newly_hidden=tuple(sorted(hidden)),
        changed=tuple(sorted(changed)),
        status=tuple(sorted(status)),
        added=tuple(sorted(_named(cell) for cell in new.keys() - old.keys())),
        removed=tuple(sorted(_named(cell) for cell in old.keys() - new.keys())),
        categories_added=tuple(sorted(new_categories - old_categories)),
        categories_removed=tuple(sorted(old_categories - new_categories)),
    )


def _named(cell: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{dimension}={code}" for dimension, code in cell) or "the total"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more


def _counted(said: object) -> object:
    if isinstance(said, dict):
        return {key: _counted(value) for key, value in said.items()}
    if isinstance(said, tuple | list):
        return {"count": len(said), "first": list(said[:_MOST])}
    return said
