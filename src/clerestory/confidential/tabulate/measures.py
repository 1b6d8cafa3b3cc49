"""Measures as whole numbers, and the rows in which one is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass

import ibis

from clerestory.confidential.design import Plan, rows_that
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.fields import number_of
from clerestory.errors import InputError

PARTS = ("total", "missing", "odd", "outside")
"""What is kept of a measure: its sum, and rows without a value, with no whole number, out of bounds."""

_LARGEST_BOUND = 1 << 53
_LARGEST_SUM = 1 << 62


@dataclass(frozen=True)
class BadRows:
    """How many rows of a table hold a measure that cannot be summed."""

    missing: int
    odd: int
    outside: int


def measures_of(plan: Plan) -> tuple[str, ...]:
    """The measures that some table sums."""
    return tuple(dict.fromkeys(table.said.sum for table in plan.tables if table.said.sum))


def measure_columns(records: Records, plan: Plan) -> dict[str, ibis.Value]:
    """For each measure a column for each of PARTS, called as column_of says."""
    found: dict[str, ibis.Value] = {}
    for measure in measures_of(plan):
        bounds = plan.source.said.fields[measure].bounds or (0, 0)
        number = number_of(records, measure)
        value = number.value
        odd = number.odd if number.odd is not None else ibis.literal(False)
        outside = ~number.missing & ~odd & ((value < bounds[0]) | (value > bounds[1]))
        inside = ~(number.missing | odd | ibis.coalesce(outside, False))
        whole = value.type().is_integer()
        fraction = inside & (ibis.literal(False) if whole else value != value.cast("float64").round())
        usable = inside & ~ibis.coalesce(fraction, False)
        found[column_of(measure, "total")] = ibis.ifelse(usable, value, 0).cast("int64")
        found[column_of(measure, "missing")] = ibis.ifelse(number.missing, 1, 0)
        found[column_of(measure, "odd")] = ibis.ifelse(ibis.coalesce(odd | fraction, False), 1, 0)
        found[column_of(measure, "outside")] = ibis.ifelse(ibis.coalesce(outside, False), 1, 0)
    return found


def column_of(measure: str, part: str) -> str:
    """The name of a column of a measure."""
    return f"{part} {measure}"


def check_measure(plan: Plan, measure: str, bad: BadRows, rows: int) -> None:
    """Raises InputError if a measure cannot be summed exactly.

    bad: counted in the records that tables which sum it let through. rows: of the source.
    """
    bounds = plan.source.said.fields[measure].bounds or (0, 0)
    where = f"source {plan.source.name!r}, measure {measure!r}"
    for count, what, fix in (
        (bad.missing, "no value", f'add to the table: where = "{measure} is not missing"'),
        (bad.odd, "a value that is not a whole number", "sum it in a smaller unit, such as cents"),
        (bad.outside, f"a value outside the bounds {list(bounds)}", "correct the records, or the bounds"),
    ):
        if count:
            raise InputError(f"{rows_that(count, 'have')} {what}", where=where, fix=fix)
    greatest = max(abs(bound) for bound in bounds)
    if greatest >= _LARGEST_BOUND or greatest * rows >= _LARGEST_SUM:
        raise InputError("the bounds are too wide for exact sums", where=where, fix="narrow the bounds")
