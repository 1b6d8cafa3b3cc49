"""What adds up to what: every relation among the published cells of a source, as rows over the integers.

Each row says that a sum of non-negative integers, with signs, is zero. The variables are the published
cells, boxes that are not published but that published ones imply (rests, unions, atoms), and slacks.
Source of the linear formulation: Handbook on Statistical Disclosure Control, ch. 4 (feasibility intervals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clerestory.attack.families import Family, family
from clerestory.errors import InputError
from clerestory.tables import CellSpace, Spread
from clerestory.tables.space import IntArray


class Kind(IntEnum):
    """What a variable is."""

    CELL = 0
    """A published cell, at its position in the space."""
    BOX = 1
    """A box that is not published but can be worked out or bounded: an implied cell."""
    OVERLAP = 2
    """Persons that overlapping cells count twice, or in a parent but not in one child: an implied cell."""
    SLACK = 3
    """The room in an inequality that links units; not a count of anybody."""
    STEP = 4
    """A box between two tables that `where` restricts; only what it links is judged."""
    FORM = 5
    """A group less its part in one category of a sensitive attribute: must be able to be large enough."""


@dataclass(frozen=True, eq=False)
class Relations:
    """Rows of zero sums over non-negative integer variables; the first len(space) variables are its cells.

    matrix: (rows, variables) int64, matrix @ x = 0. kinds, units: (variables,). boxes: (variables, axes) set
    ids; ids from len(space.sets[axis]) on are sets nobody publishes. parents: (rows,) the variable that the
    others in a line add up to, -1 for a row that is no line. axes: (rows,) the axis of a line, else -1.
    sets: for each axis (set ids, categories) bool.
    """

    space: CellSpace
    matrix: csr_matrix
    kinds: NDArray[np.int8]
    units: NDArray[np.int32]
    boxes: NDArray[np.int32]
    parents: IntArray
    axes: IntArray
    sets: tuple[NDArray[np.bool_], ...]

    @property
    def variables(self) -> int:
        """How many variables there are."""
        return len(self.kinds)

    def factor(self, variables: IntArray) -> IntArray:
        """Largest contribution of one record to each of these variables, in its unit (1 for counts)."""
        greatest = [unit.bounds[1] if unit.kind == "sum" else 1 for unit in self.space.unit_list]
        return np.array(greatest or [1], dtype=np.int64)[self.units[variables]]

    def least(self) -> IntArray:
        """(variables,) the smallest value that one record or person gives."""
        smallest = [unit.bounds[0] if unit.kind == "sum" else 1 for unit in self.space.unit_list]
        return np.array(smallest or [1], dtype=np.int64)[self.units]

    def floor(self, public_zero: NDArray[np.bool_], insiders: int = 1) -> IntArray:
        """(variables,) the least that each can be if hidden. public_zero: (cells,) whether that may be 0.

        insiders: records of it that a reader may have himself; one is no more than what is known anyhow.
        """
        least = np.zeros(self.variables, dtype=np.int64)
        cells = len(self.space)
        one = np.maximum(self.least()[:cells], 1)
        least[:cells] = insiders * one if insiders > 1 else np.where(public_zero, 0, one)
        return least

    @property
    def forms(self) -> IntArray:
        """The variables of attribute rules, in the order of space.attribute_pairs."""
        return np.flatnonzero(self.kinds == Kind.FORM)

    def describe(self, variable: int) -> str:
        """Where a variable is, in words and without a value."""
        if variable < len(self.space):
            return self.space.describe(variable)
        if self.kinds[variable] == Kind.FORM:
            groups, parts, _ = self.space.attribute_pairs
            pair = int(np.searchsorted(self.forms, variable))
            group, part = (self.space.describe(int(cells[pair])) for cells in (groups, parts))
            return f"who of the group ({group}) is elsewhere than in ({part})"
        row, parent = self._line_of(variable)
        overlap = self.kinds[variable] == Kind.OVERLAP
        what = "an overlap of persons" if overlap else "a count implied"
        inside = self.space.describe(parent) if parent >= 0 else f"relation {row}"
        return f"{what} inside {inside}"

    def _line_of(self, variable: int) -> tuple[int, int]:
        by_column = self.matrix.tocsc()
        rows = by_column.indices[by_column.indptr[variable] : by_column.indptr[variable + 1]]
        for row in rows:
            inside = self.matrix.indices[self.matrix.indptr[row] : self.matrix.indptr[row + 1]]
            cells = inside[inside < len(self.space)]
            if len(cells):
                parent = int(self.parents[row])
                return int(row), parent if 0 <= parent < len(self.space) else int(cells[0])
        return int(rows[0]) if len(rows) else -1, -1


_ROUNDS = 4
"""How often boxes that lines imply are themselves put into lines; more would only tighten the attack."""


class _Books:
    """Numbers the sets of each axis, going on after the published ones."""

    def __init__(self, space: CellSpace) -> None:
        self.rows = [list(sets) for sets in space.sets]
        self._ids = [{np.packbits(row).tobytes(): i for i, row in enumerate(rows)} for rows in self.rows]

    def id(self, axis: int, members: NDArray[np.bool_]) -> int:
        key = np.packbits(members).tobytes()
        if key not in self._ids[axis]:
            self._ids[axis][key] = len(self.rows[axis])
            self.rows[axis].append(members)
        return self._ids[axis][key]


class _Rows:
    """Entries of a sparse matrix, gathered in bulk."""

    def __init__(self) -> None:
        self.count = 0
        self.parents: list[IntArray] = []
        self.axes: list[IntArray] = []
        self._parts: list[tuple[IntArray, IntArray, IntArray]] = []

    def add(self, parent: IntArray | None, terms: Sequence[tuple[IntArray, int]], axis: int = -1) -> None:
        size = len(terms[0][0])
        numbers = np.arange(self.count, self.count + size)
        for variables, factor in terms:
            self._parts.append((numbers, variables, np.full(size, factor, dtype=np.int64)))
        self.parents.append(np.full(size, -1, dtype=np.int64) if parent is None else parent)
        self.axes.append(np.full(size, axis, dtype=np.int64))
        self.count += size

    def entries(self) -> tuple[IntArray, IntArray, IntArray]:
        if not self._parts:
            empty = np.zeros(0, dtype=np.int64)
            return empty, empty, empty
        rows, variables, factors = zip(*self._parts, strict=True)
        return np.concatenate(rows), np.concatenate(variables), np.concatenate(factors)


class _Variables:
    """Boxes (cells first, the same box once) and slacks."""

    def __init__(self, keys: IntArray) -> None:
        self.keys = [keys]
        self.kinds = [np.full(len(keys), Kind.CELL, dtype=np.int8)]
        self.axes = [np.full(len(keys), -1, dtype=np.int64)]
        self.count = len(keys)

    def add(self, keys: IntArray, kind: Kind, axis: int = -1) -> IntArray:
        self.keys.append(keys)
        self.kinds.append(np.full(len(keys), kind, dtype=np.int8))
        self.axes.append(np.full(len(keys), axis, dtype=np.int64))
        self.count += len(keys)
        return np.arange(self.count - len(keys), self.count)


def relations(space: CellSpace) -> Relations:
    """Every relation of a space. Raises InputError for a sum of contributions that may be negative."""
    for unit in space.unit_list:
        if unit.kind == "sum" and unit.bounds[0] < 0:
            raise InputError(
                f"{unit.name}: a record may contribute less than zero",
                where=f"source {space.source!r}",
                fix="give the measure a lower bound of 0 or more, or publish counts only",
            )
    books = _Books(space)
    published = np.column_stack([space.cells, space.units]).astype(np.int64)
    steps = _stepping_stones(space, published)
    met = published[:0]
    for _ in range(_ROUNDS):
        variables, rows = _Variables(published), _Rows()
        variables.add(steps, Kind.STEP)
        variables.add(met, Kind.BOX)
        keys = np.concatenate(variables.keys)
        for axis in range(len(space.axes)):
            _axis_lines(space, axis, keys, books, variables, rows)
        more = _met_elsewhere(published, keys, variables)
        if not len(more):
            break
        met = np.concatenate([met, more])
    _unit_rows(space, keys, len(published), variables, rows)
    _form_rows(space, keys, variables, rows)
    return _assemble(space, variables, rows, books)


def _met_elsewhere(published: IntArray, keys: IntArray, variables: _Variables) -> IntArray:
    """The implied boxes that also stand in line with published cells along another axis than their own."""
    boxes = np.concatenate(variables.keys)
    kinds, axes = np.concatenate(variables.kinds), np.concatenate(variables.axes)
    useful = np.zeros(len(boxes), dtype=bool)
    for axis in range(published.shape[1] - 1):
        context = group(np.delete(boxes, axis, axis=1))
        useful |= (axes != axis) & np.isin(context, context[: len(published)])
    useful &= (kinds == Kind.BOX) & (axes >= 0)
    chosen = np.unique(boxes[useful], axis=0)
    labels = group(np.concatenate([keys, chosen]))
    return np.asarray(chosen[~np.isin(labels[len(keys) :], labels[: len(keys)])], dtype=np.int64)


def _stepping_stones(space: CellSpace, published: IntArray) -> IntArray:
    """Unpublished boxes between tables that `where` restricts on several axes at once.

    A table of boys in 2020 and one of everybody differ on two axes, so no line holds both; the boys of all
    years and everybody in 2020 stand between them.
    """
    roots: list[dict[bytes, NDArray[np.bool_]]] = [{} for _ in space.axes]
    for layout in space.layouts:
        for axis, where in enumerate(space.axes):
            chosen = layout.design.select.get(where.name)
            if chosen is not None:
                roots[axis][np.packbits(chosen).tobytes()] = chosen
    restricted = [axis for axis, sets in enumerate(roots) if sets]
    if len(restricted) < 2:
        return np.zeros((0, published.shape[1]), dtype=np.int64)
    ids = []
    for axis in range(len(space.axes)):
        known = {np.packbits(row).tobytes(): i for i, row in enumerate(space.sets[axis])}
        ids.append([0, *sorted({known[key] for key in roots[axis] if key in known} - {0})])
    found = [published[:0]]
    for chosen_axes in product(*[[None, *ids[axis]] for axis in restricted]):
        moved = published.copy()
        valid = np.ones(len(moved), dtype=bool)
        for axis, target in zip(restricted, chosen_axes, strict=True):
            if target is None:
                continue
            own = space.sets[axis][moved[:, axis]]
            valid &= ~np.any(own & ~space.sets[axis][target], axis=1)
            moved[:, axis] = target
        found.append(moved[valid])
    boxes = np.unique(np.concatenate(found), axis=0)
    _, inverse, counts = np.unique(
        np.concatenate([published, boxes]), axis=0, return_inverse=True, return_counts=True
    )
    new = counts[inverse.ravel()[len(published) :]] == 1
    return np.asarray(boxes[new], dtype=np.int64)


def group(columns: IntArray) -> IntArray:
    """(n,) numbers, equal where the rows of (n, k) non-negative integers are equal."""
    number = np.zeros(len(columns), dtype=np.int64)
    reach = 1
    for column in columns.T:
        span = int(column.max(initial=0)) + 1
        if reach * span >= 2**62:
            _, number = np.unique(number, return_inverse=True)
            number = number.ravel()
            reach = int(number.max(initial=0)) + 1
        number = number * span + column
        reach *= span
    return number


def _axis_lines(
    space: CellSpace, axis: int, keys: IntArray, books: _Books, variables: _Variables, rows: _Rows
) -> None:
    """Lines along one axis: the cells that differ there alone, in every context where two or more are."""
    _, context = np.unique(group(np.delete(keys, axis, axis=1)), return_inverse=True)
    order = np.lexsort((keys[:, axis], context.ravel()))
    sizes = np.bincount(context.ravel())
    starts = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    unit_column = keys.shape[1] - 1
    for size in np.unique(sizes[sizes > 1]):
        first = starts[sizes == size]
        members = order[first[:, None] + np.arange(size)]
        overlapping = np.array([space.axes[axis].name in axes for axes in space.overlapping])
        kind = np.column_stack([keys[members, axis], overlapping[keys[members[:, 0], unit_column]]])
        shapes, which = np.unique(kind, axis=0, return_inverse=True)
        for number, shape in enumerate(shapes):
            contexts = members[which.ravel() == number]
            structure = family(np.array([books.rows[axis][i] for i in shape[:-1]]))
            _family_rows(axis, keys, contexts, structure, bool(shape[-1]), books, variables, rows)


def _family_rows(
    axis: int,
    keys: IntArray,
    contexts: IntArray,
    structure: Family,
    overlapping: bool,
    books: _Books,
    variables: _Variables,
    rows: _Rows,
) -> None:
    """Rows of one family in all its contexts at once; contexts: (contexts, family) variables."""
    columns = list(contexts.T)
    for extra in structure.extra:
        boxes = keys[contexts[:, 0]].copy()
        boxes[:, axis] = books.id(axis, extra)
        columns.append(variables.add(boxes, Kind.BOX, axis))
    for parent, children in structure.lines:
        parts = [columns[child] for child in children]
        if not overlapping:
            rows.add(columns[parent], [(columns[parent], 1), *((part, -1) for part in parts)], axis)
            continue
        box = keys[contexts[:, 0]]
        twice = variables.add(box, Kind.OVERLAP)
        rows.add(None, [(columns[parent], -1), (twice, -1), *((part, 1) for part in parts)])
        # not only of direct parts: who has no record in a county of the state is a count too
        for part in _below(parent, structure.lines):
            elsewhere = variables.add(box, Kind.OVERLAP)
            rows.add(None, [(columns[parent], 1), (columns[part], -1), (elsewhere, -1)])


def _below(parent: int, lines: Sequence[tuple[int, tuple[int, ...]]]) -> list[int]:
    """The sets inside a set, by its lines and theirs, each once."""
    found: dict[int, None] = {}
    waiting = [parent]
    while waiting:
        above = waiting.pop()
        for head, children in lines:
            if head == above:
                waiting += [child for child in children if child not in found]
                found |= dict.fromkeys(children)
    return list(found)


def _unit_rows(space: CellSpace, keys: IntArray, cells: int, variables: _Variables, rows: _Rows) -> None:
    """Rows that link units of one box: persons <= records, least * records <= sum <= greatest * records."""
    box = group(keys[:cells, :-1])
    unit_of = keys[:cells, -1]
    counts = {kind: _where(space, unit_of, kind) for kind in ("records", "persons")}
    for number, unit in enumerate(space.unit_list):
        if unit.kind == "records":
            continue
        own = np.flatnonzero(unit_of == number)
        smaller, larger = _same_box(box, own, counts["records"])
        if unit.kind == "persons":
            seen = _recorded_there(space, number, smaller)
            smaller, larger = smaller[seen], larger[seen]
            room = variables.add(keys[smaller], Kind.SLACK)
            rows.add(None, [(larger, 1), (smaller, -1), (room, -1)])
            continue
        least, greatest = unit.bounds
        above = variables.add(keys[smaller], Kind.SLACK)
        rows.add(None, [(smaller, 1), (larger, -least), (above, -1)])
        below = variables.add(keys[smaller], Kind.SLACK)
        rows.add(None, [(larger, greatest), (smaller, -1), (below, -1)])
        if least:
            alone = np.setdiff1d(own, smaller)
            sums, persons = _same_box(box, alone, counts["persons"])
            own_unit = int(unit_of[persons[0]]) if len(persons) else number
            seen = _recorded_there(space, own_unit, persons)
            sums, persons = sums[seen], persons[seen]
            above = variables.add(keys[sums], Kind.SLACK)
            rows.add(None, [(sums, 1), (persons, -least), (above, -1)])


def _recorded_there(space: CellSpace, number: int, cells: IntArray) -> NDArray[np.bool_]:
    """(cells,) of a unit of persons: whether everybody who is counted there has a record there.

    Who is placed at his first or latest record on some axes and wherever he has a record on others can be
    counted where no record is: denied last, in another county. Not so in a box that holds all of the former
    axes, or all of the latter.
    """
    unit = space.unit_list[number]
    if not unit.overlapping or unit.assign is Spread.DISJOINT:
        return np.ones(len(cells), dtype=bool)
    placed, anywhere = np.ones((2, len(cells)), dtype=bool)
    for axis, where in enumerate(space.axes):
        # All that tables of the unit select is the whole axis: no record of it is elsewhere.
        selected = np.zeros(len(where.categories), dtype=bool)
        for layout in space.layouts:
            if layout.design.unit == unit:
                selected |= layout.design.select.get(where.name, True)
        whole = ~np.any(selected & ~space.sets[axis], axis=1)
        if where.name in unit.overlapping:
            anywhere &= whole[space.cells[cells, axis]]
        else:
            placed &= whole[space.cells[cells, axis]]
    return np.asarray(placed | anywhere)


def _form_rows(space: CellSpace, keys: IntArray, variables: _Variables, rows: _Rows) -> None:
    """One row a pair of an attribute rule: group - part - form = 0."""
    groups, parts, _ = space.attribute_pairs
    if len(groups):
        forms = variables.add(keys[parts], Kind.FORM)
        rows.add(None, [(groups, 1), (parts, -1), (forms, -1)])


def _where(space: CellSpace, unit_of: IntArray, kind: str) -> IntArray:
    numbers = [i for i, unit in enumerate(space.unit_list) if unit.kind == kind]
    return np.flatnonzero(np.isin(unit_of, numbers[:1]))


def _same_box(box: IntArray, left: IntArray, right: IntArray) -> tuple[IntArray, IntArray]:
    """The pairs of cells, one from each side, that share a box; a box stands at most once on a side."""
    _, here, there = np.intersect1d(box[left], box[right], assume_unique=True, return_indices=True)
    return left[here], right[there]


def _assemble(space: CellSpace, variables: _Variables, rows: _Rows, books: _Books) -> Relations:
    keys, kinds = np.concatenate(variables.keys), np.concatenate(variables.kinds)
    # One box is one variable wherever a line met it; overlaps and slacks belong to their own row.
    shared = (kinds == Kind.BOX) | (kinds == Kind.STEP)
    number = np.where(shared, 0, np.arange(len(keys)) + 1)
    labels = group(np.column_stack([keys, number]))
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    target, kept = place[inverse.ravel()], first[order]
    at, entries, factors = rows.entries()
    shape = (rows.count, len(kept))
    matrix = csr_matrix((factors, (at, target[entries])), shape=shape, dtype=np.int64)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    nothing = np.zeros(0, dtype=np.int64)
    parents = np.concatenate([nothing, *rows.parents])
    return Relations(
        space=space,
        matrix=matrix,
        kinds=kinds[kept],
        units=keys[kept, -1].astype(np.int32),
        boxes=keys[kept, :-1].astype(np.int32),
        parents=np.where(parents >= 0, target[parents], -1),
        axes=np.concatenate([nothing, *rows.axes]),
        sets=tuple(np.array(book) for book in books.rows),
    )
