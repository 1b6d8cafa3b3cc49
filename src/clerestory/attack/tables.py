"""Whole integer tables that satisfy a component: the attacker's possible worlds, and where to find one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack

from clerestory.attack.programs import Program, whole
from clerestory.attack.relations import Relations
from clerestory.attack.system import Component, System, components, contradiction, propagate
from clerestory.attack.vertices import Vertices
from clerestory.errors import Undecided
from clerestory.tables.space import IntArray

_TRIES = 6
_NODES = 20_000
"""Branch-and-bound nodes for one table; a fixed count, so that the answer does not depend on the machine."""


def ceiling(component: Component, room: int) -> Component:
    """The component with finite upper bounds, so large that no vertex of the bounded part reaches them."""
    finite = np.where(np.isinf(component.upper), 0, component.upper)
    reach = float(np.abs(component.rhs).sum() + component.lower.sum() + finite.sum() + room) * 4 + 1000
    upper = np.where(np.isinf(component.upper), component.lower + reach, component.upper)
    return Component(component.columns, component.matrix, component.rhs, component.lower, upper)


def program(component: Component, *, integer: bool = False, nodes: int = 0) -> Program:
    """The component as a program; every upper bound must be finite."""
    return Program(
        component.matrix,
        component.rhs.astype(np.float64),
        component.lower,
        component.upper,
        integer=integer,
        nodes=nodes,
    )


def any_table(
    component: Component, rng: np.random.Generator, need: IntArray | None = None
) -> IntArray | None:
    """One integer table of a component, None if it has none. Raises Undecided at the node limit.

    need: (columns,) how far cells should be able to fall: a table far from its bounds is sought, from which
    more moves start.
    """
    if need is not None:
        table = _central(component, need, rng)
        if table is not None:
            return table
    linear = program(component)
    for _ in range(_TRIES):
        linear.set_costs(rng.uniform(0.5, 1, len(component.columns)))
        answer = linear.solve()
        if answer.feasible is False:
            return None
        if answer.values is not None:
            table = whole(answer.values)
            if table is not None and component.holds(table):
                return table
    answer = program(component, integer=True, nodes=_NODES).solve()
    if answer.feasible is False:
        return None
    if answer.values is not None:
        table = np.rint(answer.values).astype(np.int64)
        if component.holds(table):
            return table
    raise Undecided(
        f"no whole-number table found for a component of {len(component.columns)} cells",
        where="the attacker's system",
        fix="hide fewer cells, or split the tables of this source",
    )


def _central(component: Component, need: IntArray, rng: np.random.Generator) -> IntArray | None:
    """A whole table in which as many cells as possible are above their least value, by up to `need`.

    Each cell is a sum of pieces of which the first count most; copies of a column leave the vertices of a
    program as whole as they were. None if this one is not whole.
    """
    room = np.maximum(component.upper - component.lower, 0)
    first = np.minimum(np.ceil(need / 2), room)
    second = np.minimum(np.floor(need / 2), room - first)
    pieces = [first, second, room - first - second]
    zero = np.zeros(len(room))
    rhs = component.rhs - component.matrix @ component.lower
    zero = np.zeros(len(room))
    vertices = Vertices(
        hstack([component.matrix] * len(pieces)).tocsr(),
        rhs,
        rhs,
        np.tile(zero, len(pieces)),
        np.concatenate(pieces),
    )
    ties = rng.uniform(0, 0.05, len(room))
    worth = np.concatenate([2 - ties, 1 - ties, -ties])
    vertex = vertices.push(np.arange(len(worth)), worth)
    found = None if vertex is None else vertices.whole_near(vertex, rng)
    if found is None:
        return None
    table = np.asarray(found.reshape(len(pieces), -1).sum(axis=0) + component.lower.astype(np.int64))
    return table if component.holds(table) else None


def far_table(
    component: Component,
    base: IntArray,
    cells: IntArray,
    up: NDArray[np.bool_],
    need: IntArray,
    rng: np.random.Generator,
) -> IntArray | None:
    """A whole table in which many of some cells are `need` above (up) or below another table's values.

    base, up, need: (columns,); cells: positions of columns. None if the vertex found is not whole.
    """
    width = len(component.columns)
    room = np.maximum(component.upper - component.lower, 0)
    edge = np.where(up, base + need, base - need) - component.lower
    first = np.clip(edge, 0, room)
    worth = np.zeros(width)
    worth[cells] = rng.uniform(0.7, 1, len(cells))
    linear = Program(
        hstack([component.matrix] * 2).tocsr(),
        component.rhs - component.matrix @ component.lower,
        np.zeros(2 * width),
        np.concatenate([first, room - first]),
    )
    ties = rng.uniform(0, 0.01, width)
    linear.set_costs(np.concatenate([np.where(up, -worth, 0) + ties, np.where(up, 0, worth) + ties]))
    answer = linear.solve()
    if answer.values is None:
        return None
    table = whole(answer.values.reshape(2, -1).sum(axis=0) + component.lower)
    return table if table is not None and component.holds(table) else None


def completed(relations: Relations, values: IntArray, *, seed: int = 0) -> IntArray:
    """(variables,) a table with these cell values, unpublished boxes filled in so that every row holds.

    values: (cells,). Raises InputError if the values do not add up, Undecided at the node limit.
    """
    lower = np.zeros(relations.variables)
    upper = np.full(relations.variables, np.inf)
    lower[: len(values)] = upper[: len(values)] = values
    lower, upper = propagate(relations.matrix, lower, upper)
    if np.any(lower > upper):
        raise contradiction(relations)
    table = lower.astype(np.int64)
    rng = np.random.default_rng(seed)
    for part in components(System(relations, lower, upper, lower == upper)):
        found = any_table(ceiling(part, 0), rng)
        if found is None:
            raise contradiction(relations)
        table[part.columns] = found
    if np.any(relations.matrix @ table != 0):
        raise contradiction(relations)
    return table
