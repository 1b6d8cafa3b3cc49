"""Reads reference files of populations: CSVs that say how many people a table's categories hold."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from clerestory.project.codes import DeclaredDimension, declare
from clerestory.project.draft import Draft
from clerestory.project.hierarchy import lookup_file
from clerestory.project.problems import nearest, relative
from clerestory.project.project import Population, Table
from clerestory.project.read import read_text
from clerestory.tables import MISSING


def load_population(draft: Draft, table: Table, where: str) -> Population | None:
    """The populations of a table's reference file; None, and problems with their lines, if it does not fit.

    where: what to say about the table's own entry. Codes are those of the dimension's finest published
    level, or of its hierarchy's finest level. Every code that project files declare must have a row; what
    has none, such as records without a value, is taken to be about nobody.
    """
    said = table.said.population
    assert said is not None
    file = lookup_file(draft.root, said.file, where, draft.collect)
    text = read_text(draft.root, file, draft.collect) if file is not None else None
    if file is None or text is None:
        return None
    return _Reference(draft, table, relative(draft.root, file)).population(text)


class _Reference:
    def __init__(self, draft: Draft, table: Table, name: str) -> None:
        self._draft, self._table, self._name = draft, table, name
        self._good = True

    def population(self, text: str) -> Population | None:
        try:
            rows = [row for row in csv.reader(io.StringIO(text), strict=True) if any(row)]
        except csv.Error as error:
            self._add(f"not valid CSV: {error}", 1, "quotes are closed, and doubled inside a text")
            return None
        said = self._table.said
        assert said.population is not None
        head = rows[0] if rows else []
        dimensions = tuple(name for name in head if name in said.dimensions)
        if said.population.column not in head:
            self._add(
                f"there is no column {said.population.column!r}", 1, nearest(said.population.column, head)
            )
        if not dimensions:
            self._add("no column is called as a dimension of the table", 1, nearest("", said.dimensions))
        for name in dimensions:
            if said.dimensions[name].by is not None:
                self._add(
                    f"populations by period ({name!r}) do not add up to people",
                    1,
                    "keep one reference year, and no column of periods",
                )
            if head.count(name) > 1:
                self._add(f"two columns are called {name!r}", 1, "name each column once")
        if not self._good:
            return None
        counts = self._counts(rows[1:], head, dimensions, head.index(said.population.column))
        for place, name in enumerate(dimensions):
            self._complete(name, {key[place] for key in counts})
        return Population(dimensions, counts) if self._good else None

    def _counts(
        self, rows: Sequence[Sequence[str]], head: Sequence[str], dimensions: tuple[str, ...], column: int
    ) -> dict[tuple[str, ...], int]:
        counts: dict[tuple[str, ...], int] = {}
        seen: set[tuple[str, ...]] = set()
        places = [head.index(name) for name in dimensions]
        for line, row in enumerate(rows, start=2):
            number = row[column].strip() if len(row) == len(head) else ""
            if not (number.isascii() and number.isdigit()):
                self._add("the population is no whole number", line, "write 41144, without commas")
                continue
            said = tuple(row[place].strip() for place in places)
            if said in seen:
                self._add(f"{', '.join(said)} stands twice", line, "keep one row for it")
            seen.add(said)
            key = tuple(
                self._published(name, code, line) for name, code in zip(dimensions, said, strict=True)
            )
            counts[key] = counts.get(key, 0) + int(number)
        return counts

    def _published(self, name: str, code: str, line: int) -> str:
        """The finest published code that a code of the file belongs to."""
        dimension = self._table.said.dimensions[name]
        known = self._finest(name)
        if dimension.hierarchy is not None:
            hierarchy = self._draft.hierarchies[dimension.hierarchy]
            finest = hierarchy.levels.index(dimension.finest or hierarchy.levels[-1])
            if code in hierarchy.codes:
                return hierarchy.codes[code][finest]
        if known is not None and code not in (*known, MISSING):
            self._add(f"no {name} {code!r}", line, nearest(code, known))
        return code

    def _finest(self, name: str) -> tuple[str, ...] | None:
        declared: DeclaredDimension = declare(self._draft, self._table, name)
        return None if declared.codes is None else declared.codes[declared.levels[-1]]

    def _complete(self, name: str, codes: set[str]) -> None:
        lacking = [code for code in self._finest(name) or () if code not in codes]
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            self._add(f"there is no row for {name} {lacking[0]!r}{more}", 1, "write a row for each code")

    def _add(self, what: str, line: int, fix: str = "") -> None:
        self._good = False
        self._draft.collect.add(what, where=f"{self._name}:{line}", fix=fix)
