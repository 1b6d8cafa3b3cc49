"""Files of other programs as columns: what tau-ARGUS writes, and cross tables.

tau-ARGUS: "code, value" and "for a pivot table" (comma, with or without a first line and status numbers),
"SBS" (levels, frequency, a letter), "intermediate" (semicolon; cost, letter, protection levels) and its CSV,
which is a cross table. Source: tau-ARGUS User's Manual, "save table"; files written by pytauargus 0.6.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from clerestory.confidential.standalone.reading import Columns, column_of, read_file
from clerestory.errors import InputError


class Layout(StrEnum):
    """How a file says its cells."""

    PLAIN = "plain"
    """One row a cell, names in the first line."""
    CROSS = "cross"
    """A row for each code of the first dimension, a column for each of the second."""
    TAU_ARGUS = "tau-argus"
    """A table that tau-ARGUS wrote."""


VALUE, STATUS = "value", "status"
_PRIMARY, _SECONDARY, _SHOWN = "u", "m", "s"
_LETTERS = {"S": _SHOWN, "P": _SHOWN, "E": _SHOWN, "U": _PRIMARY, "M": _SECONDARY}
"""Status letters of the intermediate format: safe, protected (not to be hidden), empty, unsafe, secondary."""
_SBS_LETTERS = {"V": _SHOWN, "A": _PRIMARY, "B": _PRIMARY, "C": _PRIMARY, "F": _PRIMARY, "D": _SECONDARY}
"""Flags of the SBS format: V may be published; A, B, C, F are confidential by a rule, D secondarily."""
_EMPTY = "-"
"""What tau-ARGUS writes for a cell that nobody is in: a published 0."""
_NUMBERS = {str(number): _SHOWN for number in (1, 2, 10, 13, 14)} | {
    **{str(number): _PRIMARY for number in range(3, 10)},
    **{str(number): _SECONDARY for number in (11, 12)},
}
"""Status numbers: 1, 2 safe; 3 to 9 unsafe, by a rule or by hand; 10 protected; 11, 12 secondary; 13, 14
empty."""


def read_tau_argus(path: Path, dims: Sequence[str]) -> Columns:
    """The dimensions, `value` and, where the file has one, `status` (s, u or m) of a table of tau-ARGUS.

    The number of a hidden cell that these files may hold is kept; whoever reads the columns must go by the
    status. Raises InputError for a file that has none of these forms.
    """
    lines = _lines(path)
    first, start = lines[0], 1
    if first and first[0] == "" and len(dims) == 2:
        return _cross(path.name, lines, dims, empty=_EMPTY, signs=True)
    named = [field.lower() for field in first[: len(dims)]] == [name.lower() for name in dims]
    rows = lines[1:] if named else lines
    start = 2 if named else 1
    rows = [row for row in rows if row]
    if not rows:
        raise InputError("there are no rows", where=path.name, fix="check the file")
    wanted = _form(rows[0], len(dims))
    if wanted is None or any(_form(row, len(dims)) != wanted for row in rows):
        raise InputError(
            f"this is no table of {len(dims)} dimensions that tau-ARGUS wrote",
            where=path.name,
            fix="name its dimensions in their order with --dims; for other files leave out --layout",
        )
    codes, at, status_at, letters = wanted
    values = ["0" if row[at] == _EMPTY else row[at] for row in rows]
    columns = {
        name: column_of(name, [row[place] for row in rows]) for name, place in zip(dims, codes, strict=True)
    }
    columns[VALUE] = column_of(VALUE, values)
    if status_at is not None:
        known = _SBS_LETTERS if letters == "sbs" else _LETTERS if letters == "letters" else _NUMBERS
        columns[STATUS] = column_of(STATUS, [known[row[status_at]] for row in rows])
    return Columns(path.name, "arrow", len(rows), start, columns)


_Form = tuple[tuple[int, ...], int, int | None, str]
"""Places of the codes, of the value and of the status in a row, and what statuses there are."""


def _form(row: Sequence[str], dims: int) -> _Form | None:
    """The form of a row, None if it is none of tau-ARGUS'."""
    plain, levelled = tuple(range(dims)), tuple(range(0, 2 * dims, 2))
    if len(row) == dims + 1:
        return plain, dims, None, ""
    if len(row) == dims + 2 and row[dims + 1] in _NUMBERS:
        return plain, dims, dims + 1, "numbers"
    for codes, value in ((levelled, 2 * dims), (plain, dims)):
        levels = codes == plain or all(row[place + 1].isdecimal() for place in codes if place + 1 < len(row))
        if levels and value + 3 <= len(row) <= value + 4 and row[value + 2] in _SBS_LETTERS:
            return codes, value, value + 2, "sbs"
    # value, [frequency, [shadow], ] cost, [largest contributions, ] letter, lower and upper level, ...
    for place in range(dims + 2, len(row) - 2):
        if row[place] in _LETTERS:
            return plain, dims, place, "letters"
    return None


def read_cross(path: Path, dims: Sequence[str]) -> Columns:
    """A cross table: the first line has the codes of the second dimension, each row begins with one of the
    first. Raises InputError unless there are two dimensions and every row is as long as the first line."""
    if len(dims) != 2:
        raise InputError(
            "a cross table has two dimensions", where="dims", fix="rows first, then columns: county,year"
        )
    if path.suffix in {".parquet", ".pq"}:
        read = read_file(path, lambda names: names)
        names = list(read.columns)
        lines = [names, *([read[name].text(row) for name in names] for row in range(read.rows))]
    else:
        lines = _lines(path)
    return _cross(path.name, lines, dims, empty=None, signs=False)


def _cross(
    where: str, lines: Sequence[Sequence[str]], dims: Sequence[str], *, empty: str | None, signs: bool
) -> Columns:
    head, body = lines[0], [line for line in lines[1:] if line]
    across = len(head) - 1
    uneven = next((row for row, line in enumerate(body) if len(line) != len(head)), None)
    if across < 1 or not body or uneven is not None:
        row = f", row {uneven + 2}" if uneven is not None else ""
        raise InputError(
            "a cross table has as many fields in each row as in its first line, two or more",
            where=f"{where}{row}",
            fix="the first line names the columns, the first field of a row names it",
        )
    values = [value for line in body for value in line[1:]]
    if signs and empty is not None:
        values = ["0" if value == empty else value for value in values]
    columns = {
        dims[0]: column_of(dims[0], [line[0] for line in body for _ in head[1:]]),
        dims[1]: column_of(dims[1], [code for _ in body for code in head[1:]]),
        VALUE: column_of(VALUE, values),
    }
    return Columns(where, "arrow", len(values), 2, columns, across)


def _lines(path: Path) -> list[list[str]]:
    """The fields of each line, without blanks around them; an empty list for an empty line."""
    if not path.is_file():
        raise InputError("there is no such file", where=str(path), fix="check its name")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("the file is not in UTF-8", where=path.name, fix="save it again in UTF-8") from None
    except OSError:
        raise InputError("the file cannot be read", where=str(path), fix="check its permissions") from None
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise InputError("the file is empty", where=path.name, fix="check the file")
    separator = max(";", ",", "\t", key=lines[0].count)
    found = [[field.strip() for field in row] for row in csv.reader(lines, delimiter=separator)]
    while not any(found[0]):
        found.pop(0)
    return [row if any(row) else [] for row in found]
