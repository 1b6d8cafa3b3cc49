"""Fields as what tables take them for: texts, dates, numbers, persons; which values are missing or odd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
from ibis import Value

from clerestory.confidential.records import Records

_DATE_TEXT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[ T])"
_DATE_GLOB = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_NUMBER_TEXT = r"^-?[0-9]{1,18}(\.[0-9]+)?$"


@ibis.udf.scalar.builtin(name="glob", signature=(("string", "string"), "boolean"))  # type: ignore[untyped-decorator]
def _glob(pattern: str, text: str) -> bool:  # type: ignore[empty-body]
    """Whether a text matches; SQLite has it, and is much slower with regular expressions."""


def person_of(records: Records, fields: Sequence[str]) -> Value:
    """What tells persons apart, as one value; null where any part of it is missing."""
    parts = []
    for field in fields:
        column = records.table[field]
        parts.append(column.nullif("") if column.type().is_string() else column)
    if len(parts) == 1:
        return parts[0]
    texts = [part if part.type().is_string() else part.cast("string") for part in parts]
    # The length before each text keeps ("ab", "c") and ("a", "bc") apart.
    whole = ibis.literal("")
    missing = ibis.literal(False)
    for text in texts:
        whole = whole.concat(ibis.coalesce(text.length().cast("string"), ""), ":", ibis.coalesce(text, ""))
        missing = missing | text.isnull()
    return ibis.ifelse(missing, ibis.null("string"), whole)


def as_text(records: Records, field: str) -> Value:
    """A field's values as texts, as categories are written."""
    column = records.table[field]
    if column.type().is_string():
        return column
    if column.type().is_boolean():
        return ibis.cases((column, "true"), (~column, "false"))
    return column.cast("string")


@dataclass(frozen=True, eq=False)
class Day:
    """A date field: its parts, and whether there is none or it is no date."""

    year: Value
    month: Value
    day: Value
    missing: Value
    odd: Value | None

    @property
    def number(self) -> Value:
        """20120131."""
        return self.year * 10000 + self.month * 100 + self.day


def day_of(records: Records, field: str) -> Day:
    """A date field; texts are dates only if written 2012-01-31, with or without a time behind."""
    column = records.table[field]
    if not column.type().is_string():
        if column.type().is_timestamp():
            column = column.date()
        elif not column.type().is_date():
            never = ibis.literal(0, "int64")
            return Day(never, never, never, column.isnull(), column.notnull())
        return Day(
            column.year().cast("int64"),
            column.month().cast("int64"),
            column.day().cast("int64"),
            column.isnull(),
            None,
        )
    missing = column.isnull() | (column == "")
    shaped = _like_a_date(records, ibis.coalesce(column, ""))
    year, month, day = (
        _whole(records, shaped, column.substr(start, length)) for start, length in ((0, 4), (5, 2), (8, 2))
    )
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = ibis.cases((month.isin([4, 6, 9, 11]), 30), ((month == 2) & leap, 29), (month == 2, 28), else_=31)
    good = shaped & year.between(1, 9999) & month.between(1, 12) & (day >= 1) & (day <= last)
    return Day(year, month, day, missing, ~missing & ~ibis.coalesce(good, False))


@dataclass(frozen=True, eq=False)
class Number:
    """A number field: its value, and whether there is none or it is no number."""

    value: Value
    missing: Value
    odd: Value | None


def number_of(records: Records, field: str) -> Number:
    """A number field; texts are numbers if written 12, -3 or 4.5."""
    column = records.table[field]
    kind = column.type()
    if kind.is_string():
        missing = column.isnull() | (column == "")
        shaped = ibis.coalesce(column, "").re_search(_NUMBER_TEXT)
        if records.dialect == "sqlite":
            # Whole numbers first, since SQLite calls Python for a regular expression.
            shaped = ibis.coalesce(column.cast("int64").cast("string") == column, False) | shaped
        value = ibis.ifelse(shaped, column, ibis.null("string"))
        value = value.try_cast("float64") if records.dialect == "duckdb" else value.cast("float64")
        return Number(value, missing, ~missing & ~shaped)
    if kind.is_floating():
        return Number(column, column.isnull(), column.isnan())
    if not kind.is_numeric():
        return Number(ibis.literal(0, "int64"), column.isnull(), column.notnull())
    return Number(column, column.isnull(), None)


def _like_a_date(records: Records, text: Value) -> Value:
    if records.dialect != "sqlite":
        return text.re_search(_DATE_TEXT)
    return _glob(_DATE_GLOB, text) | _glob(f"{_DATE_GLOB}[ T]*", text)


def _whole(records: Records, shaped: Value, text: Value) -> Value:
    """A text as a whole number, where its shape is right."""
    safe = ibis.ifelse(shaped, text, ibis.null("string"))
    return safe.try_cast("int64") if records.dialect == "duckdb" else safe.cast("int64")
