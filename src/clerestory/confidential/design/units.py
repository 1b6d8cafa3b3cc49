"""What a table adds up: records, distinct persons, or a measure."""

from __future__ import annotations

from clerestory.confidential.design.plan import Plan, variable_name
from clerestory.errors import InputError
from clerestory.project import Table
from clerestory.project.where import written
from clerestory.tables import RECORDS, Spread, Unit


def unit_of(plan: Plan, table: Table) -> Unit:
    """The unit of a table's cells.

    Persons who are counted at their first or latest record are looked for among the records that the table's
    `where` lets through, so tables with another `where` have another unit.
    Raises InputError if it is not said how persons fall over the dimensions, or a measure has no bounds.
    """
    said = table.said
    where = f"table {table.name!r}"
    if said.sum is not None:
        bounds = plan.source.said.fields[said.sum].bounds
        if bounds is None:
            raise InputError(
                f"the measure {said.sum!r} has no bounds", where=where, fix="add bounds = [least, greatest]"
            )
        return Unit("sum", measure=said.sum, bounds=bounds)
    if said.count != "person":
        return RECORDS
    if not plan.source.said.person:
        raise InputError(
            "the source does not say what tells persons apart", where=where, fix='add person = ["…"] to it'
        )
    spreads = {name: dimension.spread or Spread.LATEST for name, dimension in said.dimensions.items()}
    overlapping = frozenset(
        variable_name(name, said.dimensions[name])
        for name, spread in spreads.items()
        if spread is Spread.OVERLAPPING
    )
    assigned = {spread for spread in spreads.values() if spread in (Spread.FIRST, Spread.LATEST)}
    torn = {
        variable_name(name, said.dimensions[name])
        for name, spread in spreads.items()
        if spread is not Spread.OVERLAPPING
    } & overlapping
    if len(assigned) > 1 or torn:
        raise InputError(
            "persons are spread in two ways that do not go together",
            where=where,
            fix="use the same spread for all dimensions of one field, and not both first and latest",
        )
    if not assigned:
        return Unit("persons", overlapping=overlapping)
    if said.by is None:
        raise InputError(
            "nothing says which of a person's records is the latest or first",
            where=where,
            fix='name a date field: by = "…"',
        )
    among = f" where {written(table.where)}" if table.where else ""
    return Unit("persons", assign=assigned.pop(), by=f"{said.by}{among}", overlapping=overlapping)
