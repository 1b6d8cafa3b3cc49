"""Every record as a few small numbers, in a table that DuckDB keeps to itself; blocks are rolled up from it.

The table holds no value of the source: the number of a class for each variable, the measures, and instead of
what tells persons apart a 64-bit digest of it. It lives as long as the connection, in memory or in the
private spill folder. Two persons with one digest would be taken for one, which can only make a box look as if
it held fewer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.design import Plan, SourceDesign
from clerestory.confidential.records import Records
from clerestory.confidential.tabulate.encode import Digit, staged
from clerestory.confidential.tabulate.fields import person_of
from clerestory.confidential.tabulate.finest import Restriction, distinct_odd_values
from clerestory.confidential.tabulate.measures import PARTS, BadRows, column_of, measure_columns
from clerestory.confidential.tabulate.record_keys import KEY, RecordKeys
from clerestory.confidential.tabulate.rollup import Grid, added, sets_of_atoms
from clerestory.tables.space import IntArray

SAMPLE = 4
"""Records of the first sample of a box, as a multiple of the minimum count."""
THINNER = 4
"""Each sample holds the records of one in four persons of the sample before it."""

_TABLE = "clerestory_encoded"
_FIRST = "clerestory_first"
_SAMPLES = "clerestory_samples"


@ibis.udf.scalar.builtin(name="hash", signature=(("string",), "uint64"))  # type: ignore[untyped-decorator]
def _digest(text: str) -> int:  # type: ignore[empty-body]
    """DuckDB's hash of a text."""


@dataclass(frozen=True, eq=False)
class _Combinations:
    """The combinations of digits on the sides of a grid that have records, and the atom of each."""

    digits: tuple[IntArray, ...]
    atoms: IntArray


@dataclass(frozen=True, eq=False)
class EncodedRecords:
    """Records at the finest level, encoded.

    digits: by variable, as columns d0, d1 … of the table. samples: how many thinner samples there are.
    """

    records: Records
    plan: Plan
    digits: tuple[Digit, ...]
    size: int
    samples: int
    _each: dict[str, IntArray] = field(default_factory=dict)
    _counts: dict[tuple[str, ...], dict[str, IntArray]] = field(default_factory=dict)

    @property
    def _types(self) -> dict[str, str]:
        """The type of each column of digits."""
        return {f"d{place}": _small(own) for place, own in enumerate(self.digits)}

    def each(self, variable: str) -> IntArray:
        """Records in each class of a variable, in the whole source."""
        if variable not in self._each:
            place, own = self._own(variable)
            found = self._count([f"d{place}"], [])
            classes = own.classes[found[f"d{place}"]]
            self._each[variable] = added(classes.astype(np.int32), found["n"], own.variable.classes)
        return self._each[variable]

    def inside(self, classes: Restriction) -> int:
        """Records that are, for each variable, in one of its classes."""
        found = self._ask("count(*) AS n", _TABLE, f"WHERE {self._within(classes)}")
        return int(found["n"][0])

    def distinct(self, variable: str) -> int:
        """How many different odd values a category variable has."""
        return distinct_odd_values(self.records, self.plan, variable)

    def rows(self) -> int:
        """How many records there are."""
        return self.size

    def boxes(self, design: SourceDesign, grid: Grid, measure: str) -> tuple[IntArray, IntArray]:
        """What the boxes of a grid hold: records, and the sum of a measure ("" for none)."""
        sums = [column_of(measure, "total")] if measure else []
        names = [self._column(design, side.axis) for side in grid.sides]
        found = self._count(names, sums)
        combinations = self._combinations(design, grid, found)
        atoms = combinations.atoms.astype(np.int32)
        size = int(np.prod(grid.atom_shape, dtype=np.int64))
        counts = grid.boxes(added(atoms, found["n"], size))
        return counts, grid.boxes(added(atoms, found[sums[0]], size)) if measure else counts

    def bad_rows(self, measure: str, restrictions: Sequence[Restriction]) -> BadRows:
        """Rows that any of the restrictions lets through, and in which the measure cannot be summed."""
        anywhere = " OR ".join(f"({self._within(restriction)})" for restriction in restrictions)
        sums = ", ".join(
            f"coalesce(sum({_quoted(column_of(measure, part))}), 0) AS {part}" for part in PARTS[1:]
        )
        found = self._ask(sums, _TABLE, f"WHERE {anywhere}")
        return BadRows(*(int(found[part][0]) for part in PARTS[1:]))

    def persons(
        self, design: SourceDesign, grids: Sequence[Grid], counted: IntArray, minimum: int
    ) -> IntArray:
        """(cells,) distinct persons in the box of each cell of these grids, like Finest.persons.

        A box with many records nearly always holds many persons, and a sample of all persons shows enough of
        them. Each box is first asked about the thinnest sample that should do; one that it does not prove is
        asked again about more, in the end about all.
        """
        persons = np.zeros(len(design.space), dtype=np.int64)
        asked = np.append(np.zeros(len(persons), dtype=bool), True)
        for grid in grids:
            cells = grid.box_cells()
            records = np.where(cells >= 0, counted[cells], 0)
            waiting = (records > 0) & ~asked[cells]
            asked[cells] = True
            if not waiting.any():
                continue
            names = [self._column(design, side.axis) for side in grid.sides]
            combinations = self._combinations(design, grid, self._count(names, []))
            share = np.maximum(records / (SAMPLE * minimum), 1)
            level = np.minimum((np.log(share) / np.log(THINNER)).astype(np.int64), self.samples)
            while waiting.any():
                known = self._seen(names, grid, combinations, np.where(waiting, level, -1), len(persons))
                done = waiting & ((known[cells] >= minimum) | (level == 0))
                persons[cells[done]] = np.maximum(known[cells[done]], 1)
                waiting = waiting & ~done
                level = np.where(waiting, np.maximum(level - 2, 0), level)
        return persons

    def _seen(
        self, names: Sequence[str], grid: Grid, combinations: _Combinations, level: IntArray, size: int
    ) -> IntArray:
        """(cells + 1,) distinct persons seen in the sample of each box at its level; -1 asks nothing."""
        sides = [sets_of_atoms(side.members) for side in grid.sides]
        places = np.unravel_index(combinations.atoms, grid.atom_shape) if sides else ()
        near = np.flatnonzero(grid.atoms_inside(level >= 0).ravel()[combinations.atoms])
        cells = grid.box_cells()
        parts: list[IntArray] = []
        for sets in product(*sides):
            chosen = [one[place[near]] for one, place in zip(sets, places, strict=True)]
            real = np.ones(len(near), dtype=bool)
            for one in chosen:
                real &= one >= 0
            box = tuple(one[real] for one in chosen)
            of_box = np.broadcast_to(level[box], int(real.sum())).copy()
            cell = np.broadcast_to(cells[box], len(of_box))
            rows = near[real]
            columns = [*(digits[rows] for digits in combinations.digits), of_box, cell]
            parts.append(np.column_stack(columns)[of_box >= 0])
        pairs = np.concatenate(parts)
        seen = np.zeros(size + 1, dtype=np.int64)
        for table, keys in ((_TABLE, list(names)), (_SAMPLES, [*names, "level"])):
            some = pairs[(pairs[:, -2] == 0) == (table == _TABLE)]
            if not len(some):
                continue
            handed = dict(zip([*names, "level", "item"], some.T, strict=True))
            same = " AND ".join(f"r.{key} = p.{key}" for key in keys) or "true"
            found = self._ask(
                "p.item, count(DISTINCT r.person) AS n",
                f"{table} r JOIN {self.records.pairs_name} p",
                f"ON {same} GROUP BY p.item",
                {name: column.astype(self._types.get(name, "int32")) for name, column in handed.items()},
            )
            seen[found["item"]] = found["n"]
        return seen

    def _count(self, names: Sequence[str], sums: Sequence[str]) -> dict[str, IntArray]:
        """Records, and sums, for each combination of some columns; each is asked for once."""
        key = (*names, "", *sums)
        if key not in self._counts:
            added_up = [f"coalesce(sum({_quoted(one)}), 0) AS {_quoted(one)}" for one in sums]
            columns = [*names, "count(*) AS n", *added_up]
            by = f"GROUP BY {', '.join(names)}" if names else ""
            self._counts[key] = self._ask(", ".join(columns), _TABLE, by)
        return self._counts[key]

    def _combinations(self, design: SourceDesign, grid: Grid, found: Mapping[str, IntArray]) -> _Combinations:
        digits = tuple(found[self._column(design, side.axis)] for side in grid.sides)
        atoms = np.zeros(len(found["n"]), dtype=np.int64)
        for side, numbers in zip(grid.sides, digits, strict=True):
            _, own = self._own(design.order[side.axis])
            atoms = (
                atoms * side.members.shape[1] + side.atoms[design.categories[side.axis][own.classes]][numbers]
            )
        return _Combinations(digits, atoms)

    def _column(self, design: SourceDesign, axis: int) -> str:
        return f"d{self._own(design.order[axis])[0]}"

    def _own(self, variable: str) -> tuple[int, Digit]:
        return next((at, one) for at, one in enumerate(self.digits) if one.variable.name == variable)

    def _within(self, restriction: Restriction) -> str:
        """The condition that a record is in one of the classes of each variable."""
        found = ["true"]
        for variable, classes in restriction.items():
            place, own = self._own(variable)
            numbers = ", ".join(map(str, np.flatnonzero(classes[own.classes]).tolist()))
            found.append(f"d{place} IN ({numbers})" if numbers else "false")
        return " AND ".join(found)

    def _ask(
        self, what: str, tables: str, rest: str, pairs: Mapping[str, NDArray[Any]] | None = None
    ) -> dict[str, IntArray]:
        """The answer to a query of our own tables, in which there are only numbers and names of ours."""
        sql = f"SELECT {what} FROM {tables} {rest}"  # noqa: S608
        return self.records.own_integers(sql, pairs=pairs)


def encode_records(
    records: Records, plan: Plan, minimum: int, keys: RecordKeys | None = None
) -> EncodedRecords:
    """Reads the columns once, and keeps each record as the numbers of its classes.

    keys: how record keys are made, where there are to be any; cells sum them like a measure.
    """
    extra = measure_columns(records, plan)
    if keys is not None:
        extra[column_of(KEY, "total")] = keys.expression(records)
    if plan.source.said.person:
        person = person_of(records, plan.source.said.person)
        text = person if person.type().is_string() else person.cast("string")
        extra["person"] = ibis.ifelse(text.isnull(), ibis.null("uint64"), _digest(text))
    stage = staged(records, list(plan.variables.values()), extra)
    columns = {f"d{place}": own.value.cast(_small(own)) for place, own in enumerate(stage.digits)}
    columns |= {name: stage.table[name] for name in extra}
    query = stage.table.select(**(columns or {"one": ibis.literal(1)}))
    table = records.keep(_TABLE, query)
    encoded = EncodedRecords(records, plan, stage.digits, records.size(table), 0)
    if not plan.source.said.person:
        return encoded
    samples = _thin(records, table, list(columns), encoded.size, minimum)
    return replace(encoded, samples=samples)


def _thin(records: Records, table: Any, columns: Sequence[str], size: int, minimum: int) -> int:
    """Keeps samples of the persons, each of one in four of the one before; how many there are."""
    samples = 0
    while size / THINNER ** (samples + 1) > SAMPLE * minimum:
        samples += 1
    if not samples:
        return 0
    kept = [name for name in columns if name == "person" or name.startswith("d")]
    # The digest's last bits draw the sample; a record belongs to all samples up to the level of its person.
    # The first is kept on its own, so that the others are drawn from a quarter of the records.
    first = records.keep(_FIRST, table.filter(table["person"] % THINNER == 0).select(*kept))
    levels = [
        first.filter(first["person"] % THINNER**level == 0).select(*kept, level=ibis.literal(level, "int32"))
        for level in range(1, samples + 1)
    ]
    records.keep(_SAMPLES, ibis.union(*levels, distinct=False) if len(levels) > 1 else levels[0])
    return samples


def _small(own: Digit) -> str:
    """The smallest type that holds a digit."""
    return "uint8" if own.size <= 1 << 8 else "uint16" if own.size <= 1 << 16 else "uint32"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
