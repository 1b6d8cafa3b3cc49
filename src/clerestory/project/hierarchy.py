"""Reads lookup files: CSVs that say what is inside what, one column a level, one row a finest code."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from clerestory.project.models import LANGUAGES, HierarchyFile
from clerestory.project.problems import Collector, nearest, relative
from clerestory.project.project import Hierarchy
from clerestory.project.read import read_text
from clerestory.tables import MISSING, TOTAL

_PRIVATE = ("records", "confidential", "releases")


def load_hierarchy(
    root: Path, name: str, said: HierarchyFile, where: str, collect: Collector
) -> Hierarchy | None:
    """The hierarchy of a lookup file; None, and problems with their lines, if the file is not as it must be.

    where: what to say about the entry in clerestory.toml itself.
    """
    file = lookup_file(root, said.file, where, collect)
    text = read_text(root, file, collect) if file is not None else None
    if file is None or text is None:
        return None
    return _Lookup(relative(root, file), said, collect).hierarchy(name, text)


def lookup_file(root: Path, said: str, where: str, collect: Collector) -> Path | None:
    """The file of a lookup that a project names; None, and a problem, if it is not one inside the project."""
    file = root / said
    home = root.resolve()
    try:
        true, there = file.resolve(), file.is_file()
    except (OSError, ValueError, RuntimeError):
        true, there = home / "lookups", False
    if Path(said).is_absolute() or not true.is_relative_to(home):
        collect.add(
            f"the lookup {said!r} is outside the project",
            where=where,
            fix="copy it to lookups/ and name it relative to the project",
        )
        return None
    if true.relative_to(home).parts[:1] and true.relative_to(home).parts[0] in _PRIVATE:
        collect.add(
            f"a lookup is published, so it cannot stand in {true.relative_to(home).parts[0]}/",
            where=where,
            fix="move it to lookups/",
        )
        return None
    if not there:
        known = [relative(root, path) for path in sorted((root / "lookups").glob("*.csv"))]
        collect.add(f"there is no file {said!r}", where=where, fix=nearest(said, known))
        return None
    return file


class _Lookup:
    def __init__(self, name: str, said: HierarchyFile, collect: Collector) -> None:
        self._name = name
        self._levels = said.levels[::-1]
        self._said = said
        self._collect = collect
        self._good = True

    def hierarchy(self, name: str, text: str) -> Hierarchy | None:
        rows = self._rows(text)
        if not rows:
            self._add("the lookup is empty", 1, f"its first line is {','.join(self._said.levels)}")
            return None
        columns = self._columns(*rows[0])
        if columns is None:
            return None
        codes, labels = self._read(rows[1:], columns)
        if not codes and self._good:
            self._add("the lookup has no rows", rows[0][0], "write a row for each code")
        if not self._good:
            return None
        titles = {
            level: self._said.titles.get(level, {"en": level.replace("_", " ").capitalize()})
            for level in self._levels
        }
        return Hierarchy(name, self._levels, codes, labels, self._said.total, titles)

    def _rows(self, text: str) -> list[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(text), strict=True)
        rows: list[tuple[int, list[str]]] = []
        line = 1
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    rows.append((line, [cell.strip() for cell in row]))
                line = reader.line_num + 1
        except csv.Error as error:
            self._add(
                f"not valid CSV: {error}", reader.line_num, "quotes are closed, and doubled inside a text"
            )
        return rows

    def _columns(self, line: int, header: Sequence[str]) -> dict[str, int] | None:
        for column in dict.fromkeys(header):
            if header.count(column) > 1:
                self._add(f"two columns are called {column!r}", line, "name each column once")
            level, dot, language = column.rpartition(".")
            if dot and level in self._levels and language not in LANGUAGES:
                labels = [f"{level}.{known}" for known in LANGUAGES]
                self._add(f"unknown label column {column!r}", line, nearest(column, labels))
        for level in self._said.levels:
            if level not in header:
                self._add(f"there is no column {level!r}", line, nearest(level, header))
        return {column: place for place, column in enumerate(header)} if self._good else None

    def _read(
        self, rows: Sequence[tuple[int, list[str]]], columns: dict[str, int]
    ) -> tuple[dict[str, tuple[str, ...]], dict[str, dict[str, dict[str, str]]]]:
        codes: dict[str, tuple[str, ...]] = {}
        labels: dict[str, dict[str, dict[str, str]]] = {level: {} for level in self._levels}
        level_of: dict[str, str] = {}
        parents: dict[tuple[str, str], tuple[str, ...]] = {}
        for line, row in rows:
            if len(row) != len(columns):
                self._add(f"{len(row)} cells; the header has {len(columns)} columns", line, "quote commas")
                continue
            path = tuple(row[columns[level]] for level in self._levels)
            if "" in path:
                self._add(f"an empty code in column {self._levels[path.index('')]!r}", line, "fill it in")
                continue
            if path[-1] in codes:
                self._add(f"the {self._levels[-1]} {path[-1]!r} stands twice", line, "keep one row for it")
                continue
            for depth, (level, code) in enumerate(zip(self._levels, path, strict=True)):
                self._check_code(level, code, level_of, line)
                above = parents.setdefault((level, code), path[:depth])
                if above != path[:depth]:
                    self._add(
                        f"the {level} {code!r} is in two parents, {above[-1]!r} and {path[depth - 1]!r}",
                        line,
                        "a code is inside one other; give the two different codes",
                    )
                self._label(labels[level], level, code, row, columns, line)
            codes[path[-1]] = path
        return codes, labels

    def _check_code(self, level: str, code: str, level_of: dict[str, str], line: int) -> None:
        if code in (TOTAL, MISSING):
            self._add(f"the code {code!r} is reserved", line, "totals and missing values are added for you")
        other = level_of.setdefault(code, level)
        if other != level:
            self._add(
                f"{code!r} is a {other} and a {level}",
                line,
                "codes are unique over all levels: call one of them differently and label it",
            )

    def _label(
        self,
        labels: dict[str, dict[str, str]],
        level: str,
        code: str,
        row: Sequence[str],
        columns: dict[str, int],
        line: int,
    ) -> None:
        known = labels.setdefault(code, {"en": code})
        for language in LANGUAGES:
            place = columns.get(f"{level}.{language}")
            label = row[place] if place is not None else ""
            if not label:
                continue
            if known.get(language, label) not in (label, code):
                self._add(
                    f"the {level} {code!r} has two labels in column {level}.{language}",
                    line,
                    "write the same label in each row",
                )
            known[language] = label

    def _add(self, what: str, line: int, fix: str = "") -> None:
        self._good = False
        self._collect.add(what, where=f"{self._name}:{line}", fix=fix)
