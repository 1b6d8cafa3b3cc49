"""Ibis expressions: the class of a record on each variable, packed into one or more whole numbers.

The same expressions run on DuckDB, SQLite and PostgreSQL; where DuckDB has something faster it is used, and
says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
from ibis import Value
from numpy.typing import NDArray

from clerestory.confidential.design import MISSING_CLASS, Cut, Kind, Variable
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.fields import as_text, day_of, number_of

_WORD = 1 << 62
"""Numbers stay below this, so that they fit in 64 bits everywhere."""


SHORTEST_RUN = 4
"""So many cuts at equal distances, such as years or months, are told apart by arithmetic."""
MOST_ADDED = 24
"""So many cuts are compared one by one and added up, which is fast; more are tried until one is passed."""


@dataclass(frozen=True, eq=False)
class Digit:
    """The number that tells a record's class on one variable; 0 .. size - 1.

    classes: (size,) the class that each number stands for; several numbers may stand for one class.
    """

    variable: Variable
    value: Value
    classes: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.classes)

    def inside(self, classes: NDArray[np.bool_]) -> Value:
        """Whether a record's class is one of these."""
        chosen = np.flatnonzero(classes[self.classes])
        others = np.flatnonzero(~classes[self.classes])
        if len(chosen) <= len(others):
            return self.value.isin(chosen.tolist()) if len(chosen) else ibis.literal(False)
        return self.value.notin(others.tolist()) if len(others) else ibis.literal(True)

    @property
    def settled(self) -> Value:
        """The number, where one class has one number alone: numbers are then ordered as classes are."""
        _, first = np.unique(self.classes[::-1], return_index=True)
        last = {int(self.classes[::-1][place]): self.size - 1 - int(place) for place in first}
        again = [
            (self.value == number, last[int(of_class)])
            for number, of_class in enumerate(self.classes)
            if last[int(of_class)] != number
        ]
        return ibis.cases(*again, else_=self.value) if again else self.value

    def translated(self, to: NDArray[np.int64]) -> Value:
        """Another number for each class: to[class]."""
        wanted = to[self.classes]
        kinds, counts = np.unique(wanted, return_counts=True)
        usual = int(kinds[counts.argmax()])
        branches = [
            (self.value.isin(np.flatnonzero(wanted == kind).tolist()), int(kind))
            for kind in kinds
            if kind != usual
        ]
        return ibis.cases(*branches, else_=usual) if branches else ibis.literal(usual)


@dataclass(frozen=True)
class Packing:
    """How the digits of several variables are packed into words of less than 2^62.

    words: for each word, (position of the digit, its stride). sizes: numbers kept for each digit. Strides
    and sizes are powers of two, so that words are taken apart by shifts.
    """

    words: tuple[tuple[tuple[int, int], ...], ...]
    sizes: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names of the words."""
        return tuple(f"word_{number}" for number in range(len(self.words)))

    def expressions(self, digits: Sequence[Digit]) -> dict[str, Value]:
        """Each word as an expression."""
        found = {}
        for name, word in zip(self.names, self.words, strict=True):
            total = ibis.literal(0, "int64")
            for position, stride in word:
                # By way of 32 bits: where Ibis takes a number to have 64 already, it writes no cast.
                part = digits[position].value.cast("int32").cast("int64")
                total = total + (part * stride if stride != 1 else part)
            found[name] = total
        return found

    def unpacked(
        self, columns: Mapping[str, NDArray[np.int64]], digits: Sequence[Digit]
    ) -> list[NDArray[np.int32]]:
        """The classes that words stand for, one array for each digit."""
        found: list[NDArray[np.int32]] = [np.empty(0, dtype=np.int32)] * len(self.sizes)
        for name, word in zip(self.names, self.words, strict=True):
            for position, stride in word:
                shift, mask = stride.bit_length() - 1, self.sizes[position] - 1
                number = ((columns[name] >> shift) & mask).astype(np.int32)
                classes = digits[position].classes.astype(np.int32)
                found[position] = number if _counts_up(classes) else classes.take(number)
        return found


def packing(sizes: Sequence[int]) -> Packing:
    """Packs digits of these sizes into as few words as their order allows; at least one."""
    words: list[list[tuple[int, int]]] = [[]]
    rounded = [1 << (size - 1).bit_length() for size in sizes]
    stride = 1
    for position, size in enumerate(rounded):
        if stride * size > _WORD:
            words.append([])
            stride = 1
        words[-1].append((position, stride))
        stride *= size
    return Packing(tuple(tuple(word) for word in words), tuple(rounded))


def _counts_up(classes: NDArray[np.int32]) -> bool:
    """Whether each number stands for the class of that number."""
    return bool(np.array_equal(classes, np.arange(len(classes))))


@dataclass(frozen=True, eq=False)
class Staged:
    """Records with what classes are decided by as columns of their own, each computed once.

    table: also has the extra columns that were asked for, by their names. digits: by variable, in order.
    """

    table: Any
    digits: tuple[Digit, ...]

    def digit(self, variable: str) -> Digit:
        """The digit of a variable."""
        return next(one for one in self.digits if one.variable.name == variable)


def staged(
    records: Records, variables: Sequence[Variable], extra: Mapping[str, Value] | None = None
) -> Staged:
    """Records prepared for their digits. extra: further columns to keep."""
    columns: dict[str, Value] = dict(extra or {})
    for place, variable in enumerate(variables):
        columns |= {f"{name}_{place}": value for name, value in _scalars(records, variable).items()}
    table = records.table.select(**(columns or {"one": ibis.literal(1)}))
    digits = []
    for place, variable in enumerate(variables):
        own = {
            name: table[f"{name}_{place}"]
            for name in ("value", "month", "missing", "odd")
            if f"{name}_{place}" in columns
        }
        digits.append(
            _category(records, variable, own) if variable.kind is Kind.CATEGORY else _ordered(variable, own)
        )
    return Staged(table, tuple(digits))


@ibis.udf.scalar.builtin(name="list_position", signature=(("array<string>", "string"), "int32"))  # type: ignore[untyped-decorator]
def _list_position(codes: list[str], code: str) -> int:  # type: ignore[empty-body]
    """Position of a code, from 1; null if it is not there."""


def _scalars(records: Records, variable: Variable) -> dict[str, Value]:
    """What decides the class: a value, and where needed its month, whether it is missing, and whether odd."""
    if variable.kind is Kind.CATEGORY:
        return {"value": as_text(records, variable.fields[0])}
    if variable.kind is Kind.NUMBER:
        number = number_of(records, variable.fields[0])
        found = {"value": number.value, "missing": number.missing, "odd": number.odd}
    elif variable.kind is Kind.DATE:
        day = day_of(records, variable.fields[0])
        run, others = _run(variable.cuts)
        found = {"missing": day.missing, "odd": day.odd}
        if run:
            found["month"] = day.year * 12 + day.month - 1
        if others:
            found["value"] = day.number
    else:
        # As numbers (20120131) two dates are 10000 apart for each year that is complete: who is born on
        # 29 February is a year older on 1 March.
        birth, at = (day_of(records, field) for field in variable.fields)
        odd = birth.odd if at.odd is None else at.odd if birth.odd is None else birth.odd | at.odd
        found = {"value": at.number - birth.number, "missing": birth.missing | at.missing, "odd": odd}
    return {name: value for name, value in found.items() if value is not None}


def _category(records: Records, variable: Variable, own: Mapping[str, Value]) -> Digit:
    text = own["value"]
    odd = variable.odd
    if records.dialect == "duckdb" and variable.codes:
        # One look-up for each entry of a Parquet dictionary, not one comparison for each code and row.
        codes = ibis.literal([None, "", *variable.codes], "array<string>")
        place = ibis.coalesce(_list_position(codes, text), len(variable.codes) + 3)
        classes = np.array([MISSING_CLASS, MISSING_CLASS, MISSING_CLASS, *range(1, odd + 1)])
        return Digit(variable, place, classes)
    empty = text.isnull() | (text == "")
    found = [(text == code, place) for place, code in enumerate(variable.codes, start=1)]
    value = ibis.cases((empty, MISSING_CLASS), *found, else_=odd)
    return Digit(variable, value, np.arange(variable.classes))


def _ordered(variable: Variable, own: Mapping[str, Value]) -> Digit:
    """The interval: one more than the number of cuts that are passed."""
    run, others = _run(variable.cuts) if variable.kind is Kind.DATE else ((), variable.cuts)
    passed = ibis.literal(1)
    if run:
        first, step = _month_number(run[0]), _month_number(run[1]) - _month_number(run[0])
        since = own["month"] - first + step
        since = ibis.least(ibis.greatest(since, 0), len(run) * step)
        passed = passed + (since if step == 1 else ((since - since % step) / step).cast("int64"))
    if others:
        value, unit = own["value"], 10000 if variable.kind is Kind.AGE else 1
        reached = [value > cut.value * unit if cut.above else value >= cut.value * unit for cut in others]
        if len(others) <= MOST_ADDED:
            for one in reached:
                passed = passed + one.cast("int32")  # PostgreSQL makes no bigint of a truth value
        else:
            steps = [(one, place) for place, one in reversed(list(enumerate(reached, start=1)))]
            passed = passed + ibis.cases(*steps, else_=0)
    branches = [(own["missing"], MISSING_CLASS)]
    if "odd" in own:
        branches.append((own["odd"], variable.odd))
    return Digit(variable, ibis.cases(*branches, else_=passed), np.arange(variable.classes))


def _run(cuts: Sequence[Cut]) -> tuple[tuple[Cut, ...], tuple[Cut, ...]]:
    """The longest run of cuts that are first days of months equally far apart, and the other cuts."""
    firsts = [cut for cut in cuts if cut.value % 100 == 1]
    best: list[Cut] = []
    now: list[Cut] = []
    for cut in firsts:
        months = [_month_number(one) for one in (*now[-2:], cut)]
        if len(months) == 3 and months[2] - months[1] != months[1] - months[0]:
            now = now[-1:]
        now.append(cut)
        best = list(now) if len(now) > len(best) else best
    if len(best) < SHORTEST_RUN:
        return (), tuple(cuts)
    return tuple(best), tuple(cut for cut in cuts if cut not in best)


def _month_number(cut: Cut) -> int:
    return cut.value // 10000 * 12 + cut.value // 100 % 100 - 1
