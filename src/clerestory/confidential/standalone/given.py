"""A table that somebody else protected: which cells it shows, which it hides, and what adds up to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.standalone.reading import Columns, whole_number
from clerestory.confidential.standalone.shape import Tree, dimension, linked, unknown_codes
from clerestory.errors import InputError
from clerestory.tables import MISSING, TOTAL, CellSpace, Dimension, PublicCells
from clerestory.tables.space import IntArray

HIDING_SIGNS = frozenset(
    {"", "x", "*", "**", "s", "c", "-", "--", "–", "—", "..", "…", ":", ":c", "d", "(d)", "p", "na", "n/a"}
    | {"nan", "suppressed", "hidden", "secret", "confidential", "masked", "withheld"}
)
"""What stands for a hidden number in a value column, in lower case; besides an empty value."""
HIDING_STATUS = frozenset(
    {"hidden", "suppressed", "secret", "confidential", "masked", "withheld", "primary", "secondary"}
    | {"u", "x", "m", "d", "c", "*", "**", "1", "2"}
)
"""Status words of hidden cells, in lower case: ours, sdcTable's u and x, tau-ARGUS' u, m and x, and 1 and 2
of the CalHHS guidelines' annotation column."""
SHOWN_STATUS = frozenset(
    {"", "0", "shown", "published", "safe", "s", "v", "z", "e", "a", "incomplete", "unstable"} | {"4", "5"}
)
"""Status words of cells whose number is published."""
NOT_PUBLISHED = frozenset({"no-data", "3"})
"""Status words of cells that were not collected: nothing is said about them."""
_LISTED = 5


class Absent(StrEnum):
    """What it means that a cell has no row in the table."""

    UNPUBLISHED = "unpublished"
    ZERO = "zero"
    HIDDEN = "hidden"


@dataclass(frozen=True, eq=False)
class GivenTable:
    """The table as a reader has it. coords: (rows, dimensions) node positions of each row that counts;
    cells: (rows,) positions in public; hidden: (rows,) whether the row hides its number.

    A cell may stand in several rows (a region with one county): it is hidden only if all of them hide it.
    small: (rows,) whether the row's sign says that the number is small. signs: what stood for hidden numbers;
    status_words: words of the status column for hidden cells. absent: how many cells of the full cross have
    no row and so are taken as unpublished.
    """

    public: PublicCells
    dimensions: tuple[Dimension, ...]
    coords: IntArray
    cells: IntArray
    hidden: NDArray[np.bool_]
    small: NDArray[np.bool_]
    signs: tuple[str, ...]
    status_words: tuple[str, ...]
    absent: int

    def where(self, row: int) -> dict[str, str]:
        """The codes of a row, by dimension."""
        return {d.name: d.nodes[node].code for d, node in zip(self.dimensions, self.coords[row], strict=True)}


def given_table(
    read: Columns,
    dims: Sequence[str],
    *,
    name: str,
    value: str,
    status: str | None,
    trees: Mapping[str, Tree],
    totals: frozenset[str],
    zeros_shown: bool,
    absent: Absent,
    small: frozenset[str] = frozenset(),
    without_total: Sequence[str] = (),
) -> GivenTable:
    """The table's cells. totals: codes of totals; small: signs and status words that stand for small counts
    only; both in lower case. without_total: dimensions of which the table has no totals.

    Raises InputError for codes that a hierarchy does not have, a cell that stands twice, a cell that one row
    shows and another shows differently, and values that are neither whole numbers nor signs of hiding.
    """
    if not read.rows:
        raise InputError("there are no rows", where=read.where, fix="check the file")
    marks = [read[value], *([read[status]] if status is not None else [])]
    numbers, hidden, out, signs, words = _values(read, value, status, small)
    said_small = hidden & np.any(
        [np.array([t.lower() in small for t in (*mark.texts, "")])[mark.places] for mark in marks], axis=0
    )
    if small and not said_small.any():
        raise InputError(
            "no hidden cell carries the sign for small counts", where=read.where, fix="check --small"
        )
    found = [_dimension(read, d, trees.get(d), totals) for d in dims]
    dimensions = tuple(d for d, _ in found)
    coords = np.column_stack([nodes for _, nodes in found])
    _refuse_twice(read, coords, dims)
    for k, d in enumerate(dims):
        if d not in trees and d not in without_total and not np.any(coords[:, k] == 0):
            # A total taken for a category would link nothing, and everything hidden would seem safe.
            raise InputError(
                f"no row is a total of {d!r}",
                where=f"{read.where}, column {d!r}",
                fix=f"name its code with --total; if the table has no totals over it, say --no-total {d}",
            )
    here = np.flatnonzero(~out)
    coords, numbers, hidden, said_small = coords[here], numbers[here], hidden[here], said_small[here]
    margins = [[dims[int(k)] for k in np.flatnonzero(row)] for row in np.unique(coords > 0, axis=0)]
    space = linked(name, dimensions, margins)
    more = _absent(space, dimensions, coords)
    if absent is not Absent.UNPUBLISHED:
        coords = np.concatenate([coords, more])
        numbers = np.concatenate([numbers, np.zeros(len(more), dtype=np.int64)])
        hidden = np.concatenate([hidden, np.full(len(more), absent is Absent.HIDDEN)])
        more = more[:0]
        said_small = np.concatenate([said_small, np.zeros(len(coords) - len(said_small), dtype=bool)])
    at = _cells(space, dimensions, coords)
    kept, place = np.unique(at, return_inverse=True)
    values, seen = np.zeros(len(kept), dtype=np.int64), np.zeros(len(kept), dtype=bool)
    values[place[~hidden]] = numbers[~hidden]
    seen[place[~hidden]] = True
    different = np.flatnonzero(~hidden & (values[place] != numbers))
    if len(different):
        codes = {d.name: d.nodes[c].code for d, c in zip(dimensions, coords[different[0]], strict=True)}
        raise InputError(
            "two rows of this cell (a category and its only part) show different numbers",
            where=f"{read.where}, {said_where(codes)}",
            fix="correct the table or its hierarchy",
        )
    public = PublicCells(_part(space, kept), values, ~seen, zeros_shown)
    return GivenTable(public, dimensions, coords, place.ravel(), hidden, said_small, signs, words, len(more))


def said_where(codes: Mapping[str, str]) -> str:
    """A cell in words: the codes that are no totals."""
    return ", ".join(f"{name} {code}" for name, code in codes.items() if code != TOTAL) or "the total"


def _values(
    read: Columns, value: str, status: str | None, more: frozenset[str]
) -> tuple[IntArray, NDArray[np.bool_], NDArray[np.bool_], tuple[str, ...], tuple[str, ...]]:
    """(rows,) numbers, hidden, out (no row at all); the signs and status words of hidden cells."""
    column = read[value]
    texts = (*column.texts, "")
    parsed = [whole_number(text) for text in texts]
    signed = np.array([text.lower() in HIDING_SIGNS | more for text in texts])[column.places]
    good = np.array([number is not None and number >= 0 for number in parsed])[column.places]
    hidden, out = signed.copy(), np.zeros(read.rows, dtype=bool)
    words: tuple[str, ...] = ()
    if status is not None:
        known = read[status]
        codes = [text.lower() for text in (*known.texts, "")]
        strange = [c for c in codes if c not in HIDING_STATUS | SHOWN_STATUS | NOT_PUBLISHED | more]
        if strange:
            raise InputError(
                f"the status {strange[0]!r} is not known",
                where=f"{read.where}, column {status!r}",
                fix=f"hidden: {', '.join(sorted(HIDING_STATUS))}; shown: {', '.join(sorted(SHOWN_STATUS))}",
            )
        secret = np.array([code in HIDING_STATUS | more for code in codes])[known.places]
        out = np.array([code in NOT_PUBLISHED for code in codes])[known.places] & signed
        hidden = (hidden | secret) & ~out
        words = tuple(sorted({codes[place] for place in np.unique(known.places[secret])}))
    bad = np.flatnonzero(~good & ~signed & ~hidden)
    if len(bad):
        examples = sorted({column.text(int(row)) for row in bad})[:_LISTED]
        raise InputError(
            f"{read.numbers(bad)} hold neither a whole number nor a sign for a hidden one: {examples}",
            where=f"{read.where}, column {value!r}",
            fix=f"leave hidden values empty, or write one of: {' '.join(sorted(HIDING_SIGNS - {''}))}; "
            "a sign for small counts only, such as <11, can be named with --small",
        )
    numbers = np.array([number or 0 for number in parsed], dtype=np.int64)[column.places]
    signs = tuple(sorted({column.text(int(row)) for row in np.flatnonzero(signed & ~out)}))
    return np.where(hidden, 0, numbers), hidden, out, signs, words


def _dimension(
    read: Columns, name: str, tree: Tree | None, totals: frozenset[str]
) -> tuple[Dimension, IntArray]:
    """The dimension, and for every row the position of its node."""
    column = read[name]
    texts = (*column.texts, "")
    total = [text.lower() in totals for text in texts]
    codes = [text or MISSING for text in texts]
    used = {codes[place] for place in np.unique(column.places) if not total[place]}
    missing = MISSING in used
    used.discard(MISSING)
    if tree is not None:
        inside = {code for path in tree.paths.values() for code in path}
        strange = sorted(used - inside)
        if strange:
            raise unknown_codes(read, name, strange)
    if tree is None and not used and not missing:
        raise InputError(
            "every row is a total", where=f"{read.where}, column {name!r}", fix="leave this dimension out"
        )
    made = dimension(name, sorted(used), tree, missing=missing)
    place = {node.code: position for position, node in enumerate(made.nodes)}
    nodes = [0 if whole else place.get(code, -1) for whole, code in zip(total, codes, strict=True)]
    return made, np.array(nodes, dtype=np.int64)[column.places]


def _refuse_twice(read: Columns, coords: IntArray, dims: Sequence[str]) -> None:
    _, first, inverse = np.unique(coords, axis=0, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[inverse.ravel()] != np.arange(len(coords)))
    if len(again):
        raise InputError(
            f"{read.numbers(again)} stand for a cell that another row stands for",
            where=f"{read.where}, dimensions {', '.join(dims)}",
            fix="name every dimension of the table in --dims, and its code for totals with --total",
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
