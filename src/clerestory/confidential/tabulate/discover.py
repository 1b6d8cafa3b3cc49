"""Finds what project files leave open: the categories of fields, and the first and last month of dates."""

from __future__ import annotations

import ibis

from clerestory.confidential.design import Plan
from clerestory.confidential.design.plan import MOST_FOUND
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.fields import as_text, day_of
from clerestory.errors import InputError


def discovered(records: Records, plan: Plan) -> Plan:
    """The plan with categories and months from the records, in an order that does not depend on counts.

    Raises InputError if a field has too many different values to be a dimension by itself.
    """
    codes = {name: _categories(records, plan, name) for name in plan.to_find}
    months = {name: found for name in plan.to_date if (found := _months(records, plan, name))}
    return plan.found(codes, months)


def _categories(records: Records, plan: Plan, name: str) -> tuple[str, ...]:
    (field,) = plan.variables[name].fields
    if records.table[field].type().is_floating() or records.table[field].type().is_decimal():
        raise InputError(
            f"the field {field!r} holds numbers that may have fractions",
            where=f"source {plan.source.name!r}",
            fix="divide it with bands = [ … ] in the dimension",
        )
    text = as_text(records, field)
    query = (
        records.table.select(code=text)
        .filter(ibis._["code"].notnull() & (ibis._["code"] != ""))
        .distinct()
        .limit(MOST_FOUND + 1)
    )
    found = sorted(str(code) for (code,) in records.rows(query))
    if len(found) > MOST_FOUND:
        raise InputError(
            f"the field {field!r} has more than {MOST_FOUND} different values, and no declared categories",
            where=f"source {plan.source.name!r}",
            fix="declare its `categories`, give the dimension a hierarchy, or use bands",
        )
    return tuple(found)


def _months(records: Records, plan: Plan, name: str) -> tuple[int, int] | None:
    """The first and last month of the records' dates, as running numbers; None if there is no date."""
    day = day_of(records, plan.variables[name].fields[0])
    good = ~day.missing if day.odd is None else ~day.missing & ~day.odd
    month = (day.year * 12 + day.month - 1).cast("int64")
    query = (
        records.table.filter(good)
        .select(month=month)
        .aggregate(
            first=ibis.coalesce(ibis._["month"].min(), -1), last=ibis.coalesce(ibis._["month"].max(), -1)
        )
    )
    found = records.integers(query)
    first, last = int(found["first"][0]), int(found["last"][0])
    return (first, last) if first >= 0 else None
