"""Counts at the finest level: one aggregation over the records, and what is asked of its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis
import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.design import Plan, Variable
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.encode import Digit, Packing, packing, staged
from clerestory.confidential.tabulate.fields import number_of
from clerestory.tables.space import IntArray


@dataclass(frozen=True, eq=False)
class Measure:
    """What is known of a measure in each finest group.

    total: its sum; missing, odd, outside: rows without a value, with no whole number, out of bounds.
    """

    total: IntArray
    missing: IntArray
    odd: IntArray
    outside: IntArray


@dataclass(frozen=True, eq=False)
class Groups:
    """The finest groups that have records: how many, and their class on each variable.

    words: the packed digits; classes: for each variable, (groups,) its class; count: (groups,) records.
    """

    digits: tuple[Digit, ...]
    packing: Packing
    words: Mapping[str, IntArray]
    classes: Mapping[str, NDArray[np.int32]]
    count: IntArray
    measures: Mapping[str, Measure] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.count)

    def each(self, variable: str) -> IntArray:
        """Records in each class of a variable."""
        size = next(one.variable.classes for one in self.digits if one.variable.name == variable)
        return np.bincount(self.classes[variable], weights=self.count, minlength=size).astype(np.int64)

    def chosen(self, classes: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """Which groups are, for each variable, in one of its classes."""
        chosen = np.ones(len(self), dtype=bool)
        for variable, inside in classes.items():
            chosen &= inside[self.classes[variable]]
        return chosen


@dataclass(frozen=True, eq=False)
class GroupCounts:
    """Answers what linking asks of the records."""

    records: Records
    groups: Groups
    _each: dict[str, IntArray] = field(default_factory=dict)

    def each(self, variable: str) -> IntArray:
        """Records in each class of a variable, in the whole source."""
        if variable not in self._each:
            self._each[variable] = self.groups.each(variable)
        return self._each[variable]

    def inside(self, classes: Mapping[str, NDArray[np.bool_]]) -> int:
        """Records that are, for each variable, in one of its classes."""
        return int(self.groups.count[self.groups.chosen(classes)].sum())

    def distinct(self, variable: str) -> int:
        """How many different odd values a category variable has."""
        of_groups = next(one for one in self.groups.digits if one.variable.name == variable)
        stage = staged(self.records, [of_groups.variable])
        own = stage.digit(variable)
        odd = np.zeros(own.variable.classes, dtype=bool)
        odd[own.variable.odd] = True
        query = stage.table.filter(own.inside(odd)).aggregate(n=lambda t: t["value_0"].nunique())
        return int(self.records.integers(query)["n"][0])


def count_groups(records: Records, plan: Plan, variables: Sequence[Variable]) -> Groups:
    """Counts the records of a source at the finest level, in one aggregation."""
    extra: dict[str, ibis.Value] = {}
    for measure in dict.fromkeys(table.said.sum for table in plan.tables if table.said.sum):
        bounds = plan.source.said.fields[measure].bounds or (0, 0)
        extra |= _measure_columns(records, measure, bounds)
    stage = staged(records, variables, extra)
    digits = stage.digits
    packed = packing([one.size for one in digits])
    columns = packed.expressions(digits) | {name: stage.table[name] for name in extra}
    sums = {name: ibis._[name].sum() for name in extra}
    query = stage.table.select(**columns).group_by(list(packed.names)).aggregate(n=ibis._.count(), **sums)
    found = records.integers(query)
    return Groups(
        digits,
        packed,
        {name: found[name] for name in packed.names},
        dict(
            zip(
                [one.variable.name for one in digits],
                packed.unpacked(found, digits),
                strict=True,
            )
        ),
        found["n"],
        {
            measure: Measure(*(found[f"{part} {measure}"] for part in ("total", "missing", "odd", "outside")))
            for measure in {table.said.sum for table in plan.tables if table.said.sum}
        },
    )


def _measure_columns(records: Records, measure: str, bounds: tuple[int, int]) -> dict[str, ibis.Value]:
    number = number_of(records, measure)
    value = number.value
    odd = number.odd if number.odd is not None else ibis.literal(False)
    outside = ~number.missing & ~odd & ((value < bounds[0]) | (value > bounds[1]))
    inside = ~(number.missing | odd | ibis.coalesce(outside, False))
    fraction = inside & (value != value.cast("float64").round() if not value.type().is_integer() else False)
    usable = inside & ~ibis.coalesce(fraction, False)
    return {
        f"total {measure}": ibis.ifelse(usable, value, 0).cast("int64"),
        f"missing {measure}": ibis.ifelse(number.missing, 1, 0),
        f"odd {measure}": ibis.ifelse(ibis.coalesce(odd | fraction, False), 1, 0),
        f"outside {measure}": ibis.ifelse(ibis.coalesce(outside, False), 1, 0),
    }
