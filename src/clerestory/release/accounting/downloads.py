"""CSV and JSON downloads: every column a dimension, every row a protected cell, each exactly once."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from clerestory.release.accounting.numbers import Known, KnownList, KnownTable, cell_name
from clerestory.release.accounting.tally import Tally
from clerestory.tables import TOTAL, column_name

_JSON_KEYS = {"table", "title", "dimensions", "columns", "rows"}


def columns_of(table: KnownTable) -> list[str]:
    """The columns of a table's downloads, in order."""
    columns: list[str] = []
    for dimension in table.dimensions:
        columns.append(column_name(dimension.name))
        if len(dimension.levels) > 1:
            columns.append(f"{column_name(dimension.name)}_level")
    return [*columns, "value", "status"]


def account_csv(text: str, name: str, known: Known, tally: Tally) -> None:
    """Accounts for site/data/NAME.csv: the download of the table or list of that name. May raise Stop."""
    if "\r" in text or not text.endswith("\n"):
        raise tally.stop("the line ends", "lines end in LF, the last one too")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise tally.stop("the file", "it is not CSV") from None
    if name in known.tables:
        table = known.tables[name]
        if rows[0] != columns_of(table):
            raise tally.stop("line 1", "the columns are not the table's dimensions, value and status")
        _account_rows(rows[1:], table, tally, first_line=2)
    elif name.removesuffix("_rows") in known.lists:
        _account_list(rows, known.lists[name.removesuffix("_rows")], tally)
    else:
        raise tally.stop("the file's name", "it is neither a published table nor a public list")


def _account_list(rows: Sequence[Sequence[str]], known: KnownList, tally: Tally) -> None:
    if tuple(rows[0]) != known.columns:
        raise tally.stop("line 1", "the columns are not those of the public list")
    for number, (row, expected) in enumerate(zip(rows[1:], known.rows, strict=False), start=1):
        if tuple(row) != expected:
            tally.refuse(f"row {number}", "it is not the public list's row")
    if len(rows) - 1 != len(known.rows):
        tally.refuse("the last row", "the public list has another number of rows")
    tally.numbers += sum(1 for row in known.rows for value in row if value)


def account_json(text: str, name: str, known: Known, tally: Tally) -> None:
    """Accounts for site/data/NAME.json. May raise Stop."""
    try:
        said = json.loads(text, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise tally.stop("the file", "it is not JSON, or names a key twice") from None
    table = known.tables.get(name)
    if table is None:
        raise tally.stop("the file's name", "it is not a published table")
    if not isinstance(said, dict) or set(said) != _JSON_KEYS or said["table"] != name:
        raise tally.stop("its keys", f"they must be {', '.join(sorted(_JSON_KEYS))}")
    if said["columns"] != columns_of(table):
        raise tally.stop("columns", "they are not the table's dimensions, value and status")
    for key in ("title", "dimensions"):
        _account_words(said[key], key, known, tally)
    rows = said["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise tally.stop("rows", "it must be a list of lists")
    texts: list[list[str]] = []
    for number, row in enumerate(rows, start=1):
        value = row[-2] if len(row) >= 2 else None
        others = [*row[:-2], *row[-1:]]
        if not (value is None or type(value) is int) or not all(type(other) is str for other in others):
            raise tally.stop(f"row {number}", "codes and status are texts, the value a whole number or null")
        texts.append([*row[:-2], "" if value is None else str(value), row[-1]])
    _account_rows(texts, table, tally, first_line=1)


def _account_rows(rows: Iterable[Sequence[str]], table: KnownTable, tally: Tally, *, first_line: int) -> None:
    seen: set[str] = set()
    width = len(columns_of(table))
    for number, row in enumerate(rows, start=first_line):
        place = f"row {number}"
        if len(row) != width:
            raise tally.stop(place, "it has another number of columns")
        values = iter(row)
        codes: list[tuple[str, str]] = []
        for dimension in table.dimensions:
            code = next(values)
            node = dimension.nodes.get(code)
            if node is None:
                tally.refuse(f"{place}, column {dimension.name}", "it is no code of the dimension")
            elif code != TOTAL:
                codes.append((dimension.name, code))
            if len(dimension.levels) > 1 and (level := next(values)) and node and level != node[0]:
                tally.refuse(f"{place}, column {dimension.name}_level", "it is not the code's level")
        where = cell_name(codes)
        cell = table.cells.get(where)
        if cell is None:
            tally.refuse(place, "the table does not publish this cell")
            continue
        if where in seen:
            tally.refuse(place, "the cell stands in the file twice")
        seen.add(where)
        if next(values) != ("" if cell.value is None else str(cell.value)):
            rule = "a hidden cell holds something" if cell.value is None else "it is not the protected cell's"
            tally.refuse(f"{place}, column value", rule)
        if next(values) != cell.status:
            tally.refuse(f"{place}, column status", "it is not the protected cell's")
        tally.numbers += cell.value is not None
        tally.cells.add((table.name, where))
    if len(seen) != len(table.cells):
        tally.refuse("the last row", "cells of the table are missing")


def _account_words(said: Any, place: str, known: Known, tally: Tally) -> None:
    """Texts inside a JSON file: words and known labels, no number."""
    if isinstance(said, str):
        if known.leaves_digits(said, label=True):
            tally.refuse(place, "a number that is no label")
    elif isinstance(said, list):
        for number, item in enumerate(said):
            _account_words(item, f"{place}[{number}]", known, tally)
    elif isinstance(said, dict):
        for key, item in said.items():
            _account_words(key, f"a key in {place}", known, tally)
            _account_words(item, f"{place}.{key}", known, tally)
    elif said is not None and not isinstance(said, bool):
        tally.refuse(place, "a number outside the rows")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _no_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")
