"""The fewest cells that can be hidden: the yardstick for complementary suppression on small tables.

    python -m bench.optimum [--random 40] [--cells 120] [--width 9] [--cost cells|value] [--limit 120]
    python -m bench.optimum --real

The exact method of Fischetti and Salazar-González (Solving the cell suppression problem on tabular data with
linear constraints, Management Science 47(7), 2001, 1008-1027), for the definition used here: every hidden
cell, secondaries too, and every implied cell that is not known exactly must be wide for the attacker who
knows that a hidden cell is at least 1; zeros are never hidden; what is left in a line must not be a small
count. The attacker is the linear one, so the result is a lower bound for whole numbers; it is the optimum
when the audit passes the pattern found, and the report says which of the two it is.

The master problem has a 0-1 variable for each box. For a pattern the attacker's linear programs give the
range of each hidden cell; the multipliers of one that is too narrow give a row over the 0-1 variables that
every protecting pattern satisfies. Rows are added until no cell is narrow.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from bench.protection_cases import (
    CUSTODY,
    Records,
    custody_races,
    custody_records,
    flat,
    lookup,
    original_of,
    table,
    tree,
)
from clerestory.attack.relations import Kind, Relations, relations
from clerestory.attack.shown import box_numbers
from clerestory.attack.tables import completed
from clerestory.confidential.audit import audit
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.publish import protect
from clerestory.confidential.protect.rules import primary_suppressions
from clerestory.errors import ClerestoryError
from clerestory.policy import CALHHS_DDG_2_0, Policy
from clerestory.tables import Axis, PublicCells

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_EPS = 1e-6
_REACH = 16
"""How far a cell may move in the attacker's program, in widths; no row depends on it."""


@dataclass(frozen=True)
class Row:
    """sum(coefficient * hidden[box]) >= least."""

    terms: dict[int, float]
    least: float

    def misses(self, hidden: FloatArray) -> bool:
        return bool(sum(c * hidden[b] for b, c in self.terms.items()) < self.least - _EPS)


@dataclass(frozen=True)
class Optimum:
    """bound: no pattern costs less. hidden: (cells,) the cheapest pattern found, None if time ran out.

    proven: the pattern costs `bound`, and the audit, in whole numbers, passes it.
    """

    bound: float
    hidden: BoolArray | None
    proven: bool
    rounds: int
    seconds: float


class Attacker:
    """The range of a variable in linear programs over a pattern, which may be fractional."""

    def __init__(self, rules: Relations, table: IntArray, lower: IntArray, box_of: IntArray, width: int):
        self.rules, self.table, self.width = rules, table, width
        self.cells = len(rules.space)
        self.box_of = box_of
        self.down = (table - lower).astype(float)
        self.need = width * rules.factor(np.arange(rules.variables)).astype(float)
        model = highspy.HighsLp()
        matrix = rules.matrix.tocsr()
        n = rules.variables
        model.num_col_, model.num_row_ = n, matrix.shape[0]
        model.col_cost_ = np.zeros(n)
        model.col_lower_, model.col_upper_ = np.zeros(n), np.zeros(n)
        model.row_lower_ = model.row_upper_ = np.zeros(matrix.shape[0])
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = matrix.indptr.astype(np.int32)
        model.a_matrix_.index_ = matrix.indices.astype(np.int32)
        model.a_matrix_.value_ = matrix.data.astype(float)
        self.solver = _quiet()
        self.solver.passModel(model)
        self._all = np.arange(n, dtype=np.int32)

    def pattern(self, hidden: FloatArray, reach: float) -> None:
        """Takes a pattern over the boxes; reach: how far a wholly hidden cell may move, in widths."""
        share = np.ones(self.rules.variables)
        share[: self.cells] = np.where(self.table[: self.cells] > 0, hidden[self.box_of], 0.0)
        far = reach * self.need.max()
        low, high = -np.minimum(self.down, far) * share, np.full(len(share), far) * share
        self.solver.changeColsBounds(len(share), self._all, low, high)

    def end(self, variable: int, sense: int) -> tuple[FloatArray, FloatArray]:
        """The farthest move of a variable up (1) or down (-1), and the multipliers of the bounds."""
        costs = np.zeros(self.rules.variables)
        costs[variable] = -sense
        self.solver.changeColsCost(len(costs), self._all, costs)
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self.solver.clearSolver()
            self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS ended with {self.solver.getModelStatus()}")
        found = self.solver.getSolution()
        return np.array(found.col_value), np.array(found.col_dual)

    def row(self, variable: int, hidden: FloatArray, *, judge: bool) -> Row | None:
        """A row that the pattern breaks because the variable is too narrow; None if it is wide.

        judge: the variable is an implied cell, which must be wide only if it can move at all.
        """
        need = self.need[variable]
        up, dual_up = self.end(variable, 1)
        down, dual_down = self.end(variable, -1)
        width = up[variable] - down[variable]
        if judge and width < _EPS:
            return None
        own = int(self.box_of[variable]) if variable < self.cells else -1
        asked = need * (hidden[own] if own >= 0 else 1.0)
        if width >= asked - _EPS:
            return None
        terms: dict[int, float] = {}
        constant = 0.0
        for dual in (dual_up, dual_down):
            for v in np.flatnonzero(np.abs(dual) > 1e-9).tolist():
                # a negative multiplier presses on the upper bound, a positive one on the lower
                limit = need if dual[v] < 0 else min(need, dual[v] * self.down[v])
                if v >= self.cells:
                    constant += limit
                elif self.table[v] > 0:
                    box = int(self.box_of[v])
                    terms[box] = terms.get(box, 0.0) + limit
        if constant >= need - _EPS:
            return None
        least = need - constant
        terms = {box: min(c, least) for box, c in terms.items() if c > 1e-9}
        if own >= 0:
            terms[own] = terms.get(own, 0.0) - least
            return Row(terms, 0.0)
        # while all that moves here stays hidden, the implied cell can move, and so must be wide
        moved = np.flatnonzero((np.abs(up) > 1e-9) | (np.abs(down) > 1e-9))
        boxes = np.unique(self.box_of[moved[moved < self.cells]])
        for box in boxes.tolist():
            terms[box] = terms.get(box, 0.0) - least
        return Row(terms, least - least * len(boxes))


class Master:
    """The 0-1 program over boxes, which grows row by row."""

    def __init__(self, costs: FloatArray, fixed: BoolArray, never: BoolArray) -> None:
        self.solver = _quiet()
        model = highspy.HighsLp()
        n = len(costs)
        model.num_col_, model.num_row_ = n, 0
        model.col_cost_ = costs
        model.col_lower_ = fixed.astype(float)
        model.col_upper_ = np.where(never, 0.0, 1.0)
        model.row_lower_ = model.row_upper_ = np.zeros(0)
        model.a_matrix_.start_ = np.zeros(n + 1, dtype=np.int32)
        self.solver.passModel(model)
        self.n = n

    def add(self, row: Row) -> None:
        index = np.array(list(row.terms), dtype=np.int32)
        value = np.array(list(row.terms.values()))
        self.solver.addRow(row.least, highspy.kHighsInf, len(index), index, value)

    def whole(self, yes: bool) -> None:
        kind = highspy.HighsVarType.kInteger if yes else highspy.HighsVarType.kContinuous
        self.solver.changeColsIntegrality(
            self.n, np.arange(self.n, dtype=np.int32), np.array([kind] * self.n)
        )

    def solve(self, seconds: float) -> tuple[FloatArray | None, float]:
        """The cheapest pattern, and a bound on every pattern's cost."""
        self.solver.setOptionValue("time_limit", self.solver.getRunTime() + max(seconds, 0.1))
        self.solver.run()
        info = self.solver.getInfo()
        if self.solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            return None, np.inf
        bound = info.mip_dual_bound if info.mip_node_count >= 0 else info.objective_function_value
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None, bound
        return np.array(self.solver.getSolution().col_value), bound


def _quiet() -> highspy.Highs:
    solver = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0)):
        solver.setOptionValue(option, value)
    return solver


def small_rests(
    rules: Relations, table: IntArray, hidden: BoolArray, box_of: IntArray, primary: BoolArray, minimum: int
) -> list[Row]:
    """Rows that the pattern breaks because known parts leave 1 to minimum - 1 of a known whole.

    hidden: (boxes,) bool. Where the parts that are shown leave too little, one of them must be hidden or the
    whole, unless a part that is hidden now is shown.
    """
    cells = len(rules.space)
    known = np.zeros(rules.variables, dtype=bool)
    known[:cells] = ~(hidden[box_of] & (table[:cells] > 0))
    matrix = rules.matrix.tocsr()
    lines: dict[tuple[int, int], list[list[int]]] = {}
    for line in np.flatnonzero(rules.parents >= 0).tolist():
        inside = matrix.indices[matrix.indptr[line] : matrix.indptr[line + 1]].tolist()
        parent = int(rules.parents[line])
        lines.setdefault((parent, int(rules.axes[line])), []).append([v for v in inside if v != parent])

    def cover(variable: int, axis: int) -> tuple[int, list[int], list[int]]:
        """The largest sum of known disjoint parts along the axis, these parts, and what is not covered."""
        if known[variable]:
            return int(table[variable]), [variable], []
        best: tuple[int, list[int], list[int]] = (0, [], [variable])
        for children in lines.get((variable, axis), []):
            parts = [cover(child, axis) for child in children]
            total = sum(p[0] for p in parts)
            if total > best[0]:
                left = [variable, *(v for p in parts for v in p[2])]
                best = (total, [v for p in parts for v in p[1]], left)
        return best

    found = []
    for (parent, axis), choices in lines.items():
        if not known[parent] or parent >= cells:
            continue
        for children in choices:
            parts = [cover(child, axis) for child in children]
            rest = int(table[parent]) - sum(p[0] for p in parts)
            if not 0 < rest < minimum:
                continue
            need = float(minimum - rest)
            terms: dict[int, float] = {int(box_of[parent]): need}
            for part in {v for p in parts for v in p[1]}:
                if table[part] > 0:
                    box = int(box_of[part])
                    terms[box] = max(terms.get(box, 0.0), min(float(table[part]), need))
            least = need
            for left in {v for p in parts for v in p[2] if v < cells}:
                box = int(box_of[left])
                if not primary[box] and box not in terms:
                    terms[box] = -need
                    least -= need
            found.append(Row(terms, least))
    return found


def optimum(
    original: OriginalCells,
    policy: Policy,
    *,
    cost: str = "cells",
    enough: float | None = None,
    seconds: float = 120,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Optimum:
    """The cheapest set of hidden cells; cost: "cells" (how many) or "value" (their sum).

    enough: a pattern of this cost is known, so that a bound as high settles it.
    """
    start = time.perf_counter()
    rules = relations(original.space)
    cells = len(rules.space)
    table = completed(rules, original.values, seed=seed)
    box_of = box_numbers(original.space)
    boxes = int(box_of.max()) + 1
    lower = np.zeros(rules.variables, dtype=np.int64)
    lower[:cells] = np.minimum(_least_hidden(original), table[:cells])
    worth = original.values if cost == "value" else np.ones(cells)
    costs = np.bincount(box_of, np.where(table[:cells] > 0, worth, 0), minlength=boxes).astype(float)
    primary = np.zeros(boxes, dtype=bool)
    primary[box_of[primary_suppressions(original, policy).hidden]] = True
    never = np.bincount(box_of, table[:cells] > 0, minlength=boxes) == 0
    judged = np.flatnonzero((rules.kinds == Kind.BOX) | (rules.kinds == Kind.OVERLAP)).tolist()
    attacker = Attacker(rules, table, lower, box_of, policy.interval_width)
    master = Master(costs, primary, never)
    bound, rounds = float(costs[primary].sum()), 0

    def rows(pattern: FloatArray, *, whole: bool) -> list[Row]:
        attacker.pattern(pattern, _REACH if whole else 1)
        candidates = np.flatnonzero((table[:cells] > 0) & (pattern[box_of] > 0.01)).tolist()
        found = [attacker.row(cell, pattern, judge=False) for cell in candidates]
        if whole:
            found += [attacker.row(box, pattern, judge=True) for box in judged]
            hidden = pattern > 0.5
            found += small_rests(rules, table, hidden, box_of, primary, policy.minimum_count)
        return [row for row in found if row is not None and row.misses(pattern)]

    def left() -> float:
        return seconds - (time.perf_counter() - start)

    def done(pattern: FloatArray | None, proven: bool) -> Optimum:
        hidden = None if pattern is None else (pattern[box_of] > 0.5) & (table[:cells] > 0)
        return Optimum(bound, hidden, proven, rounds, time.perf_counter() - start)

    fractional = True
    before = -np.inf
    idle = 0
    while left() > 0:
        rounds += 1
        pattern, value = master.solve(left())
        whole_costs = bool(np.all(costs == np.rint(costs)))
        bound = max(bound, float(np.ceil(value - 1e-6)) if whole_costs else value)
        if enough is not None and bound >= enough:
            return done(None, True)
        if pattern is None:
            return done(None, False)
        if not fractional:
            pattern = np.rint(pattern)
        new = rows(pattern, whole=not fractional)
        if progress is not None:
            kind = "linear" if fractional else "whole"
            progress(f"round {rounds} ({kind}): at least {bound:g}, {len(new)} new rows")
        idle = idle + 1 if value < before + 1e-3 else 0
        before = value
        if fractional and (not new or idle > 8):
            fractional = False
            master.whole(True)
        elif not new:
            return done(pattern, _passes(original, policy, pattern, box_of, table[:cells]))
        for row in new:
            master.add(row)
    return done(None, False)


def _least_hidden(original: OriginalCells) -> IntArray:
    """(cells,) what a reader knows that a hidden cell is at least: one record, where no zero is hidden."""
    space = original.space
    least = np.array([max(unit.bounds[0], 1) if unit.kind == "sum" else 1 for unit in space.unit_list])
    return np.where(space.may_hide_zeros, 0, least[space.units]).astype(np.int64)


def _passes(
    original: OriginalCells, policy: Policy, pattern: FloatArray, box_of: IntArray, values: IntArray
) -> bool:
    hidden = (pattern[box_of] > 0.5) & (values > 0)
    try:
        audit(PublicCells(original.space, np.where(hidden, 0, values), hidden), policy=policy)
    except ClerestoryError:
        return False
    return True


# --- tables -------------------------------------------------------------------------------------------------


def drawn(seed: int, cells: int) -> OriginalCells:
    """A random table of two or three dimensions, one of them a hierarchy, of about this many cells."""
    rng = np.random.default_rng(seed)
    three = bool(rng.random() < 0.5)
    groups, inside = int(rng.integers(2, 4)), int(rng.integers(2, 4))
    places = groups * inside
    others = max(2, round(cells / (1 + groups + places)) - 1)
    sizes = (places, max(2, (others + 1) // 3 - 1), 2) if three else (places, others)
    axes = [
        Axis(name, tuple(f"{name}{i}" for i in range(size))) for name, size in zip("pqr", sizes, strict=False)
    ]
    first = axes[0].categories
    regions = {c: f"region{i // inside}" for i, c in enumerate(first)}
    dimensions = [tree("p", axes[0], ("region", "place"), [regions, {c: c for c in first}])]
    dimensions += [flat(axis.name, axis) for axis in axes[1:]]
    mean = np.exp(rng.normal(2.2, 1.4, size=int(np.prod(sizes))))
    records = np.repeat(np.arange(len(mean)), rng.poisson(mean))
    codes = np.unravel_index(records, sizes)
    made = Records(
        {axis.name: axis.categories for axis in axes},
        {axis.name: code.astype(np.int16) for axis, code in zip(axes, codes, strict=True)},
    )
    return original_of("drawn", made, [table("drawn", dimensions)])


def real(most: int) -> Iterator[tuple[str, OriginalCells]]:
    """Deaths in custody: each region's counties by race, and by race and gender; regions by both."""
    records = custody_records()
    axis = {a.name: a for a in records.axes()}
    counties = axis["county"].categories
    regions = lookup(CUSTODY / "lookups" / "custody_county.csv", "county", "region")
    groups = custody_races()
    for region in dict.fromkeys(regions[c] for c in counties):
        keep = np.isin(records.codes["county"], [i for i, c in enumerate(counties) if regions[c] == region])
        inside = [c for c in counties if regions[c] == region]
        place = np.array([inside.index(c) if c in inside else -1 for c in counties], dtype=np.int16)
        part = Records(
            {**records.categories, "county": tuple(inside)},
            {
                name: place[codes[keep]] if name == "county" else codes[keep]
                for name, codes in records.codes.items()
            },
        )
        own = {a.name: a for a in part.axes()}
        race = tree("race", own["race"], ("group",), [groups])
        for name, dimensions in (
            ("race", [flat("county", own["county"]), race]),
            ("race x gender", [flat("county", own["county"]), race, flat("gender", own["gender"])]),
        ):
            made = original_of("custody", part, [table("deaths", dimensions)])
            if len(made.space) <= most and len(inside) > 1:
                yield f"{region}, county x {name}", made
    county = tree("region", axis["county"], ("region",), [{c: regions[c] for c in counties}])
    race = tree("race", axis["race"], ("group",), [groups])
    gender = flat("gender", axis["gender"])
    yield "region x race", original_of("custody", records, [table("deaths", [county, race])])
    yield "region x race x gender", original_of("custody", records, [table("deaths", [county, race, gender])])


@dataclass(frozen=True)
class Compared:
    """Ours beside the yardstick, in the cost asked for, without what every pattern must hide."""

    name: str
    cells: int
    primary: int
    ours: float
    bound: float
    proven: bool
    seconds: float


def compare(
    name: str, original: OriginalCells, policy: Policy, *, cost: str, limit: float
) -> Compared | None:
    """None where nothing is small."""
    first = primary_suppressions(original, policy).hidden
    if not first.any():
        return None
    worth = original.values if cost == "value" else np.ones(len(original.space), dtype=np.int64)
    made = protect(original, policy, seed=1)
    ours = float(worth[made.public.hidden].sum())
    forced = float(worth[first].sum())
    best = optimum(original, policy, cost=cost, enough=ours, seconds=limit)
    return Compared(
        name,
        len(original.space),
        int(first.sum()),
        ours - forced,
        best.bound - forced,
        best.proven,
        best.seconds,
    )


def report(found: Sequence[Compared], cost: str) -> None:
    unit = "cells" if cost == "cells" else "value"
    print(
        f"| table | cells | small | secondary {unit}, ours | optimum | seconds |\n|---|---|---|---|---|---|"
    )
    for one in found:
        best = f"{one.bound:g}" if one.proven else f"at least {one.bound:g}"
        print(f"| {one.name} | {one.cells} | {one.primary} | {one.ours:g} | {best} | {one.seconds:.1f} |")
    ours, bound = sum(one.ours for one in found), sum(one.bound for one in found)
    least = sum(one.primary for one in found)
    settled = [one for one in found if one.proven]
    equal = sum(one.ours == one.bound for one in settled)
    print(
        f"\n{len(found)} tables, {len(settled)} settled, {equal} of these with the optimum itself. "
        f"Secondary {unit}: {ours:g} against {bound:g}, {100 * (ours - bound) / max(bound, 1):.1f} % more; "
        f"all hidden cells: {100 * (ours - bound) / max(bound + least, 1):.1f} % more."
    )


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--random", type=int, default=40)
    parser.add_argument("--cells", type=int, default=100)
    parser.add_argument("--width", type=int, default=CALHHS_DDG_2_0.interval_width)
    parser.add_argument("--cost", choices=["cells", "value"], default="cells")
    parser.add_argument("--limit", type=float, default=60, help="seconds for each table")
    parser.add_argument("--real", action="store_true", help="deaths in custody instead of random tables")
    asked = parser.parse_args(words)
    policy = replace(CALHHS_DDG_2_0, interval_width=asked.width)
    tables: Iterable[tuple[str, OriginalCells]] = (
        real(asked.cells * 2)
        if asked.real
        else ((f"random {seed}", drawn(seed, asked.cells)) for seed in range(asked.random))
    )
    found = []
    for name, original in tables:
        one = compare(name, original, policy, cost=asked.cost, limit=asked.limit)
        if one is not None:
            found.append(one)
            print(f"{one}", file=sys.stderr, flush=True)
    report(found, asked.cost)


if __name__ == "__main__":
    main()
