"""The shape of a column: shares and lengths, no value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis

from clerestory.confidential.records import Records

PATTERNS = {
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "phone": r"^(\+?1[ .-]?)?(\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}$",
    "social security number": r"^[0-9]{3}-[0-9]{2}-[0-9]{4}$",
    "date": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[ T])",
    "number": r"^-?[0-9]+(\.[0-9]+)?$",
    "code with digits": r"^[A-Za-z]{0,5}[-]?[0-9][A-Za-z0-9-]{4,}$",
}
"""What texts are looked at for; the share that matches is all that is kept."""


@dataclass(frozen=True)
class Shape:
    """What is known of a column.

    kind: text, number, whole number, date, truth or other. rows: of the source. filled: share of rows that
    have a value. distinct: share of the filled rows that are different from each other; different: how many
    values there are. length: the greatest, of texts. matches: for each pattern, the share of filled rows.
    """

    name: str
    kind: str
    rows: int
    filled: float
    distinct: float
    different: int
    length: int
    matches: dict[str, float]

    @property
    def unique(self) -> bool:
        """Whether nearly every row has a value of its own."""
        return self.rows > 0 and self.filled > 0.5 and self.distinct > 0.95

    def mostly(self, pattern: str) -> bool:
        """Whether most texts match a pattern."""
        return self.matches.get(pattern, 0.0) > 0.8


def shape_of(records: Records, column: str) -> Shape:
    """The shape of one column, from one query that returns a row of counts."""
    table = records.table
    value = table[column]
    kind = _kind(value.type())
    text = kind == "text"
    present = value.notnull() & (value != "") if text else value.notnull()
    counts: dict[str, Any] = {
        "total": table.count(),
        "filled": ibis.ifelse(present, 1, 0).sum(),
        "different": (value.nullif("") if text else value).nunique(),
    }
    if text:
        counts["length"] = value.length().max()
        whole = ibis.coalesce(value, "")
        for place, pattern in enumerate(PATTERNS.values()):
            counts[f"match_{place}"] = ibis.ifelse(whole.re_search(pattern), 1, 0).sum()
    query = table.aggregate(**{name: ibis.coalesce(count, 0) for name, count in counts.items()})
    found = {name: int(numbers[0]) for name, numbers in records.integers(query).items()}
    filled = found["filled"]
    return Shape(
        name=column,
        kind=kind,
        rows=found["total"],
        filled=filled / found["total"] if found["total"] else 0.0,
        distinct=found["different"] / filled if filled else 0.0,
        different=found["different"],
        length=found.get("length", 0),
        matches={
            name: found[f"match_{place}"] / filled if filled and text else 0.0
            for place, name in enumerate(PATTERNS)
        },
    )


def _kind(dtype: Any) -> str:
    if dtype.is_string():
        return "text"
    if dtype.is_integer():
        return "whole number"
    if dtype.is_numeric():
        return "number"
    if dtype.is_date() or dtype.is_timestamp():
        return "date"
    return "truth" if dtype.is_boolean() else "other"
