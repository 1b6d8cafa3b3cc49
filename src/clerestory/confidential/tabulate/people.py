"""Tables that count distinct persons: at one of their records, or in every box they have a record in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import and_, or_
from typing import Any

import ibis
import numpy as np
from ibis import Value

from clerestory.confidential.design import SourceDesign
from clerestory.confidential.design.plan import variable_name
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.encode import Digit, Packing, packing, staged
from clerestory.confidential.tabulate.fields import day_of, person_of
from clerestory.confidential.tabulate.finest_groups import Groups
from clerestory.confidential.tabulate.record_keys import KEY, RecordKeys
from clerestory.confidential.tabulate.rollup import Grid, added, layers_of
from clerestory.errors import InputError
from clerestory.project import Table
from clerestory.tables import Spread, Unit
from clerestory.tables.space import IntArray

_NO_DATE = {Spread.FIRST: 99_999_999, Spread.LATEST: 0, Spread.DISJOINT: 0}
"""A record without a date is a person's first or latest only if he has no other one."""
_DAYS = 100_000_000


@dataclass(frozen=True, eq=False)
class Persons:
    """How persons are counted in one unit: the records that count, and the digits that place them.

    base: the records of the tables' restriction, with columns person and one for each digit. digits: by
    variable. assigned: variables on which a person has one place. packing: of the assigned ones. alike: the
    records of all tables that count persons in this unit.
    """

    records: Records
    design: SourceDesign
    unit: Unit
    base: Any
    alike: Any
    digits: Mapping[str, Digit]
    assigned: tuple[str, ...]
    packing: Packing


def persons_of(records: Records, design: SourceDesign, unit: Unit, tables: Sequence[Table]) -> Persons:
    """Prepares the count of a unit, and checks what is said to be disjoint.

    tables: some with this unit, all with the same restriction.
    Raises InputError with the number of persons who have several values where one is declared.
    """
    plan = design.plan
    wheres = [plan.restrictions(table) for table in _alike(design, unit)]
    used = [variable_name(name, said) for table in tables for name, said in table.said.dimensions.items()]
    restricted = [name for table in tables for name in plan.restrictions(table)]
    names = tuple(dict.fromkeys((*used, *restricted)))
    asked = tuple(dict.fromkeys((*names, *(name for where in wheres for name in where))))
    extra: dict[str, Value] = {"person": person_of(records, plan.source.said.person)}
    if unit.assign is not Spread.DISJOINT:
        day = day_of(records, tables[0].said.by or "")
        good = day.missing if day.odd is None else day.missing | day.odd
        extra["day"] = ibis.ifelse(good, _NO_DATE[unit.assign], day.number).cast("int64")
    stage = staged(records, [plan.variables[name] for name in asked], extra)
    digits = {one.variable.name: one for one in stage.digits}
    base, alike = stage.table, stage.table
    for name, classes in plan.restrictions(tables[0]).items():
        base = base.filter(digits[name].inside(classes))
    if all(wheres):
        inside = [
            reduce(and_, (digits[name].inside(classes) for name, classes in where.items()))
            for where in wheres
        ]
        alike = alike.filter(reduce(or_, inside))
    columns = {_column(name): digits[name].settled for name in names}
    base, alike = (
        one.select(**columns, **{name: stage.table[name] for name in extra}) for one in (base, alike)
    )
    assigned = tuple(name for name in names if name not in unit.overlapping)
    own = {name: _on(base, digits[name]) for name in names}
    counted = Persons(
        records, design, unit, base, alike, own, assigned, packing([own[name].size for name in assigned])
    )
    if len(counted.packing.names) > 1 or _span(counted) * _DAYS >= 1 << 63:
        raise InputError(
            "the dimensions have too many categories to find each person's place",
            where=f"table {tables[0].name!r}",
            fix="use fewer dimensions, or coarser ones",
        )
    for table in tables:
        _check_disjoint(counted, table)
    return counted


def _alike(design: SourceDesign, unit: Unit) -> list[Table]:
    """The tables that count in this unit: a reader adds up across them."""
    names = {layout.design.name for layout in design.space.layouts if layout.design.unit == unit}
    return [table for table in design.plan.tables if table.name in names]


def assigned_groups(counted: Persons, keys: RecordKeys | None = None) -> tuple[Groups, Groups]:
    """Persons by where they are counted, and records that do not say whose they are: each counts as one.

    keys: how a person's key is made, where the groups are to hold the sums of them.
    """

    def sums(table: Any) -> dict[str, Value]:
        key = {} if keys is None else {KEY: keys.of_person(counted.records, table["person"]).sum()}
        return {"n": table.count(), **key}

    places = _places(counted)
    place = places.group_by("place").aggregate(**sums(places))
    (word,) = counted.packing.names
    keyed = counted.base.filter(ibis._["person"].isnull()).select(
        person=ibis._["person"], **counted.packing.expressions(_digits(counted))
    )
    unknown = keyed.group_by(word).aggregate(**sums(keyed))
    return (
        _groups(counted, counted.records.integers(place), "place"),
        _groups(counted, counted.records.integers(unknown), word),
    )


def overlapping_boxes(counted: Persons, grid: Grid) -> tuple[IntArray, IntArray]:
    """Distinct persons in each box of a grid, and those among them who are known (in box_shape).

    One query for each combination of layers: sets that have nothing in common are counted together.
    """
    base, digits = _placed(counted)
    order = counted.design.order
    sides = [
        (digits[order[side.axis]], layers_of(side.members), side.atoms[counted.design.categories[side.axis]])
        for side in grid.sides
    ]
    everyone = np.zeros(grid.box_shape, dtype=np.int64)
    known = np.zeros(grid.box_shape, dtype=np.int64)
    for layer in product(*(layers for _, layers, _ in sides)):
        columns = {
            f"at_{place}": own.translated(of_atom[atoms]).cast("int64")
            for place, ((own, _, atoms), of_atom) in enumerate(zip(sides, layer, strict=True))
        }
        shape = tuple(int(of_atom.max()) + 1 for of_atom in layer)
        placed = base.select(person=ibis._["person"], **columns)
        code = ibis.literal(0, "int64")
        for name, length in zip(columns, shape, strict=True):
            placed = placed.filter(placed[name] >= 0)
            code = code * length + placed[name]
        query = (
            placed.select(code=code, person=ibis._["person"])
            .group_by("code")
            .aggregate(
                known=ibis._["person"].nunique(),
                unknown=ibis.ifelse(ibis._["person"].isnull(), 1, 0).sum(),
            )
        )
        found = counted.records.integers(query)
        index = np.unravel_index(found["code"], shape) if shape else ()
        everyone[index] = found["known"] + found["unknown"]
        known[index] = np.maximum(found["known"], 1)
    return everyone, known


def boxes_of(counted: Persons, grid: Grid, groups: Groups, measure: str = "") -> IntArray:
    """What the boxes of a grid hold, from counts (or sums of a measure) at places."""
    order = counted.design.order
    empty = np.zeros(len(groups), dtype=np.int32)
    codes = [groups.classes.get(name, empty) for name in order]
    atoms = grid.atom_codes(len(groups), codes, counted.design.categories)
    summed = groups.measures[measure]["total"] if measure else groups.count
    return grid.boxes(added(atoms, summed, int(np.prod(grid.atom_shape, dtype=np.int64))))


def _column(name: str) -> str:
    return name.replace(" ", "_")


def _on(table: Any, own: Digit) -> Digit:
    """The digit as a column of a table that already holds it."""
    return Digit(own.variable, table[_column(own.variable.name)], own.classes)


def _digits(counted: Persons) -> list[Digit]:
    return [counted.digits[name] for name in counted.assigned]


def _span(counted: Persons) -> int:
    span = 1
    for size in counted.packing.sizes:
        span *= size
    return span


def _places(counted: Persons) -> Any:
    """One row for each known person: the packed digits of the record that counts.

    The date and the place are one number, so that a person's first or latest record is its least or greatest,
    and among records of one day the place decides: not the order in which records are read.
    """
    (word,) = counted.packing.names
    place = counted.packing.expressions(_digits(counted))[word]
    span = _span(counted)
    known = counted.base.filter(ibis._["person"].notnull())
    order = place if counted.unit.assign is Spread.DISJOINT else ibis._["day"] * span + place
    chosen = known.select(person=ibis._["person"], order=order).group_by("person")
    best = ibis._["order"].max() if counted.unit.assign is Spread.LATEST else ibis._["order"].min()
    return chosen.aggregate(best=best).select(person=ibis._["person"], place=ibis._["best"] % span)


def _placed(counted: Persons) -> tuple[Any, dict[str, Digit]]:
    """The records with the digits by which each is counted: the person's, on assigned variables."""
    if counted.unit.assign is Spread.DISJOINT or not counted.assigned:
        return counted.base, dict(counted.digits)
    places = _places(counted).rename(whose="person")
    (word,) = counted.packing.names
    mine = counted.packing.expressions(_digits(counted))[word]
    base = counted.base.mutate(mine=mine)
    joined = base.left_join(places, base["person"] == places["whose"])
    joined = joined.mutate(at=ibis.coalesce(joined["place"], joined["mine"]))
    columns = {_column(name): joined[_column(name)] for name in counted.digits}
    stride = 1
    for name, size in zip(counted.assigned, counted.packing.sizes, strict=True):
        rest = joined["at"] % (stride * size)
        columns[_column(name)] = ((rest - rest % stride) / stride).cast("int64")
        stride *= size
    placed = joined.select(person=joined["person"], **columns)
    return placed, {name: _on(placed, own) for name, own in counted.digits.items()}


def _groups(counted: Persons, found: Mapping[str, IntArray], word: str) -> Groups:
    digits = tuple(_digits(counted))
    (name,) = counted.packing.names
    words = {name: found[word]}
    classes = dict(zip(counted.assigned, counted.packing.unpacked(words, digits), strict=True))
    measures = {KEY: {"total": found[KEY]}} if KEY in found else {}
    return Groups(digits, counted.packing, words, classes, found["n"], measures)


def _check_disjoint(counted: Persons, table: Table) -> None:
    """Raises InputError if somebody has several values where each is said to have one.

    Looked for among the records of all tables in the unit, as a reader takes it to hold for them together.
    """
    design = counted.design
    layout = next(one for one in design.space.layouts if one.design.name == table.name)
    base = counted.alike.filter(ibis._["person"].notnull())
    for dimension in layout.design.dimensions:
        if table.said.dimensions[dimension.name].spread is not Spread.DISJOINT:
            continue
        axis = design.order.index(dimension.axis)
        _, alike = np.unique(dimension.members, axis=1, return_inverse=True)
        of_class = np.append(alike.ravel(), -1)[design.categories[axis]]
        value = _on(base, counted.digits[dimension.axis]).translated(of_class)
        several = (
            base.select(person=ibis._["person"], value=value)
            .group_by("person")
            .aggregate(least=ibis._["value"].min(), most=ibis._["value"].max())
            .filter(ibis._["least"] != ibis._["most"])
            .aggregate(n=ibis._.count())
        )
        persons = int(counted.records.integers(several)["n"][0])
        if persons:
            raise InputError(
                f"{persons:,} {'person has' if persons == 1 else 'persons have'} several values, but the "
                "dimension is said to be disjoint",
                where=f"table {table.name!r}, dimension {dimension.name!r}",
                fix='use spread = "latest", "first" or "overlapping"',
            )
