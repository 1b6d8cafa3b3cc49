"""A second attacker, written from the definitions alone; it knows nothing of the package it attacks.

Given what a reader has: the published rows of all tables of a source (hidden values are None), the trees of
their dimensions, and the policy that the publisher states. Nothing else.

**The defined attacker (level 2).** A published cell is a box: a unit, and a set of finest categories on each
axis. Unknown are the cells that are not shown, as integers. Known about them:

1. every linear relation that holds among published boxes whatever the population is (the left null space of
   the matrix of cells by finest cells, found exactly, so none that a table's layout suggests is missed and
   none of it has to be spelled out), with the shown values put in; where people overlap on an axis, of the
   boxes that are equal there;
2. a hidden cell is at least 1 (of a sum: what one record adds at least) where zeros are always shown, else at
   least 0; where k > 1 records of anything may be the reader's own, at least k; a rounded one is within what
   the method says;
3. what is left of a published box after taking away published boxes that are disjoint parts of it along one
   axis (all other axes equal) is a count, hence at least 0, published or not; where people overlap, a part is
   at most the whole, and parts that make up the whole come to at least that;
4. persons in a box are at most the records in the same box; a sum is at least, and at most, so many times
   the records in its box as one record can add.

The feasibility interval of a hidden cell is the range of its values over all integer solutions. A release is
*broken* for this attacker if an interval is narrower than the policy's width (of a sum: times the most that
one record adds); or if a small count (1 to minimum_count - 1) is shown; or if what is left of a shown box,
after taking away shown disjoint parts along one axis, is small (the sum of all hidden children on a line, and
what a restricted table leaves over); or if a box hidden in one unit is shown, and not zero, in a linked unit;
or if of a group of people, published beside its part in a sensitive category, too few can be elsewhere.

`finest_intervals` is a stronger attacker (level 3, whole tables of finest cells behind the margins): for
reporting a rate only; counts only, and no overlapping persons.

Two solvers that share no code decide: integer programming (HiGHS) and exhaustive search with propagation.
Every solution that is used is checked in exact integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from tests.attacker.knowledge import (
    Line,
    System,
    disjoint_families,
    incidence,
    overlapping,
    parts_along_one_axis,
    system_of,
)
from tests.attacker.published import Cell, Inconsistent, Release, cells_of
from tests.attacker.solvers import Bounds, ExhaustiveSearch, IntegerProgram, Interval, propagate


class SolversDisagree(AssertionError):
    """Integer programming and exhaustive search give different answers: a mistake in this file."""


@dataclass(frozen=True)
class SmallSum:
    """A small count that subtraction gives: `whole` less `parts`, all of them shown."""

    whole: str
    parts: tuple[str, ...]
    value: int


@dataclass(frozen=True)
class Findings:
    """All that the defined attacker has against a release."""

    narrow: Mapping[str, Interval]
    small_shown: tuple[str, ...]
    small_sums: tuple[SmallSum, ...]
    open_units: tuple[str, ...]
    all_in_one: Mapping[str, int] = field(default_factory=dict)

    @property
    def broken(self) -> bool:
        parts = (self.narrow, self.small_shown, self.small_sums, self.open_units, self.all_in_one)
        return any(bool(part) for part in parts)


@dataclass(frozen=True)
class _Component:
    """Unknowns that bound each other, renumbered from 0; known: those that propagation fixes alone."""

    unknown: tuple[int, ...]
    lines: tuple[Line, ...]
    bounds: tuple[tuple[int, int | None], ...]


def _components(system: System) -> tuple[Bounds, list[_Component]]:
    bounds = propagate(system.lines, dict(enumerate(system.bounds)))
    if bounds is None:
        raise Inconsistent("no table fits what is published")
    fixed = {k: lo for k, (lo, hi) in bounds.items() if lo == hi}
    leader = {k: k for k in bounds if k not in fixed}

    def top(k: int) -> int:
        while leader[k] != k:
            leader[k] = leader[leader[k]]
            k = leader[k]
        return k

    rest: list[Line] = []
    for line in system.lines:
        shift = sum(c * fixed[k] for k, c in line.terms.items() if k in fixed)
        terms = {k: c for k, c in line.terms.items() if k not in fixed}
        least = None if line.least is None else line.least - shift
        most = None if line.most is None else line.most - shift
        if not terms:
            if (least is not None and least > 0) or (most is not None and most < 0):
                raise Inconsistent("no table fits what is published")
            continue
        rest.append(Line(terms, least, most))
        first, *others = terms
        for k in others:
            leader[top(k)] = top(first)
    groups: dict[int, list[int]] = {}
    for k in leader:
        groups.setdefault(top(k), []).append(k)
    components = []
    for head, members in groups.items():
        place = {k: i for i, k in enumerate(members)}
        lines = tuple(
            Line({place[k]: c for k, c in line.terms.items()}, line.least, line.most)
            for line in rest
            if top(next(iter(line.terms))) == head
        )
        components.append(_Component(tuple(members), lines, tuple(bounds[k] for k in members)))
    return bounds, components


def _exact(component: _Component, program: IntegerProgram, i: int, *, search_nodes: int) -> Interval:
    """The interval of unknown i of a component, by integer programming, confirmed by exhaustive search."""
    low = program.extreme({i: 1}, -1)[i]
    high = None if program.unlimited({i: 1}) else program.extreme({i: 1}, 1)[i]
    found = Interval(low, high)
    search = ExhaustiveSearch(component.lines, dict(enumerate(component.bounds)), nodes=search_nodes)
    other = search.interval(i) if search_nodes else None
    if other is not None and other != found:
        raise SolversDisagree(f"integer programming says {found}, exhaustive search {other}")
    return found


def intervals(release: Release, *, search_nodes: int = 400) -> dict[str, Interval]:
    """The exact feasibility interval of every hidden cell, by label."""
    return intervals_of(system_of(release), search_nodes=search_nodes)


def intervals_of(system: System, *, search_nodes: int = 400) -> dict[str, Interval]:
    """The same from what is known, which may be more than a release says."""
    bounds, components = _components(system)
    found = {k: Interval(lo, hi) for k, (lo, hi) in bounds.items() if lo == hi}
    for component in components:
        program = IntegerProgram(component.lines, component.bounds)
        for i, k in enumerate(component.unknown):
            found[k] = _exact(component, program, i, search_nodes=search_nodes)
    return {system.cells[cell].label: found[k] for k, cell in enumerate(system.unknown)}


def narrow_cells(release: Release, *, search_nodes: int = 400) -> dict[str, Interval]:
    """The hidden cells with an interval narrower than the policy's width, each with its exact interval.

    A cell is passed over only if two checked integer solutions differ by the width there, or if it has no
    upper limit; for each one returned no such pair exists.
    """
    system = system_of(release)
    widths = [_width(release, system.cells[cell]) for cell in system.unknown]
    bounds, components = _components(system)
    found = {k: Interval(lo, lo) for k, (lo, hi) in bounds.items() if lo == hi and widths[k] > 0}
    for component in components:
        program = IntegerProgram(component.lines, component.bounds)
        n = len(component.unknown)
        least: list[int] | None = None
        most: list[int] = []

        def saw(values: Sequence[int], n: int = n) -> None:
            nonlocal least, most
            least = list(values) if least is None else [min(a, b) for a, b in zip(least, values, strict=True)]
            most = list(values) if not most else [max(a, b) for a, b in zip(most, values, strict=True)]

        for i in range(n):
            width = widths[component.unknown[i]]
            if least is not None and most[i] - least[i] >= width:
                continue
            saw(program.extreme({i: 1}, -1))
            assert least is not None
            if most[i] - least[i] >= width or program.unlimited({i: 1}):
                continue
            saw(program.extreme({i: 1}, 1))
            if most[i] - least[i] >= width:
                continue
            exact = Interval(least[i], most[i])
            search = ExhaustiveSearch(component.lines, dict(enumerate(component.bounds)), nodes=search_nodes)
            other = search.interval(i) if search_nodes else None
            if other is not None and other != exact:
                raise SolversDisagree(f"integer programming says {exact}, exhaustive search {other}")
            found[component.unknown[i]] = exact
    cells = {k: system.cells[system.unknown[k]] for k in sorted(found)}
    return {cell.label: found[k] for k, cell in cells.items() if not _no_secret(release, cell, found[k])}


def _width(release: Release, cell: Cell) -> int:
    """How far apart two values of a cell that is not shown must be."""
    return release.facts.width * release.facts.unit(cell.unit).most


def _no_secret(release: Release, cell: Cell, found: Interval) -> bool:
    """Whether a number that is rounded cannot be a small count, so that it may be told as well as it is."""
    small = (release.facts.minimum_count - 1) * release.facts.unit(cell.unit).most
    return cell.rounded and (found.low > small or found.high == 0)


def small_sums(release: Release) -> tuple[SmallSum, ...]:
    """Small counts that are a shown cell less shown disjoint parts of it along one axis."""
    shown = [cell for cell in cells_of(release) if cell.value is not None]
    found: dict[tuple[str, int], SmallSum] = {}

    def left(whole: Cell, parts: Sequence[Cell], *, beyond: bool = False) -> None:
        value = (whole.value or 0) - sum(part.value or 0 for part in parts)
        value = -value if beyond else value
        if 0 < value < release.facts.minimum_count * release.facts.unit(whole.unit).least:
            names = tuple(part.label for part in parts)
            found.setdefault((whole.label, value), SmallSum(whole.label, names, value))

    for whole, axis, inside in parts_along_one_axis(shown):
        twice = overlapping(release, shown[whole], axis)
        if twice:
            for i in inside:
                left(shown[whole], [shown[i]])
        for family in disjoint_families([shown[i].box[axis] for i in inside]):
            parts = [shown[inside[k]] for k in family]
            complete = frozenset().union(*(part.box[axis] for part in parts)) == shown[whole].box[axis]
            if not twice or complete:
                left(shown[whole], parts, beyond=twice)
    return tuple(found.values())


def open_units(release: Release) -> tuple[str, ...]:
    """Cells shown, and not zero, whose box is hidden in a linked unit."""
    cells = [cell for cell in cells_of(release) if not cell.rounded]
    linked = {unit for pair in release.facts.at_most for unit in pair} | set(release.facts.units)
    hidden = {cell.box for cell in cells if cell.value is None and cell.unit in linked}
    return tuple(cell.label for cell in cells if cell.value and cell.unit in linked and cell.box in hidden)


def attack(release: Release, *, search_nodes: int = 400) -> Findings:
    """Everything the defined attacker has against a release."""
    return Findings(
        narrow=narrow_cells(release, search_nodes=search_nodes),
        small_shown=tuple(
            cell.label
            for cell in cells_of(release)
            if cell.value is not None
            and 0 < cell.value < release.facts.minimum_count
            and release.facts.unit(cell.unit).kind != "sum"
        ),
        small_sums=small_sums(release),
        open_units=open_units(release),
        all_in_one=all_in_one(release),
    )


def all_in_one(release: Release) -> dict[str, int]:
    """Parts of groups in a sensitive category, with the most people who can be elsewhere in the group.

    Only those where that is fewer than the table asks for; a group that is shown to be nobody is no group.
    """
    pairs = _attribute_pairs(release)
    if not pairs:
        return {}
    system = system_of(release)
    number = {(system.cells[c].unit, system.cells[c].box): k for k, c in enumerate(system.unknown)}
    shown = {(cell.unit, cell.box): cell.value for cell in system.cells if cell.value is not None}
    bounds, _ = _components(system)
    program = IntegerProgram(system.lines, [bounds[k] for k in range(len(system.unknown))])
    found: dict[str, int] = {}
    for group, part, asked in pairs:
        if shown.get((group.unit, group.box)) == 0:
            continue
        constant, objective = 0, {}
        for cell, sign in ((group, 1), (part, -1)):
            key = (cell.unit, cell.box)
            if key in shown:
                constant += sign * (shown[key] or 0)
            else:
                objective[number[key]] = sign
        if objective:
            if program.unlimited(objective):
                continue
            values = program.extreme(objective, 1)
            constant += sum(c * values[i] for i, c in objective.items())
        if constant < asked:
            found[part.label] = constant
    return found


def _attribute_pairs(release: Release) -> list[tuple[Cell, Cell, int]]:
    """(group, its part in a category, how many must be able to be elsewhere), each pair of cells once."""
    found: dict[tuple[str, object, object], tuple[Cell, Cell, int]] = {}
    for table in release.tables:
        rows = {frozenset(row.codes.items()): row for row in table.rows}
        for dimension, asked in table.attributes.items():
            for codes, row in rows.items():
                above = frozenset(item for item in codes if item[0] != dimension)
                if above == codes or above not in rows:
                    continue
                pair = cells_of(replace(release, tables=(replace(table, rows=(rows[above], row)),)))
                if len(pair) != 2:
                    continue
                group, part = pair
                key = (group.unit, group.box, part.box)
                before = found.get(key)
                found[key] = (group, part, max(asked, before[2] if before else 0))
    return list(found.values())


def by_counting(system: System, ceiling: int) -> dict[str, Interval]:
    """Intervals by going through every assignment of floor..ceiling to the unknowns: no thought at all."""
    choices = [range(low, ceiling + 1) for low, _ in system.bounds]
    solutions = [v for v in product(*choices) if system.fits(v)]
    if not solutions:
        raise Inconsistent("no table fits what is published")
    return {
        system.cells[cell].label: Interval(min(v[k] for v in solutions), max(v[k] for v in solutions))
        for k, cell in enumerate(system.unknown)
    }


def finest_intervals(release: Release, *, narrow_only: bool = False) -> dict[str, Interval]:
    """Level 3: intervals over all tables of finest cells, integers >= 0, behind the published cells.

    Stronger than the defined attacker; for reporting. narrow_only: only those narrower than the policy asks.
    Raises ValueError for sums and overlapping persons.
    """
    if any(unit.kind == "sum" or unit.overlapping for unit in release.facts.units.values()):
        raise ValueError("finest cells of sums and of overlapping persons are not linked here")
    cells = cells_of(release)
    units = list(dict.fromkeys(cell.unit for cell in cells))
    matrix = incidence(cells)
    size = matrix.shape[1]
    start = {unit: k * size for k, unit in enumerate(units)}

    def terms(i: int) -> dict[int, int]:
        return {start[cells[i].unit] + int(f): 1 for f in np.flatnonzero(matrix[i])}

    lines = [
        Line(
            terms(i),
            cell.low if cell.value is None else cell.value,
            cell.high if cell.value is None else cell.value,
        )
        for i, cell in enumerate(cells)
    ]
    for fewer, more in release.facts.at_most:
        if fewer in start and more in start:
            lines += [Line({start[more] + f: 1, start[fewer] + f: -1}, 0, None) for f in range(size)]
    bounds = propagate(lines, dict.fromkeys(range(size * len(units)), (0, None)))
    if bounds is None:
        raise Inconsistent("no table fits what is published")
    program = IntegerProgram(lines, [bounds[f] for f in range(len(bounds))])
    least: list[int] = []
    most: list[int] = []
    hidden = [i for i, cell in enumerate(cells) if cell.value is None]
    found: dict[str, Interval] = {}

    def saw(values: Sequence[int]) -> None:
        sums = [sum(values[f] for f in terms(i)) for i in hidden]
        least[:] = sums if not least else [min(a, b) for a, b in zip(least, sums, strict=True)]
        most[:] = sums if not most else [max(a, b) for a, b in zip(most, sums, strict=True)]

    for k, i in enumerate(hidden):
        if narrow_only and least and most[k] - least[k] >= release.facts.width:
            continue
        saw(program.extreme(terms(i), -1))
        if program.unlimited(terms(i)):
            if not narrow_only:
                found[cells[i].label] = Interval(least[k], None)
            continue
        saw(program.extreme(terms(i), 1))
        if not narrow_only or most[k] - least[k] < release.facts.width:
            found[cells[i].label] = Interval(least[k], most[k])
    return found
