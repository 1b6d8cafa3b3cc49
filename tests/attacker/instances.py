"""Random linked hierarchical tables, small enough for brute force, each made again by its number.

An instance is a population with its true cells and a policy. `as_published` writes the files of a
release of protected cells and reads them back, and the second attacker is given nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.confidential.original import OriginalCells
from clerestory.policy import Policy
from clerestory.release.structure import Rule
from clerestory.tables import (
    RECORDS,
    TOTAL,
    Axis,
    CellSpace,
    Dimension,
    Node,
    PublicCells,
    Spread,
    TableDesign,
    Unit,
    link_tables,
    text,
)
from tests.attacker.files import parse
from tests.attacker.published import Release
from tests.attacker.written import files_of

PERSONS = Unit("persons", assign=Spread.FIRST, by="date")
MOST_CELLS = 60
"""Published cells of an instance, at most: what brute force can take."""


@dataclass(frozen=True, eq=False)
class Instance:
    """A source with its true cells, and the policy to protect it by."""

    seed: int
    kind: str
    original: OriginalCells
    policy: Policy


def as_published(public: PublicCells, policy: Policy) -> Release:
    """The protected cells as a reader has them: what the files of a release say, and nothing else."""
    rule = Rule(
        policy.audit_level,
        policy.interval_width,
        policy.minimum_count,
        public.zeros_shown,
        insider_records=policy.insider_records,
    )
    return parse(files_of(public, rule))[public.space.source]


# --- dimensions -------------------------------------------------------------------------------------------


def _cut(draw: random.Random, members: Sequence[int], parts: int) -> list[list[int]]:
    """Neighbouring categories in this many parts of uneven size."""
    cuts = sorted(draw.sample(range(1, len(members)), min(parts, len(members)) - 1))
    return [list(members[a:b]) for a, b in zip([0, *cuts], [*cuts, len(members)], strict=True)]


def _dimension(draw: random.Random, name: str, axis: Axis, depth: int) -> Dimension:
    """A random tree over an axis, with uneven branching and now and then a single child."""
    nodes = [Node(TOTAL, text("Total"), TOTAL, -1)]
    members = [list(range(len(axis.categories)))]
    layer = [0]
    for level in range(depth):
        below: list[int] = []
        last = level == depth - 1
        for parent in layer:
            inside = members[parent]
            if len(inside) == 1 and draw.random() < 0.5:
                continue
            if last and draw.random() < 0.7:
                parts = [[category] for category in inside]
            elif draw.random() < 0.15:
                parts = [inside]
            else:
                parts = _cut(draw, inside, draw.randint(1 if len(inside) == 1 else 2, 4))
            for part in parts:
                nodes.append(
                    Node(f"{name}{len(nodes)}", text(f"{name} {len(nodes)}"), f"level{level + 1}", parent)
                )
                members.append(part)
                below.append(len(nodes) - 1)
        layer = below
    rows = np.zeros((len(nodes), len(axis.categories)), dtype=bool)
    for row, inside in zip(rows, members, strict=True):
        row[inside] = True
    return Dimension(
        name, text(name), axis.name, tuple(f"level{k + 1}" for k in range(depth)), tuple(nodes), rows
    )


def restricted(dimension: Dimension, select: NDArray[np.bool_]) -> Dimension:
    """The dimension as a table with a restriction on its axis has it: without nodes that hold nobody."""
    members = dimension.members & select
    kept = [i for i in range(len(dimension.nodes)) if i == 0 or members[i].any()]
    place = {old: new for new, old in enumerate(kept)}
    nodes = tuple(
        Node(n.code, n.label, n.level, place[n.parent] if n.parent >= 0 else -1)
        for n in (dimension.nodes[i] for i in kept)
    )
    return Dimension(dimension.name, dimension.title, dimension.axis, dimension.levels, nodes, members[kept])


UnitsOf = Callable[[random.Random, Sequence[Axis]], list[Unit]]


# --- tables -----------------------------------------------------------------------------------------------


def _margins(draw: random.Random, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    count = draw.choice([1, 1, 2, 3])
    return tuple(tuple(draw.sample(list(names), draw.randint(1, min(len(names), 3)))) for _ in range(count))


def space_of(draw: random.Random, units: UnitsOf | None = None) -> CellSpace | None:
    """A source's axes, dimensions and tables; None where brute force could not take them.

    units: what tables may count, given the axes; records and persons if None.
    """
    count = draw.choices([1, 2, 3, 4], weights=[2, 5, 4, 2])[0]
    largest = {1: 14, 2: 7, 3: 4, 4: 3}[count]
    axes = [
        Axis(
            f"axis{k}", tuple(f"{'pqrs'[k]}{i}" for i in range(draw.randint(1 if count > 1 else 2, largest)))
        )
        for k in range(count)
    ]
    pool = [
        _dimension(
            draw, f"{'PQRS'[k]}", axis, draw.choice([1, 1, 2, 3]) if count < 3 else draw.choice([1, 1, 2])
        )
        for k, axis in enumerate(axes)
    ]
    if draw.random() < 0.35:
        k = draw.randrange(count)
        pool.append(_dimension(draw, f"{'PQRS'[k]}other", axes[k], draw.choice([1, 1, 2])))
    persons = draw.choices(["none", "beside", "only"], weights=[6, 3, 1])[0]
    designs: list[TableDesign] = []
    for number in range(draw.choice([1, 1, 2, 2, 3])):
        chosen = draw.sample(pool, draw.randint(1, min(len(pool), 4)))
        select: dict[str, NDArray[np.bool_]] = {}
        if number and draw.random() < 0.35:
            axis = draw.choice(axes)
            mask = np.array([draw.random() < 0.6 for _ in axis.categories])
            if mask.any() and not mask.all():
                select[axis.name] = mask
                chosen = [restricted(d, mask) if d.axis == axis.name else d for d in chosen]
        margins = _margins(draw, [d.name for d in chosen])
        used = {name for margin in margins for name in margin}
        dimensions = tuple(d for d in chosen if d.name in used)
        if units is None:
            counted = {"none": [RECORDS], "only": [PERSONS], "beside": [RECORDS, PERSONS]}[persons]
            if persons == "beside" and draw.random() < 0.3:
                counted = [draw.choice(counted)]
        else:
            counted = units(draw, axes)
        for unit in counted:
            name = f"table{number}-{unit.name}"
            designs.append(TableDesign(name, text(name), unit, dimensions, margins, select))
    try:
        space = link_tables("source", axes, designs, maximum_cells=4 * MOST_CELLS)
    except Exception as error:
        if type(error).__name__ != "InputError":
            raise
        return None
    return space if len(space) <= MOST_CELLS else None


# --- populations ------------------------------------------------------------------------------------------


def counts_of(
    draw: random.Random, random_: np.random.Generator, shape: tuple[int, ...], kind: str
) -> NDArray[np.int64]:
    """Records in each finest cell: many zeros, many small counts, a few large ones."""
    size = int(np.prod(shape))
    if kind == "empty":
        return np.zeros(shape, dtype=np.int64)
    if kind == "all small":
        return random_.integers(0, 3, size=size).reshape(shape)
    if kind == "all large":
        return random_.integers(20, 60, size=size).reshape(shape)
    zero = draw.choice([0.2, 0.4, 0.6, 0.8])
    typical = draw.choice([2.0, 5.0, 12.0])
    counts = np.ceil(random_.lognormal(np.log(typical), draw.choice([0.5, 1.0, 1.5]), size=size)).astype(
        np.int64
    )
    counts = np.minimum(counts, 300)
    counts[random_.random(size) < zero] = 0
    return counts.reshape(shape)


def _box(space: CellSpace, cell: int) -> list[NDArray[np.bool_]]:
    return [space.sets[axis][space.cells[cell, axis]] for axis in range(len(space.axes))]


def _original(
    draw: random.Random, random_: np.random.Generator, space: CellSpace, kind: str
) -> OriginalCells:
    """True values of every cell, counted record by record."""
    shape = tuple(len(axis.categories) for axis in space.axes)
    counts = counts_of(draw, random_, shape, kind)
    where = np.repeat(np.arange(counts.size), counts.ravel())
    random_.shuffle(where)
    told_apart = any(unit.kind == "persons" for unit in space.unit_list) or draw.random() < 0.15
    repeats = draw.choice([1.0, 1.2, 2.0])
    person = (
        random_.integers(0, max(1, int(len(where) / repeats)), size=len(where))
        if repeats > 1
        else (np.arange(len(where)))
    )
    return counted(space, Rows(np.array(np.unravel_index(where, shape)), person, {}), told_apart=told_apart)


@dataclass(frozen=True, eq=False)
class Rows:
    """Records: (axes, records) categories; (records,) whose; measure -> (records,) what it adds."""

    coordinates: NDArray[np.int64]
    person: NDArray[np.int64]
    measures: Mapping[str, NDArray[np.int64]]


def counted(space: CellSpace, rows: Rows, *, told_apart: bool) -> OriginalCells:
    """The true cells of records, one by one. A person who is assigned is where his first record is."""
    _, first = np.unique(rows.person, return_index=True)
    is_first = np.zeros(len(rows.person), dtype=bool)
    is_first[first] = True
    n = len(space)
    values, records, persons = (np.zeros(n, dtype=np.int64) for _ in range(3))
    for cell in range(n):
        inside = np.ones(len(rows.person), dtype=bool)
        for coordinate, members in zip(rows.coordinates, _box(space, cell), strict=True):
            inside &= members[coordinate]
        records[cell] = inside.sum()
        persons[cell] = len(np.unique(rows.person[inside]))
        unit = space.unit_list[space.units[cell]]
        if unit.kind == "records":
            values[cell] = records[cell]
        elif unit.kind == "sum":
            values[cell] = rows.measures[unit.measure][inside].sum()
        else:
            values[cell] = persons[cell] if unit.overlapping else (inside & is_first).sum()
    return OriginalCells(space, values, records, persons if told_apart else None)


KINDS = ("skewed",) * 12 + ("all small", "all large", "empty")


def instance(seed: int) -> Instance:
    """The instance of this number: the same one every time."""
    draw = random.Random(seed)
    random_ = np.random.default_rng(seed)
    least = draw.choice([1, 8, 14, 20, 26])
    space = space_of(draw)
    while space is None or len(space) < least:
        space = space_of(draw)
    kind = draw.choice(KINDS)
    policy = policy_of(draw)
    return Instance(seed, kind, _original(draw, random_, space, kind), policy)


def policy_of(draw: random.Random) -> Policy:
    """A policy with small numbers, so that small tables can meet it."""
    return Policy(
        profile="instance",
        source="drawn at random",
        minimum_count=draw.randint(3, 11),
        interval_width=draw.randint(1, 9),
    )
