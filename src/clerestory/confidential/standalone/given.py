"""Tables that somebody else protected: which cells they show, which they hide, and what adds up to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from clerestory.confidential.standalone.cellvalues import (
    BoolArray,
    CellValues,
    Knowledge,
    read_counts,
    read_sums,
)
from clerestory.confidential.standalone.hierarchy import Tree
from clerestory.confidential.standalone.reading import Columns
from clerestory.confidential.standalone.shape import dimension, linked, unknown_codes
from clerestory.confidential.standalone.signs import UNBOUNDED
from clerestory.errors import InputError
from clerestory.tables import MISSING, RECORDS, TOTAL, CellSpace, Dimension, PublicCells, Unit
from clerestory.tables.space import IntArray


class Absent(StrEnum):
    """What it means that a cell has no row in the table."""

    UNPUBLISHED = "unpublished"
    ZERO = "zero"
    HIDDEN = "hidden"


@dataclass(frozen=True, eq=False)
class TableRead:
    """One of the tables: its columns, the dimensions it has (others are totals), its value and status."""

    columns: Columns
    dims: tuple[str, ...]
    value: str
    status: str | None


@dataclass(frozen=True, eq=False)
class GivenTable:
    """The tables as a reader has them. coords: (rows, dimensions) node positions of each row that counts;
    cells: (rows,) positions in public; hidden: (rows,) whether the row hides its number.

    A cell may stand in several rows (a region with one county, two tables): it is hidden only if all of them
    hide it. least, greatest: (cells,) what signs say of a hidden number, UNBOUNDED for no greatest; known:
    whether they say anything. signs: what stood for hidden numbers; status_words: of hidden cells; bare: rows
    that hide a number and yet hold it. absent: how many cells of the full cross have no row and so are taken
    as unpublished. sums: whether it is no count; decimals: of the values, which are whole multiples of
    10 ** -decimals; slack: by how many of these a shown value may be off.
    """

    public: PublicCells
    dimensions: tuple[Dimension, ...]
    coords: IntArray
    cells: IntArray
    hidden: BoolArray
    least: IntArray
    greatest: IntArray
    signs: tuple[str, ...]
    status_words: tuple[str, ...]
    bare: int
    absent: int
    sums: bool
    decimals: int
    slack: int

    @property
    def known(self) -> bool:
        """Whether a sign says something of a hidden number."""
        return bool(np.any(self.least > 1) or np.any(self.greatest != UNBOUNDED))

    def where(self, row: int) -> dict[str, str]:
        """The codes of a row, by dimension."""
        return {d.name: d.nodes[node].code for d, node in zip(self.dimensions, self.coords[row], strict=True)}


def given_table(
    tables: Sequence[TableRead],
    dims: Sequence[str],
    *,
    name: str,
    trees: Mapping[str, Tree],
    totals: frozenset[str],
    knowledge: Knowledge,
    absent: Absent,
    without_total: Sequence[str] = (),
    sums: bool = False,
    decimals: int | None = None,
    rounded: bool = False,
) -> GivenTable:
    """The cells of all tables together. totals: codes of totals, in lower case. without_total: dimensions of
    which the tables have no totals. decimals: of sums, None for as many as they have. rounded: shown sums may
    be off by half a unit of their last digit, so they need not add up.

    Raises InputError for codes that a hierarchy does not have, a cell that stands twice in a table, a cell
    that one row shows and another shows differently, and values that are neither numbers nor signs of hiding.
    """
    for table in tables:
        if not table.columns.rows:
            raise InputError("there are no rows", where=table.columns.where, fix="check the file")
    kept_decimals = 0
    if sums:
        columns = [(table.columns, table.value, table.status) for table in tables]
        values, kept_decimals = read_sums(columns, knowledge, decimals, finer=int(rounded))
    else:
        values = [read_counts(table.columns, table.value, table.status, knowledge) for table in tables]
    _signs_found(tables, values, knowledge)
    dimensions = tuple(_dimension(tables, d, trees.get(d), totals) for d in dims)
    placed = [_coords(table, dimensions, totals) for table in tables]
    for table, coords in zip(tables, placed, strict=True):
        _refuse_twice(table, coords)
        _refuse_no_total(table, coords, dims, [*trees, *without_total])
    here = [~part.out for part in values]
    coords = np.concatenate([c[kept] for c, kept in zip(placed, here, strict=True)])

    def together(name: str) -> IntArray:
        return np.concatenate([getattr(v, name)[kept] for v, kept in zip(values, here, strict=True)])

    numbers, hidden = together("numbers"), together("hidden").astype(bool)
    least, greatest = together("least"), together("greatest")
    margins = [[dims[int(k)] for k in np.flatnonzero(row)] for row in np.unique(coords > 0, axis=0)]
    unit = Unit("sum", tables[0].value, (0, 1)) if sums else RECORDS
    space = linked(name, dimensions, margins, unit)
    more = _absent(space, dimensions, coords)
    if absent is not Absent.UNPUBLISHED:
        coords = np.concatenate([coords, more])
        numbers = np.concatenate([numbers, np.zeros(len(more), dtype=np.int64)])
        hidden = np.concatenate([hidden, np.full(len(more), absent is Absent.HIDDEN)])
        least = np.concatenate([least, np.zeros(len(more), dtype=np.int64)])
        greatest = np.concatenate([greatest, np.full(len(more), UNBOUNDED)])
        more = more[:0]
    at = _cells(space, dimensions, coords)
    kept, place = np.unique(at, return_inverse=True)
    place = place.ravel()
    cell_values, seen = np.zeros(len(kept), dtype=np.int64), np.zeros(len(kept), dtype=bool)
    cell_values[place[~hidden]] = numbers[~hidden]
    seen[place[~hidden]] = True
    different = np.flatnonzero(~hidden & (cell_values[place] != numbers))
    if len(different):
        codes = {d.name: d.nodes[c].code for d, c in zip(dimensions, coords[different[0]], strict=True)}
        raise InputError(
            "two rows of this cell (in two tables, or a category and its only part) show different numbers",
            where=f"{tables[0].columns.where}, {said_where(codes)}",
            fix="correct the tables or the hierarchy",
        )
    low, high = _of_cells(place, len(kept), least, greatest)
    return GivenTable(
        public=PublicCells(_part(space, kept), cell_values, ~seen, knowledge.zeros_shown),
        dimensions=dimensions,
        coords=coords,
        cells=place,
        hidden=hidden,
        least=np.where(seen, 0, low),
        greatest=np.where(seen, UNBOUNDED, high),
        signs=tuple(sorted({sign for part in values for sign in part.signs})),
        status_words=tuple(sorted({word for part in values for word in part.words})),
        bare=sum(part.bare for part in values),
        absent=len(more),
        sums=sums,
        decimals=kept_decimals,
        slack=5 if rounded else 0,
    )


def said_where(codes: Mapping[str, str]) -> str:
    """A cell in words: the codes that are no totals."""
    return ", ".join(f"{name} {code}" for name, code in codes.items() if code != TOTAL) or "the total"


def _of_cells(place: IntArray, cells: int, least: IntArray, greatest: IntArray) -> tuple[IntArray, IntArray]:
    """(cells,) the closest bounds that any row of a cell gives."""
    endless = np.iinfo(np.int64).max
    low, high = np.zeros(cells, dtype=np.int64), np.full(cells, endless)
    np.maximum.at(low, place, least)
    np.minimum.at(high, place, np.where(greatest == UNBOUNDED, endless, greatest))
    return low, np.where(high == endless, UNBOUNDED, high)


def _signs_found(tables: Sequence[TableRead], values: Sequence[CellValues], knowledge: Knowledge) -> None:
    """Raises InputError if a sign that was named stands in no table: mistyped, it would weaken the attack."""
    there = {sign.lower() for part in values for sign in (*part.signs, *part.words)}
    for what, signs in (("small", knowledge.small), ("large", knowledge.large)):
        lacking = sorted(signs - there)
        if lacking:
            raise InputError(
                f"no hidden cell carries the sign {lacking[0]!r} for {what} counts",
                where=tables[0].columns.where,
                fix=f"check --{what}; the signs are: {', '.join(repr(sign) for sign in sorted(there))}",
            )


def _dimension(
    tables: Sequence[TableRead], name: str, tree: Tree | None, totals: frozenset[str]
) -> Dimension:
    """The dimension over the codes that any of the tables has."""
    used: set[str] = set()
    for table in tables:
        if name not in table.dims:
            continue
        column = table.columns[name]
        texts = (*column.texts, "")
        here = {texts[place] for place in np.unique(column.places)}
        codes = {text or MISSING for text in here if text.lower() not in totals}
        if tree is not None:
            inside = {code for path in tree.paths.values() for code in path}
            strange = sorted(codes - inside - {MISSING})
            if strange:
                raise unknown_codes(table.columns, name, strange)
        used |= codes
    missing = MISSING in used
    used.discard(MISSING)
    if tree is None and not used and not missing:
        where = next(table.columns.where for table in tables if name in table.dims)
        raise InputError(
            "every row is a total", where=f"{where}, column {name!r}", fix="leave this dimension out"
        )
    return dimension(name, sorted(used), tree, missing=missing)


def _coords(table: TableRead, dimensions: Sequence[Dimension], totals: frozenset[str]) -> IntArray:
    """(rows, dimensions) the node of each row; the total of a dimension that the table does not have."""
    found = []
    for d in dimensions:
        if d.name not in table.dims:
            found.append(np.zeros(table.columns.rows, dtype=np.int64))
            continue
        column = table.columns[d.name]
        place = {node.code: position for position, node in enumerate(d.nodes)}
        nodes = [
            0 if text.lower() in totals else place.get(text or MISSING, -1) for text in (*column.texts, "")
        ]
        found.append(np.array(nodes, dtype=np.int64)[column.places])
    return np.column_stack(found)


def _refuse_twice(table: TableRead, coords: IntArray) -> None:
    _, first, inverse = np.unique(coords, axis=0, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[inverse.ravel()] != np.arange(len(coords)))
    if len(again):
        raise InputError(
            f"{table.columns.numbers(again)} stand for a cell that another row stands for",
            where=f"{table.columns.where}, dimensions {', '.join(table.dims)}",
            fix="name every dimension of the table in --dims, and its code for totals with --total",
        )


def _refuse_no_total(table: TableRead, coords: IntArray, dims: Sequence[str], free: Sequence[str]) -> None:
    for k, d in enumerate(dims):
        if d not in free and not np.any(coords[:, k] == 0):
            # A total taken for a category would link nothing, and everything hidden would seem safe.
            raise InputError(
                f"no row is a total of {d!r}",
                where=f"{table.columns.where}, column {d!r}",
                fix=f"name its code with --total; if the table has no totals over it, say --no-total {d}",
            )


def _cells(space: CellSpace, dimensions: Sequence[Dimension], coords: IntArray) -> IntArray:
    """(rows,) the cell of each coordinate."""
    layout = space.layouts[0]
    known, asked = np.zeros(len(layout.coords), dtype=np.int64), np.zeros(len(coords), dtype=np.int64)
    for k, d in enumerate(dimensions):
        known = known * len(d.nodes) + layout.coords[:, k]
        asked = asked * len(d.nodes) + coords[:, k]
    order = np.argsort(known)
    return np.asarray(layout.cells[order[np.searchsorted(known[order], asked)]])


def _absent(space: CellSpace, dimensions: Sequence[Dimension], coords: IntArray) -> IntArray:
    """(n, dimensions) the cells of the full cross that have no row.

    Groups that stand in no row at all are not in the table, so none of their cells is among them.
    """
    layout = space.layouts[0]
    lacks = ~np.isin(layout.cells, _cells(space, dimensions, coords))
    for k, d in enumerate(dimensions):
        lacks &= np.isin(layout.coords[:, k], [*np.unique(coords[:, k]), *d.leaves()])
    return layout.coords[lacks].astype(np.int64)


def _part(space: CellSpace, kept: IntArray) -> CellSpace:
    """The space of these cells alone."""
    position = np.full(len(space), -1, dtype=np.int64)
    position[kept] = np.arange(len(kept))
    layout = space.layouts[0]
    there = position[layout.cells] >= 0
    return replace(
        space,
        cells=space.cells[kept],
        units=space.units[kept],
        blocks=((),),
        layouts=(replace(layout, coords=layout.coords[there], cells=position[layout.cells[there]]),),
    )
