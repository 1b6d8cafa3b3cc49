"""Decides for every hidden and implied cell whether a reader can narrow it below the policy's width.

Wide is proven by two whole-number tables that satisfy everything published and differ there by the width;
each is checked in integer arithmetic. Broken is proven by an outer bound (propagation, linear or integer
programs). What has neither proof is undecided and must not be published.
Source: the attacker's problem, Handbook on Statistical Disclosure Control, ch. 4; level 2, the attacker who
knows that zeros are shown and that counts are whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.lines import small, small_lines
from clerestory.attack.moves import Move, Moves
from clerestory.attack.neighbourhood import Flow, Ladder
from clerestory.attack.programs import Answer, Program, whole
from clerestory.attack.reduce import reduced
from clerestory.attack.relations import Kind, Relations, relations
from clerestory.attack.stuck import stuck
from clerestory.attack.system import Component, System, attackers_system, components, contradiction
from clerestory.attack.tables import any_table, ceiling, completed, far_table, program
from clerestory.attack.widen import Needs, Widening
from clerestory.attack.witnesses import Witnesses
from clerestory.errors import Undecided
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

Progress = Callable[[str], None]
Interval = tuple[int, int | None]
Levels = tuple[IntArray, IntArray]
"""(cells,) what the largest value of each must reach, and (cells,) the smallest."""

_ROUNDS = 40
"""Random objectives tried in a component before its undecided cells are tried one by one."""
_IDLE = 1
"""Rounds in a row that decide little, after which they stop."""
_WORTH = 0.05
"""Share of the undecided cells that a round must decide to be worth another."""
_FEW = 8
"""Undecided cells of a component from which such rounds are tried at all."""
_WHOLE = 6_000
"""Free variables of a component up to which they are: beyond, vertices are slow to find and rarely whole."""
_LADDER: Ladder = ((6, False), (12, True), (30, True))
"""Neighbourhoods in which moves from the base table are sought: siblings on a line, with parents or not."""
_FEW_PROGRAMS: Ladder = ((20, True),)
"""The same in large components, after a longer search for circuits."""
_EVERYTHING: Ladder = ((0, True),)
"""The whole component, for the few cells whose neighbourhood is not enough."""
_DEEP = 2
"""On how many axes circuits may add people, for cells that simple ones leave undecided."""
_THOROUGH = 60
"""Networks looked at for these."""
_NODES = 3_000
"""Branch-and-bound nodes for one end of one cell."""
_EXACT_NODES = 100_000
"""Branch-and-bound nodes for one exact end."""
_SURE = 1e-5
"""How far a solver's bound may be off, in units of the cell."""


class Verdict(IntEnum):
    """What is proven of a cell."""

    WIDE = 0
    BROKEN = 1
    UNDECIDED = 2


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What is proven of every hidden and implied cell.

    variables: (n,) positions in relations; all hidden cells first. verdicts: (n,) of Verdict. low, high:
    (n,) the values over the witnesses, so what a reader surely cannot rule out. outer_low, outer_high: (n,)
    bounds that hold for sure. small_lines: rows in which the cells that are not shown have a known sum
    from 1 to the minimum - 1: a small count that anybody can work out.
    """

    relations: Relations
    variables: IntArray
    verdicts: NDArray[np.int8]
    low: IntArray
    high: IntArray
    outer_low: NDArray[np.float64]
    outer_high: NDArray[np.float64]
    small_lines: IntArray

    @property
    def wide(self) -> bool:
        """Whether everything is proven wide enough."""
        return bool(np.all(self.verdicts == Verdict.WIDE)) and not len(self.small_lines)

    def of(self, verdict: Verdict) -> IntArray:
        """The variables with this verdict."""
        return np.asarray(self.variables[self.verdicts == verdict])


class _State:
    """Inner and outer bounds of every variable as proofs come in.

    need: how far apart two values must be; least: what the larger must reach (attribute rules, protection
    levels); most: what the smaller must.
    """

    def __init__(
        self, system: System, width: int, levels: Levels | None, witnesses: Witnesses | None = None
    ) -> None:
        self.witnesses = witnesses
        count = system.relations.variables
        everything = np.arange(count)
        self.need = width * system.relations.factor(everything)
        self.least = np.zeros(count, dtype=np.int64)
        self.most = np.full(count, np.iinfo(np.int64).max)
        if levels is not None:
            cells = len(system.relations.space)
            self.least[:cells], self.most[:cells] = levels
        forms = system.relations.forms
        self.need[forms] = 0
        self.least[forms] = system.relations.space.attribute_pairs[2]
        self.low = np.full(count, np.iinfo(np.int64).max)
        self.high = np.full(count, np.iinfo(np.int64).min)
        self.outer_low, self.outer_high = system.lower.copy(), system.upper.copy()
        # What is fixed is in no component, and no witness is needed to say how large it can be.
        fixed = forms[~system.free[forms]]
        self.low[fixed] = self.high[fixed] = system.lower[fixed].astype(np.int64)

    def witness(self, columns: IntArray, table: IntArray) -> None:
        if self.witnesses is not None:
            self.witnesses.add(columns, table)
        self.low[columns] = np.minimum(self.low[columns], table)
        self.high[columns] = np.maximum(self.high[columns], table)

    def wide(self, columns: IntArray) -> NDArray[np.bool_]:
        seen = self.high[columns] >= self.low[columns]
        reach = np.where(seen, self.high[columns], 0) - np.where(seen, self.low[columns], 0)
        far = (self.high[columns] >= self.least[columns]) & (self.low[columns] <= self.most[columns])
        return np.asarray(seen & far & (reach >= self.need[columns]))

    def broken(self, columns: IntArray) -> NDArray[np.bool_]:
        narrow = self.outer_high[columns] - self.outer_low[columns] < self.need[columns]
        short = self.outer_high[columns] < self.least[columns]
        return np.asarray(narrow | short | (self.outer_low[columns] > self.most[columns]))

    def undecided(self, columns: IntArray) -> NDArray[np.bool_]:
        return ~self.wide(columns) & ~self.broken(columns)


def decide(
    public: PublicCells,
    *,
    width: int,
    minimum: int,
    start: IntArray | None = None,
    seed: int = 0,
    known: Relations | None = None,
    levels: Levels | None = None,
    witnesses: Witnesses | None = None,
    moves: Sequence[Move] = (),
    progress: Progress | None = None,
) -> Verdicts:
    """What a reader can work out of public cells, decided for every hidden and every implied cell.

    width: the least distance, in counts, of two feasible values (a sum needs width times the largest single
    contribution); minimum: implied counts known exactly must not be 1 to minimum - 1. start: (cells,) values
    that are known to fit, such as the true ones, to save finding some. known: relations(public.space), if at
    hand. levels: for whoever knows the true values, what a cell's largest value must reach, and its smallest.
    witnesses: keeps every table found, for a proof. moves: changes of `start` that may fit, each tried first;
    never for a proof. Raises InputError if the published values
    contradict each other, Undecided if no table is found.
    """
    rules = known if known is not None else relations(public.space)
    system = attackers_system(rules, public)
    state = _State(system, width, levels, witnesses)
    judged = _judged(rules, public, system)
    table = None if start is None else completed(rules, start, seed=seed)
    rng = np.random.default_rng(seed)
    parts = components(system)
    base = _base(system, parts, table, state.need, rng)
    if witnesses is not None:
        witnesses.base = base
    local = _local(system, base, state, seed)
    for columns, steps in moves:
        local.try_move(columns, steps)
    for part in parts:
        forms = np.flatnonzero(judged[part.columns])
        _decide_component(part, forms, state, base, local, rng)
        if progress is not None:
            left = int(state.undecided(part.columns[forms]).sum())
            progress(f"attacked {len(part.columns)} linked cells, {left} undecided")
    return _verdicts(system, public, state, judged, minimum)


def _judged(rules: Relations, public: PublicCells, system: System) -> NDArray[np.bool_]:
    judged = (rules.kinds == Kind.BOX) | (rules.kinds == Kind.OVERLAP)
    judged[: len(public.hidden)] = public.hidden
    judged[rules.forms] = system.concerned
    return np.asarray(judged)


def _base(
    system: System, parts: list[Component], table: IntArray | None, need: IntArray, rng: np.random.Generator
) -> IntArray:
    """(variables,) one whole table that fits everything. Raises InputError if there is none."""
    base = np.where(system.free, 0, system.lower).astype(np.int64)
    for part in parts:
        own = need[part.columns]
        most = int(own.max())
        found = table[part.columns] if table is not None else _first_table(ceiling(part, most), rng, own)
        if found is None or not part.holds(found):
            raise contradiction(system.relations)
        base[part.columns] = found
    return base


def _first_table(part: Component, rng: np.random.Generator, need: IntArray) -> IntArray | None:
    """One whole table far from its bounds; in a large component over fewer columns, which is quicker."""
    if len(part.columns) <= _WHOLE:
        return any_table(part, rng, need)
    small = reduced(part)
    if small is None:
        return None
    place = np.zeros(len(small.part.columns), dtype=np.int64)
    np.maximum.at(place, small.place, need)
    found = any_table(small.part, rng, place)
    return None if found is None else small.back(found)


def _local(system: System, base: IntArray, state: _State, seed: int) -> Widening:
    """Moves from the base table, through what is free."""
    rules = system.relations
    # Only what is free moves; the bounds of propagation follow from the rows, so the first ones will do.
    lower = np.where(np.isfinite(system.lower), system.lower, 0).astype(np.int64)
    above, below = np.maximum(state.least - base, 0), np.maximum(base - state.most, 0)
    needs = Needs(state.need, above, below)
    nothing = np.full(rules.variables, np.inf)

    def witness(flow: Flow) -> None:
        state.witness(flow.columns, base[flow.columns] + flow.steps)

    return Widening(
        rules, Moves(rules, base, lower), needs, system.free.copy(), nothing, seed=seed, take=witness
    )


def _decide_component(
    part: Component,
    forms: IntArray,
    state: _State,
    base: IntArray,
    local: Widening,
    rng: np.random.Generator,
) -> None:
    state.witness(part.columns, base[part.columns])
    if not len(forms):
        return
    endless = np.isinf(part.upper)
    part = ceiling(part, int(state.need[part.columns].max()))

    def left() -> list[int]:
        return [int(form) for form in forms[state.undecided(part.columns[forms])]]

    for form in left():
        variable = int(part.columns[form])
        if state.undecided(part.columns[form : form + 1])[0]:
            local.widen(variable, (), buy=False, deep=0)
    if len(left()) > _FEW and len(part.columns) <= _WHOLE:
        _many_ends(part, forms, state, base[part.columns], rng)
    if not left():
        return
    large = len(part.columns) > _WHOLE
    if large:
        _settle(part, forms, state, base, local)
        for form in left():
            if state.undecided(part.columns[form : form + 1])[0]:
                local.thoroughly(int(part.columns[form]), buy=False)
    linear = program(part)
    for ladder in (_FEW_PROGRAMS, _EVERYTHING) if large else ((), _LADDER, _EVERYTHING):
        for form in left():
            if state.undecided(part.columns[form : form + 1])[0]:
                local.widen(int(part.columns[form]), ladder, buy=False, deep=_DEEP, budget=_THOROUGH)
    for form in left():
        _one_cell(part, form, state, linear, base[part.columns], endless)


def _settle(part: Component, forms: IntArray, state: _State, base: IntArray, local: Widening) -> None:
    """Finds implied zeros that are known exactly, all at once: one by one takes long in large components."""
    kinds = local.rules.kinds[part.columns[forms]]
    waiting = forms[np.isin(kinds, (Kind.BOX, Kind.OVERLAP)) & state.undecided(part.columns[forms])]
    waiting = waiting[base[part.columns[waiting]] == part.lower[waiting]]
    waiting = waiting[[not local.stirs(int(variable)) for variable in part.columns[waiting]]]
    fixed = part.columns[waiting[stuck(part.matrix, base[part.columns] - part.lower, waiting)]]
    state.outer_high[fixed] = state.outer_low[fixed]


def _many_ends(
    part: Component, forms: IntArray, state: _State, base: IntArray, rng: np.random.Generator
) -> None:
    """Whole tables in which undecided cells are far from the base, about half of them up and half down.

    What a cell is worth ends where it is far enough, so that the others get their share too.
    """
    idle = 0
    up = np.zeros(len(part.columns), dtype=bool)
    for number in range(_ROUNDS):
        left = forms[state.undecided(part.columns[forms])]
        if not len(left) or idle > _IDLE:
            return
        if number % 2 == 0:
            up = rng.random(len(part.columns)) < 0.5
        table = far_table(part, base, left, up if number % 2 == 0 else ~up, state.need[part.columns], rng)
        if table is not None:
            state.witness(part.columns, table)
        decided = len(left) - int(state.undecided(part.columns[left]).sum())
        idle = 0 if decided > len(left) * _WORTH else idle + 1


def _one_cell(
    part: Component, form: int, state: _State, linear: Program, base: IntArray, endless: NDArray[np.bool_]
) -> None:
    """Both ends of one cell: linear programs, then whole numbers near them, then integer programs."""
    column = part.columns[form : form + 1]
    if not state.undecided(column)[0]:
        return
    costs = np.zeros(len(part.columns))
    costs[form] = 1.0
    linear.set_costs(costs)
    near: list[tuple[bool, NDArray[np.float64]]] = []
    for greatest in (True, False):
        answer = linear.solve(greatest=greatest)
        if answer.values is None:
            continue
        _outer(state, int(column[0]), answer, greatest, part, endless)
        found = whole(answer.values)
        if found is not None and part.holds(found):
            state.witness(part.columns, found)
        else:
            near.append((greatest, answer.values))
    for greatest, point in near:
        if state.undecided(column)[0]:
            close = Component(
                part.columns,
                part.matrix,
                part.rhs,
                np.maximum(part.lower, np.floor(np.minimum(point, base)) - 1),
                np.minimum(part.upper, np.ceil(np.maximum(point, base)) + 1),
            )
            _whole_end(close, form, state, costs, greatest, endless, outer=False)
    for greatest in (True, False):
        if state.undecided(column)[0]:
            _whole_end(part, form, state, costs, greatest, endless, outer=True)


def _whole_end(
    part: Component,
    form: int,
    state: _State,
    costs: NDArray[np.float64],
    greatest: bool,
    endless: NDArray[np.bool_],
    *,
    outer: bool,
) -> None:
    """An integer program for one end; without `outer` its box is narrowed and only witnesses count."""
    variable = int(part.columns[form])
    search = program(part, integer=True, nodes=_NODES)
    search.set_costs(costs)
    need = int(state.need[variable])
    aim = (
        max(state.low[variable] + need, state.least[variable])
        if greatest
        else min(state.high[variable] - need, state.most[variable])
    )
    answer = search.solve(greatest=greatest, target=float(aim))
    if outer and answer.values is not None:
        _outer(state, variable, answer, greatest, part, endless)
    if answer.values is not None:
        found = np.rint(answer.values).astype(np.int64)
        if part.holds(found):
            state.witness(part.columns, found)


def _outer(
    state: _State, variable: int, answer: Answer, greatest: bool, part: Component, endless: NDArray[np.bool_]
) -> None:
    """An outer bound, rounded to the whole number inside.

    Where no artificial ceiling presses on the objective, the optimum is the same without the ceilings.
    """
    if answer.values is None or not np.isfinite(answer.bound):
        return
    held = endless & (answer.values >= part.upper - 0.5)
    if answer.pressed is not None:
        held &= answer.pressed
    if held.any():
        return
    if greatest:
        state.outer_high[variable] = min(state.outer_high[variable], np.floor(answer.bound + _SURE))
    else:
        state.outer_low[variable] = max(state.outer_low[variable], np.ceil(answer.bound - _SURE))


def _verdicts(
    system: System, public: PublicCells, state: _State, judged: NDArray[np.bool_], minimum: int
) -> Verdicts:
    rules = system.relations
    exact = state.outer_low == state.outer_high
    hidden = np.zeros(rules.variables, dtype=bool)
    hidden[: len(public.hidden)] = public.hidden
    # An implied cell that is known exactly acts as a shown one: it must be no small count, and that is all.
    settled = exact & judged & ~hidden & (rules.kinds != Kind.FORM)
    small_step = exact & (rules.kinds == Kind.STEP) & small(rules, state.outer_low, minimum)
    little = small(rules, state.outer_low, minimum)
    variables = np.flatnonzero((judged & ~settled) | (settled & little) | small_step)
    verdicts = np.full(len(variables), Verdict.UNDECIDED, dtype=np.int8)
    verdicts[state.wide(variables)] = Verdict.WIDE
    verdicts[state.broken(variables)] = Verdict.BROKEN
    return Verdicts(
        relations=rules,
        variables=variables,
        verdicts=verdicts,
        low=state.low[variables],
        high=state.high[variables],
        outer_low=state.outer_low[variables],
        outer_high=state.outer_high[variables],
        small_lines=small_lines(rules, exact & ~hidden, state.outer_low, minimum),
    )


def feasibility_interval(public: PublicCells, cell: int, *, known: Relations | None = None) -> Interval:
    """The exact ends of one cell over all whole-number tables that fit; the upper one None if unbounded.

    In the unit of the cell. Raises InputError if the published values contradict each other, Undecided at
    the node limit. Source: Handbook on Statistical Disclosure Control, ch. 4.
    """
    rules = known if known is not None else relations(public.space)
    system = attackers_system(rules, public)
    for part in components(system):
        place = np.flatnonzero(part.columns == cell)
        if len(place):
            return _exact_ends(part, int(place[0]), rules)
    return int(system.lower[cell]), int(system.upper[cell])


def _exact_ends(part: Component, form: int, rules: Relations) -> Interval:
    endless = np.isinf(part.upper)
    part = ceiling(part, 0)
    search = program(part, integer=True, nodes=_EXACT_NODES)
    costs = np.zeros(len(part.columns))
    costs[form] = 1.0
    search.set_costs(costs)
    ends: list[int] = []
    for greatest in (False, True):
        answer = search.solve(greatest=greatest)
        if answer.feasible is False:
            raise contradiction(rules)
        table = None if answer.values is None else np.rint(answer.values).astype(np.int64)
        if table is None or not part.holds(table) or abs(answer.bound - table[form]) > 0.5:
            raise Undecided(
                "the exact interval was not found within the node limit",
                where=rules.describe(int(part.columns[form])),
                fix="ask for its verdict instead: two witnesses are easier to find than both ends",
            )
        if greatest and endless[form] and table[form] >= part.upper[form] / 4:
            return ends[0], None
        ends.append(int(table[form]))
    return ends[0], ends[1]
