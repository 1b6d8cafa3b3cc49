"""Alternating circuits: the smallest changes of a table that a reader could not tell from it.

On each axis a circuit moves people from one category to another, or adds them to one; its effect on a box is
the product over the axes, so every relation of the boxes holds in all linked tables at once. On two axes it
may go a longer way round, through what is hidden already. The search is compiled (circuits.c); what it finds
is checked here in whole-number arithmetic before it counts, so a fault in it cannot make anything look safe.
Source: alternating cycles of complementary suppression, Handbook on Statistical Disclosure Control, ch. 4.
"""

from __future__ import annotations

import ctypes
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.relations import Kind, Relations
from clerestory.errors import Undecided
from clerestory.tables.space import IntArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Int32Array = NDArray[np.int32]

_DENSE = 60_000_000
"""Boxes that a table of positions may have; beyond, positions are looked up by a hash."""
_MOST = 1 << 15
"""Corners of one move, at most."""
_STEP = 1e-3
"""What a corner costs besides its price, so that circuits are short."""
_MOST_AXES = 16
_FARTHEST = 1 << 60
"""Numbers that boxes may have."""


@dataclass(frozen=True, eq=False)
class Circuit:
    """A move: columns (variables, sorted) change by steps, none 0. opened: those that were not open, with
    what they cost together; reached: by how much the cell moves."""

    columns: IntArray
    steps: IntArray
    opened: IntArray
    spent: float
    reached: int


class _Grid(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_int32) for name in ("axes", "units", "patterns", "hashed")),
        ("size", ctypes.c_int64),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *(
                    "pattern",
                    "within",
                    "tree",
                    "set_from",
                    "over",
                    "child_from",
                    "child",
                    "atom_from",
                    "own",
                    "hub",
                ),
                *("chain_from", "chain", "weight", "box", "form", "origin", "stride", "place"),
            )
        ),
        ("slots", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("keys", "at")),
    )


_VERSION = 2
"""Of the functions' arguments; the same number is in circuits.c."""


def _library() -> ctypes.CDLL:
    suffix = {"win32": "dll", "darwin": "dylib"}.get(sys.platform, "so")
    path = Path(__file__).with_name(f"_circuits.{suffix}")
    try:
        library = ctypes.CDLL(str(path))
        if library.circuits_version() != _VERSION:
            raise OSError
    except (OSError, AttributeError):
        raise Undecided(
            "the compiled part of the attack is missing, of another version or of another machine",
            where=path.name,
            fix="install clerestory again, with a C compiler at hand",
        ) from None
    return library


class Board:
    """A table on which circuits are sought. Each array is (variables,) and may be changed between calls.

    room: how far each variable can fall. price: of opening one; 0 where it is open, inf where it must not be.
    """

    def __init__(self, rules: Relations, room: IntArray, price: FloatArray, weight: IntArray) -> None:
        self.room, self.price = np.ascontiguousarray(room), np.ascontiguousarray(price)
        self._delta = np.zeros(rules.variables, dtype=np.int64)
        self._move = _library().circuits_move
        self._move.restype = ctypes.c_int64
        groups = _groups(rules)
        usable = np.isin(rules.kinds, (Kind.CELL, Kind.BOX, Kind.STEP))
        self.group = np.where(usable, np.array(groups, dtype=np.int64)[rules.units], -1)
        if rules.boxes.shape[1] > _MOST_AXES:
            self.group[:] = -1
        self._axes = _Axes(rules, weight)
        self._grids = {
            number: _grid(self._axes, rules, usable, [u for u, own in enumerate(groups) if own == number])
            for number in sorted(set(groups) - {-1})
        }
        self._work = np.empty(3 * _MOST, dtype=np.int32), np.empty(3 * _MOST, dtype=np.int8)
        self._variables, self._changes = np.empty(_MOST, dtype=np.int32), np.empty(_MOST, dtype=np.int64)
        self._opened, self._paid = np.empty(_MOST, dtype=np.int32), np.empty(_MOST, dtype=np.float64)

    def move(
        self,
        cell: int,
        sense: int,
        want: int,
        *,
        buy: bool,
        budget: int,
        deep: int = 1,
        rounds: int = 8,
        hope: float = 0.3,
        seed: int = 0,
    ) -> Circuit | None:
        """A move of the cell by up to `want` in one direction (1 or -1), None if there is none in sight.

        What it opens has price 0 from then on; `undo` takes that back. budget: networks looked at for a
        circuit; deep: on how many axes people may be added instead of moved; rounds: circuits in a row;
        hope: what a missing unit is taken to cost.
        """
        group = int(self.group[cell])
        if group < 0 or want <= 0:
            return None
        count, opens = ctypes.c_int64(), ctypes.c_int64()
        spent = ctypes.c_double()
        reached = self._move(
            ctypes.byref(self._grids[group][0]),
            _at(self.room),
            _at(self.price),
            _at(self._delta),
            ctypes.c_double(_STEP),
            ctypes.c_int64(cell),
            ctypes.c_int32(sense),
            ctypes.c_int64(want),
            ctypes.c_int32(buy),
            ctypes.c_int32(budget),
            ctypes.c_int32(deep),
            ctypes.c_int32(rounds),
            ctypes.c_double(hope),
            ctypes.c_uint64(seed),
            _at(self._variables),
            _at(self._changes),
            ctypes.byref(count),
            _at(self._opened),
            _at(self._paid),
            ctypes.byref(opens),
            ctypes.byref(spent),
            _at(self._work[0]),
            _at(self._work[1]),
            ctypes.c_int64(_MOST),
        )
        opened = self._opened[: opens.value].astype(np.int64)
        self._last = opened, self._paid[: opens.value].copy()
        if reached <= 0:
            return None
        columns = self._variables[: count.value].astype(np.int64)
        order = np.argsort(columns)
        return Circuit(columns[order], self._changes[: count.value][order], opened, spent.value, int(reached))

    def undo(self) -> None:
        """Takes back what the last move opened."""
        opened, paid = self._last
        self.price[opened] = paid


class _Axes:
    """The sets, atoms and trees of all axes, as flat arrays."""

    def __init__(self, rules: Relations, weight: IntArray) -> None:
        counts = [len(sets) for sets in rules.sets]
        self.count = len(counts)
        self.boxes = np.ascontiguousarray(rules.boxes, dtype=np.int32)
        self.counts = counts
        trees, over, child_from, child, own, hub, chain_from, chain, heavy = (
            [],
            [],
            [0],
            [],
            [],
            [],
            [0],
            [],
            [],
        )
        atom_from, set_from = [0], [0]
        for axis, sets in enumerate(rules.sets):
            atoms = _atoms(sets)
            sizes = atoms.sum(axis=1)
            shared = atoms.astype(np.int64) @ atoms.T.astype(np.int64)
            nested = (shared == 0) | (shared == np.minimum(sizes[:, None], sizes[None, :]))
            distinct = len(np.unique(np.packbits(atoms, axis=1), axis=0)) == len(atoms)
            trees.append(bool(nested.all()) and distinct)
            inside = (shared == sizes[:, None]) & (sizes[:, None] < sizes[None, :])
            above = np.where(inside, sizes[None, :], np.iinfo(np.int64).max)
            parent = np.where(inside.any(axis=1), above.argmin(axis=1), -1)
            over += parent.tolist()
            alone = {int(np.flatnonzero(atoms[s])[0]): s for s in range(len(atoms)) if sizes[s] == 1}
            held = [np.flatnonzero(atoms[:, atom]) for atom in range(atoms.shape[1])]
            kids: list[list[int]] = [[] for _ in sets]
            for atom, holders in enumerate(held):
                ordered = holders[np.argsort(sizes[holders], kind="stable")]
                mine = alone.get(atom, -1)
                own.append(mine)
                up = int(parent[mine]) if mine >= 0 else int(ordered[0])
                hub.append(up)
                if up >= 0:
                    kids[up].append(atom)
                chain += ordered.tolist()
                chain_from.append(len(chain))
            for s in range(len(atoms)):
                if sizes[s] > 1 and parent[s] >= 0:
                    kids[int(parent[s])].append(atoms.shape[1] + s)
            for listed in kids:
                child += listed
                child_from.append(len(child))
            child_from.append(len(child))
            heavy += _weights(rules, axis, held, weight)
            atom_from.append(len(own))
            set_from.append(len(over))
        self.tree, self.over = np.array(trees, dtype=np.int32), np.array(over, dtype=np.int32)
        self.child_from, self.child = (
            np.array(child_from, dtype=np.int32),
            np.array(child or [0], dtype=np.int32),
        )
        self.own, self.hub = np.array(own, dtype=np.int32), np.array(hub, dtype=np.int32)
        self.chain_from, self.chain = np.array(chain_from, dtype=np.int32), np.array(chain, dtype=np.int32)
        self.atom_from, self.set_from = (
            np.array(atom_from, dtype=np.int32),
            np.array(set_from, dtype=np.int32),
        )
        self.weight = np.array(heavy, dtype=np.float64)


def _weights(rules: Relations, axis: int, held: list[IntArray], weight: IntArray) -> list[float]:
    """How much is in each atom of an axis: in the cell that divides this axis alone, by its smallest set."""
    rest = np.delete(rules.boxes, axis, axis=1)
    alone = np.flatnonzero(~rest.any(axis=1) & (rules.kinds == Kind.CELL))
    values = np.zeros(len(rules.sets[axis]))
    values[rules.boxes[alone, axis]] = weight[alone]
    sizes = rules.sets[axis].sum(axis=1)
    return [float(values[holders[np.argmin(sizes[holders])]]) for holders in held]


def _atoms(sets: BoolArray) -> BoolArray:
    """(sets, atoms) bool: the categories, those that no set tells apart taken as one."""
    _, first = np.unique(sets, axis=1, return_index=True)
    return np.asarray(sets[:, np.sort(first)])


def _groups(rules: Relations) -> list[int]:
    """For each unit the number of the group that it moves with: additive counts together, each sum alone."""
    found, fresh = [], 1
    for unit, overlapping in zip(rules.space.unit_list, rules.space.overlapping, strict=True):
        if overlapping:
            found.append(-1)
        elif unit.kind == "sum":
            found.append(fresh)
            fresh += 1
        else:
            found.append(0)
    return found


def _grid(axes: _Axes, rules: Relations, usable: BoolArray, units: list[int]) -> tuple[_Grid, list[object]]:
    """The structure that the search reads, and what must stay alive with it."""
    inside = usable & np.isin(rules.units, units)
    shapes = (axes.boxes[inside] != 0) @ (1 << np.arange(axes.count))
    patterns = np.unique(shapes).astype(np.int32)
    forms = _Forms(axes, inside)
    dense = len(units) * forms.size <= _DENSE
    slots = 1 if dense else 1 << int(2 * inside.sum()).bit_length()
    place = np.full(len(units) * forms.size if dense else 1, -1, dtype=np.int32)
    keys, at = np.full(len(units) * slots, -1, dtype=np.int64), np.zeros(len(units) * slots, dtype=np.int32)
    for turn, unit in enumerate(units):
        own = forms.known(np.flatnonzero(usable & (rules.units == unit)))
        numbers, variables = forms.numbers(own), own.astype(np.int32)
        if dense:
            # a box's first variable is the cell
            place[turn * forms.size + numbers[::-1]] = variables[::-1]
            continue
        part = slice(turn * slots, (turn + 1) * slots)
        arrays = numbers, variables, keys[part], at[part]
        codes, here, into, found = (_at(array) for array in arrays)
        _library().circuits_index(codes, here, ctypes.c_int64(len(own)), into, found, ctypes.c_int64(slots))
    held = {
        "pattern": patterns,
        "within": _within(patterns, axes.count),
        "box": axes.boxes,
        "form": forms.form,
        "origin": forms.origin,
        "stride": forms.stride,
        "place": place,
        "keys": keys,
        "at": at,
        **{
            name: getattr(axes, name)
            for name in (
                "tree",
                "set_from",
                "over",
                "child_from",
                "child",
                "atom_from",
                "own",
                "hub",
                "chain_from",
                "chain",
                "weight",
            )
        },
    }
    grid = _Grid(axes.count, len(units), len(patterns), 0 if dense else 1, forms.size)
    grid.slots = slots
    for name, array in held.items():
        setattr(grid, name, _at(array))
    return grid, list(held.values())


class _Forms:
    """Numbers boxes densely: those that divide the same axes are numbered together."""

    def __init__(self, axes: _Axes, inside: BoolArray) -> None:
        self._boxes = axes.boxes
        self._masks = (axes.boxes != 0) @ (1 << np.arange(axes.count))
        masks = np.unique(self._masks[inside])
        self.form = np.full(1 << min(axes.count, _MOST_AXES), -1, dtype=np.int32)
        self.origin = np.zeros(len(masks), dtype=np.int64)
        self.stride = np.zeros((len(masks), axes.count), dtype=np.int64)
        self.size = 0
        for number, mask in enumerate(masks.tolist()):
            parts = [axes.counts[axis] - 1 for axis in range(axes.count) if mask >> axis & 1]
            if mask >= len(self.form) or self.size + math.prod(parts) >= _FARTHEST:
                break  # no circuit goes there
            self.form[mask] = number
            step = 1
            self.origin[number] = self.size
            for axis in range(axes.count - 1, -1, -1):
                if mask >> axis & 1:
                    self.stride[number, axis] = step
                    self.origin[number] -= step  # the first set that divides an axis is number 1
                    step *= axes.counts[axis] - 1
            self.size += step

    def known(self, variables: IntArray) -> IntArray:
        """Those that have a number."""
        masks = self._masks[variables]
        inside = masks < len(self.form)
        return np.asarray(variables[inside & (self.form[np.where(inside, masks, 0)] >= 0)])

    def numbers(self, variables: IntArray) -> IntArray:
        """(variables,) the number of each one's box."""
        forms = self.form[self._masks[variables]]
        inside = np.einsum("va,va->v", self.stride[forms], self._boxes[variables].astype(np.int64))
        return np.ascontiguousarray(self.origin[forms] + inside)


def _within(patterns: Int32Array, axes: int) -> NDArray[np.uint8]:
    """(2^axes,) whether a mask of axes is part of a pattern."""
    found = np.zeros(1 << min(axes, _MOST_AXES), dtype=np.uint8)
    masks = np.arange(len(found))
    for pattern in patterns.tolist():
        found |= (masks & ~pattern == 0).astype(np.uint8)
    return found


def _at(array: NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
