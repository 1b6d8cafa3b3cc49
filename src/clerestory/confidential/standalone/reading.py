"""Reads columns of a dataframe, a CSV or a Parquet file as texts: those asked for and no others."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as papq

from clerestory.errors import InputError
from clerestory.tables.space import IntArray

_HEADER_BYTES = 1 << 16
_DELIMITERS = (",", ";", "\t")
_WHOLE = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.0*)?")
_LARGEST = 10**12
"""Counts above this are refused: the solver works in floating point."""


@dataclass(frozen=True, eq=False)
class Column:
    """texts: the distinct values as texts; places: (rows,) positions in them, -1 where there is no value."""

    name: str
    texts: tuple[str, ...]
    places: IntArray

    def text(self, row: int) -> str:
        """The text in a row, "" where there is none."""
        place = int(self.places[row])
        return self.texts[place] if place >= 0 else ""


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns by name. where: what errors call the table; kind: "pandas", "polars" or "arrow"; first: the
    number of the first row, as its reader counts (in a CSV, the line after the header is row 2); across: how
    many of these rows stand side by side in one row of the file (1 but in cross tables)."""

    where: str
    kind: str
    rows: int
    first: int
    columns: dict[str, Column]
    across: int = 1

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def numbers(self, rows: IntArray) -> str:
        """Some rows in words: how many and the first of them."""
        what = "row" if self.across == 1 else "cell"
        many = "s" if len(rows) != 1 else ""
        return f"{len(rows):,} {what}{many} (the first is row {self.first + rows[0] // self.across:,})"


Choose = Callable[[Sequence[str]], Sequence[str]]
"""Given the names that there are, the names to read."""


def read_frame(frame: Any, wanted: Sequence[str] | Choose, *, where: str, first: int = 0) -> Columns:
    """The wanted columns of any dataframe that narwhals knows.

    Raises InputError for something else, for a column that is not there, and for values that are neither
    text, numbers, dates nor truths.
    """
    try:
        known = nw.from_native(frame)
        names = known.collect_schema().names()
    except (TypeError, ValueError, nw.exceptions.NarwhalsError):
        raise InputError(
            f"a {type(frame).__name__} is not a dataframe, or its columns do not have distinct names",
            where=where,
            fix="pass a pandas, Polars, Arrow, DuckDB or Ibis table",
        ) from None
    chosen = _chosen(wanted, names, where)
    part = known.select(*chosen)
    whole: nw.DataFrame[Any] = part.collect() if isinstance(part, nw.LazyFrame) else part
    made = known.implementation
    kind = "pandas" if made.is_pandas() else "polars" if made.is_polars() else "arrow"
    columns = {name: _column(name, whole, where) for name in chosen}
    return Columns(where, kind, len(whole), first, columns)


def _chosen(wanted: Sequence[str] | Choose, names: Sequence[str], where: str) -> list[str]:
    chosen = list(dict.fromkeys(wanted(names) if callable(wanted) else wanted))
    for name in chosen:
        if name not in names:
            near = get_close_matches(name, names, n=1, cutoff=0.5)
            raise InputError(
                f"there is no column {name!r}",
                where=where,
                fix=f"did you mean {near[0]!r}?" if near else f"the columns are: {', '.join(names)}",
            )
    return chosen


def _column(name: str, frame: nw.DataFrame[Any], where: str) -> Column:
    try:
        array = frame.get_column(name).to_arrow()
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        encoded = array.dictionary_encode()
        texts = [_text(value) for value in encoded.dictionary.to_pylist()]
        indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    except (pa.ArrowException, TypeError, OverflowError, nw.exceptions.NarwhalsError):
        raise InputError(
            "the values are not all of one kind, or neither texts, numbers nor dates",
            where=f"{where}, column {name!r}",
            fix="turn the column into texts",
        ) from None
    return coded(name, texts, indices)


def coded(name: str, texts: Sequence[str], places: IntArray) -> Column:
    """A column of these texts, of which `places` says each row's (-1: none); a text may stand there twice."""
    distinct = sorted({text for text in texts if text})
    place = {text: i for i, text in enumerate(distinct)} | {"": -1}
    moved = np.array([*(place[text] for text in texts), -1], dtype=np.int64)
    return Column(name, tuple(distinct), moved[places])


def column_of(name: str, texts: Sequence[str]) -> Column:
    """A column of one text a row, "" where there is none."""
    return coded(name, texts, np.arange(len(texts)))


def _text(value: object) -> str:
    """A value as people write it, "" for none. A whole float is an integer that had to share a column."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal) and value == int(value):
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str | int | float | Decimal | datetime.time):
        return str(value).strip()
    raise TypeError(type(value).__name__)


def whole_number(text: str) -> int | None:
    """The whole number a text says (1204, 1,204 or 1204.0), None if it says none."""
    if not _WHOLE.fullmatch(text):
        return None
    number = int(text.partition(".")[0].replace(",", ""))
    return number if abs(number) <= _LARGEST else None


def read_file(path: Path, wanted: Sequence[str] | Choose) -> Columns:
    """The wanted columns of a CSV (comma, semicolon or tab; UTF-8) or Parquet file. Raises InputError."""
    where = path.name
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), fix="check its name")
    try:
        if path.suffix in {".parquet", ".pq"}:
            chosen = _chosen(wanted, papq.read_schema(path).names, where)
            return read_frame(papq.read_table(path, columns=chosen), chosen, where=where, first=1)
        names, delimiter = _header(path)
        chosen = _chosen(wanted, names, where)
        rows = _csv(path, chosen, delimiter, alone=len(names) == 1)
        return read_frame(rows, chosen, where=where, first=2)
    except (pa.ArrowException, UnicodeDecodeError):
        # The library's message may quote a row.
        raise InputError(
            "this is neither a CSV in UTF-8, the same number of columns in each row, nor a Parquet file",
            where=where,
            fix="save it again as CSV UTF-8, with a header line, or as Parquet",
        ) from None
    except OSError:
        raise InputError("the file cannot be read", where=str(path), fix="check its permissions") from None


def _header(path: Path) -> tuple[list[str], str]:
    with pa.input_stream(str(path)) as stream:
        start = stream.read(_HEADER_BYTES).decode("utf-8-sig", errors="ignore")
    delimiter = max(_DELIMITERS, key=start.partition("\n")[0].count)
    names = next(csv.reader(io.StringIO(start, newline=""), delimiter=delimiter), [])
    if not any(names):
        raise InputError("the file is empty", where=path.name, fix="its first line names the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"two columns are called {twice[0]!r}", where=path.name, fix="columns have names of their own"
        )
    return names, delimiter


def _csv(path: Path, chosen: Sequence[str], delimiter: str, *, alone: bool) -> pa.Table:
    """alone: whether there is one column only, so that an empty line is a record without a value."""
    return pacsv.read_csv(
        path,
        parse_options=pacsv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=not alone
        ),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.string() for name in chosen}, include_columns=list(chosen)
        ),
    )
