"""What follows from published cells: every linear relation among boxes, and what disjoint parts leave."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tests.attacker.published import Box, Categories, Cell, Inconsistent, Release, cells_of


@dataclass(frozen=True)
class Line:
    """least <= sum(coefficient * unknown) <= most; None where there is no limit."""

    terms: Mapping[int, int]
    least: int | None
    most: int | None

    def holds(self, values: Sequence[int] | Mapping[int, int]) -> bool:
        total = sum(c * values[i] for i, c in self.terms.items())
        return (self.least is None or total >= self.least) and (self.most is None or total <= self.most)


@dataclass(frozen=True)
class System:
    """The cells that are not shown as unknowns 0..n-1, with their bounds, and everything known about them."""

    cells: tuple[Cell, ...]
    unknown: tuple[int, ...]
    bounds: tuple[tuple[int, int | None], ...]
    lines: tuple[Line, ...]

    def fits(self, values: Sequence[int]) -> bool:
        """Whether these values of the unknowns contradict nothing that is published."""
        inside = all(
            low <= v and (high is None or v <= high)
            for v, (low, high) in zip(values, self.bounds, strict=True)
        )
        return inside and all(line.holds(values) for line in self.lines)


def incidence(cells: Sequence[Cell]) -> NDArray[np.int64]:
    """(cells, kinds of finest cell) 0/1: which finest cells a box holds; indistinguishable ones merged."""
    matrix = np.ones((len(cells), 1), dtype=np.int64)
    for axis in range(len(cells[0].box) if cells else 0):
        sets = list(dict.fromkeys(cell.box[axis] for cell in cells))
        kinds = {tuple(c in s for s in sets) for c in frozenset().union(*sets)}
        inside = np.array(sorted(kinds), dtype=np.int64).T[[sets.index(cell.box[axis]) for cell in cells]]
        matrix = (matrix[:, :, None] * inside[:, None, :]).reshape(len(cells), -1)
    return matrix


_PRIME = 2**31 - 1


def _rational(residue: int) -> Fraction | None:
    """The fraction of small numerator and denominator that is `residue` modulo the prime, if any."""
    limit = math.isqrt(_PRIME // 2)
    r0, r1, t0, t1 = _PRIME, residue % _PRIME, 0, 1
    while r1 > limit:
        q = r0 // r1
        r0, r1, t0, t1 = r1, r0 - q * r1, t1, t0 - q * t1
    if t1 == 0 or abs(t1) > limit:
        return None
    return Fraction(r1, t1)


def _whole_numbers(vector: Sequence[Fraction]) -> list[int]:
    scale = math.lcm(*(f.denominator for f in vector))
    numbers = [int(f * scale) for f in vector]
    divisor = math.gcd(*numbers) or 1
    return [n // divisor for n in numbers]


def relations(matrix: NDArray[np.int64]) -> list[list[int]]:
    """A basis, in integers, of all r with r @ matrix = 0.

    Elimination modulo a prime, fractions read back, every relation then checked in integers. The rank
    modulo a prime is never above the true one, so as many checked relations as the prime leaves are all.
    """
    work = np.unique(matrix.T, axis=0) % _PRIME
    n = matrix.shape[0]
    pivots: list[int] = []
    for column in range(n):
        top = len(pivots)
        candidates = np.flatnonzero(work[top:, column])
        if not len(candidates):
            continue
        chosen = top + int(candidates[0])
        work[[top, chosen]] = work[[chosen, top]]
        work[top] = work[top] * pow(int(work[top, column]), -1, _PRIME) % _PRIME
        factors = work[:, column].copy()
        factors[top] = 0
        touched = np.flatnonzero(factors)
        work[touched] = (work[touched] - factors[touched, None] * work[top][None, :]) % _PRIME
        pivots.append(column)
    found: list[list[int]] = []
    for free in sorted(set(range(n)) - set(pivots)):
        vector = [Fraction(0)] * n
        vector[free] = Fraction(1)
        for place in np.flatnonzero(work[: len(pivots), free]).tolist():
            entry = _rational(-int(work[place, free]))
            if entry is None:
                return relations_by_fractions(matrix)
            vector[pivots[place]] = entry
        whole = _whole_numbers(vector)
        if any(np.array(whole, dtype=object) @ matrix.astype(object)):
            return relations_by_fractions(matrix)
        found.append(whole)
    return found


def relations_by_fractions(matrix: NDArray[np.int64]) -> list[list[int]]:
    """The same basis by Gauss-Jordan elimination in fractions: slow, plain, exact."""
    rows = [[Fraction(int(v)) for v in row] for row in np.unique(matrix.T, axis=0)]
    n = matrix.shape[0]
    pivots: list[int] = []
    for column in range(n):
        top = len(pivots)
        chosen = next((i for i in range(top, len(rows)) if rows[i][column]), None)
        if chosen is None:
            continue
        rows[top], rows[chosen] = rows[chosen], rows[top]
        lead = rows[top][column]
        rows[top] = [v / lead for v in rows[top]]
        for i, row in enumerate(rows):
            if i != top and row[column]:
                factor = row[column]
                rows[i] = [a - factor * b for a, b in zip(row, rows[top], strict=True)]
        pivots.append(column)
    found = []
    for free in sorted(set(range(n)) - set(pivots)):
        vector = [Fraction(0)] * n
        vector[free] = Fraction(1)
        for place, column in enumerate(pivots):
            vector[column] = -rows[place][free]
        found.append(_whole_numbers(vector))
    return found


def disjoint_families(sets: Sequence[Categories], *, most: int = 20_000) -> Iterator[tuple[int, ...]]:
    """Every family of pairwise disjoint sets that no further one can join (positions in `sets`).

    Raises ValueError after `most` families: the instance is too large for brute force.
    """
    friends = [
        frozenset(j for j, other in enumerate(sets) if j != i and not (one & other))
        for i, one in enumerate(sets)
    ]

    def grow(family: tuple[int, ...], fit: frozenset[int], used: frozenset[int]) -> Iterator[tuple[int, ...]]:
        if not fit and not used:
            yield family
        if not fit:
            return
        pivot = max(fit | used, key=lambda i: len(friends[i] & fit))
        for i in sorted(fit - friends[pivot]):
            yield from grow((*family, i), fit & friends[i], used & friends[i])
            fit, used = fit - {i}, used | {i}

    for count, family in enumerate(grow((), frozenset(range(len(sets))), frozenset())):
        if count >= most:
            raise ValueError("too many families of disjoint parts for brute force")
        if family:
            yield family


def parts_along_one_axis(cells: Sequence[Cell]) -> Iterator[tuple[int, int, list[int]]]:
    """(whole, axis, parts): the cells that differ from `whole` along one axis only and lie inside it."""
    for axis in range(len(cells[0].box) if cells else 0):
        groups: dict[tuple[str, Box], list[int]] = {}
        for i, cell in enumerate(cells):
            groups.setdefault((cell.unit, (*cell.box[:axis], *cell.box[axis + 1 :])), []).append(i)
        for members in groups.values():
            for whole in members:
                inside = [i for i in members if cells[i].box[axis] < cells[whole].box[axis]]
                if inside:
                    yield whole, axis, inside


def system_of(release: Release) -> System:
    """Everything the defined attacker knows. Raises Inconsistent if the shown values contradict it."""
    cells = cells_of(release)
    unknown = tuple(i for i, cell in enumerate(cells) if cell.value is None)
    number = {cell: k for k, cell in enumerate(unknown)}
    lines: dict[tuple[tuple[tuple[int, int], ...], bool], Line] = {}

    def know(terms: Mapping[int, int], *, exact: bool) -> None:
        """sum(coefficient * cell) = 0, or >= 0 where not exact; shown cells move to the other side."""
        constant = 0
        left: dict[int, int] = {}
        for cell, coefficient in terms.items():
            value = cells[cell].value
            if not coefficient:
                continue
            if value is None:
                left[number[cell]] = coefficient
            else:
                constant += coefficient * value
        if not left:
            if constant < 0 or (exact and constant):
                raise Inconsistent(f"shown values contradict each other at {cells[next(iter(terms))].label}")
            return
        key = (tuple(sorted(left.items())), exact)
        least = -constant
        if key in lines:
            before = lines[key].least
            assert before is not None
            if exact and before != least:
                raise Inconsistent("one sum of hidden cells has two values")
            least = max(least, before)
        lines[key] = Line(left, least, least if exact else None)

    for group in _adding_up(cells, release):
        for relation in relations(incidence([cells[i] for i in group])):
            know({group[k]: c for k, c in enumerate(relation) if c}, exact=True)
    for whole, axis, inside in parts_along_one_axis(cells):
        twice = overlapping(release, cells[whole], axis)
        if twice:
            for i in inside:
                know({whole: 1, i: -1}, exact=False)
        for family in disjoint_families([cells[i].box[axis] for i in inside]):
            parts = [inside[k] for k in family]
            complete = frozenset().union(*(cells[i].box[axis] for i in parts)) == cells[whole].box[axis]
            if not twice:
                know({whole: 1} | dict.fromkeys(parts, -1), exact=complete)
            elif complete:
                know({whole: -1} | dict.fromkeys(parts, 1), exact=False)
    for terms in _between_units(cells, release):
        know(terms, exact=False)
    bounds = tuple((cells[i].low, cells[i].high) for i in unknown)
    return System(cells, unknown, bounds, tuple(lines.values()))


def overlapping(release: Release, cell: Cell, axis: int) -> bool:
    """Whether people of the cell's unit may count in several categories of the axis."""
    return list(release.axes)[axis] in release.facts.unit(cell.unit).overlapping


def _adding_up(cells: Sequence[Cell], release: Release) -> Iterator[list[int]]:
    """Cells that add up among each other: of one unit, and one set of every axis where people overlap."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, cell in enumerate(cells):
        fixed = tuple(s if overlapping(release, cell, axis) else None for axis, s in enumerate(cell.box))
        groups.setdefault((cell.unit, *fixed), []).append(i)
    yield from groups.values()


def _between_units(cells: Sequence[Cell], release: Release) -> Iterator[dict[int, int]]:
    """Sums that are not below 0, of two units of one box: what one record can add, and persons <= records."""
    place = {(cell.unit, cell.box): i for i, cell in enumerate(cells)}
    facts = release.facts
    for fewer, more in facts.at_most:
        for cell in cells:
            if cell.unit == fewer and (more, cell.box) in place:
                yield {place[more, cell.box]: 1, place[fewer, cell.box]: -1}
    counts = {kind: [u for u in dict.fromkeys(c.unit for c in cells) if facts.unit(u).kind == kind]
              for kind in ("records", "persons")}  # fmt: skip
    for i, cell in enumerate(cells):
        unit = facts.unit(cell.unit)
        if unit.kind != "sum":
            continue
        for records in counts["records"]:
            n = place.get((records, cell.box))
            if n is not None:
                yield {i: 1, n: -unit.least}
                yield {i: -1, n: unit.most}
        for persons in (name for name in counts["persons"] if not facts.unit(name).torn):
            n = place.get((persons, cell.box))
            if n is not None:
                yield {i: 1, n: -unit.least}
