"""Families of sets on one axis: which published set is the sum of which others.

Two nested levels (county < region) add up by parent and children. Two bandings of one field do not nest;
what links them is their common refinement, the atoms of the algebra they generate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Family:
    """How the sets of a family add up.

    extra: (m, categories) sets that are not in the family but are needed to say so (rests, unions, atoms).
    lines: (parent, children): the parent is the disjoint union of its children. Positions from 0 are the
    family's own sets; positions from its length on are `extra`.
    """

    extra: tuple[BoolArray, ...]
    lines: tuple[tuple[int, tuple[int, ...]], ...]


class _Sets:
    def __init__(self, members: BoolArray) -> None:
        self.own = len(members)
        self.rows: list[BoolArray] = list(members)
        self._position = {np.packbits(row).tobytes(): i for i, row in enumerate(members)}

    def position(self, row: BoolArray) -> int:
        key = np.packbits(row).tobytes()
        if key not in self._position:
            self._position[key] = len(self.rows)
            self.rows.append(row)
        return self._position[key]


def family(members: BoolArray) -> Family:
    """The lines of a family of distinct, non-empty sets; members: (k, categories) bool.

    Every linear relation among the sets' indicators follows from the lines. Where the children of a set do
    not cover it, a rest takes what is left, and the children together become a set of their own, because
    their sum is a count that a reader can work out.
    """
    sizes = members.sum(axis=1)
    counts = members.astype(np.int64)
    shared = counts @ counts.T
    nested = (shared == 0) | (shared == np.minimum(sizes[:, None], sizes[None, :]))
    sets = _Sets(members)
    lines: dict[tuple[int, tuple[int, ...]], None] = {}
    ends: dict[int, None] = {}
    layers = _nested_layers(nested, sizes, shared)
    for layer in layers:
        _layer_lines(layer, sets, sizes, shared, lines, ends)
    if len(layers) > 1:
        used = np.flatnonzero(members.any(axis=0))
        _, atom_of = np.unique(members[:, used], axis=1, return_inverse=True)
        atom_of = atom_of.ravel()
        atoms = np.zeros((int(atom_of.max()) + 1, members.shape[1]), dtype=bool)
        atoms[atom_of, used] = True
        for end in ends:
            parts = tuple(sets.position(atom) for atom in atoms if not np.any(atom & ~sets.rows[end]))
            if parts != (end,):
                lines[end, tuple(sorted(parts))] = None
    return Family(tuple(sets.rows[sets.own :]), tuple(lines))


def _nested_layers(nested: BoolArray, sizes: NDArray[np.int64], shared: NDArray[np.int64]) -> list[list[int]]:
    """Sub-families that nest, which together hold every set, and every two of which one is inside the other;
    each takes in all that nests with it.
    """
    order = np.lexsort((np.arange(len(sizes)), -sizes))
    layers: list[list[int]] = []
    for position in order:
        for layer in layers:
            if nested[position, layer].all():
                layer.append(int(position))
                break
        else:
            layers.append([int(position)])
    if len(layers) > 1:
        for layer in layers:
            for position in order:
                if position not in layer and nested[position, layer].all():
                    layer.append(int(position))
        layers += _further_layers(layers, order, nested, sizes, shared)
    return layers


def _further_layers(
    layers: list[list[int]],
    order: NDArray[np.intp],
    nested: BoolArray,
    sizes: NDArray[np.int64],
    shared: NDArray[np.int64],
) -> list[list[int]]:
    """Further sub-families: for each set, one for every two sets inside it that no layer has all three of.

    Where a restricted table and a whole one cross, a region of the one lies inside the same region of the
    other, and what is left between them is a count that a reader can work out; likewise what two disjoint
    sets of different bandings leave of their total.
    """
    inside = (shared == sizes[:, None]) & (sizes[:, None] < sizes[None, :])
    found = [set(layer) for layer in layers]
    for whole in order:
        parts = [int(part) for part in order if inside[part, whole]]
        for place, first in enumerate(parts):
            for second in parts[place:]:
                wanted = {int(whole), first, second}
                if (first != second and shared[first, second]) or any(wanted <= layer for layer in found):
                    continue
                layer = sorted(wanted, key=lambda one: (-sizes[one], one))
                for position in order:
                    if position not in layer and nested[position, layer].all():
                        layer.append(int(position))
                found.append(set(layer))
    ranked = [sorted(layer, key=lambda one: (-sizes[one], one)) for layer in found[len(layers) :]]
    return ranked


def _layer_lines(
    layer: list[int],
    sets: _Sets,
    sizes: NDArray[np.int64],
    shared: NDArray[np.int64],
    lines: dict[tuple[int, tuple[int, ...]], None],
    ends: dict[int, None],
) -> None:
    """Adds the lines of a nested family, and to `ends` the sets that no line of it divides."""
    chosen = np.array(layer)
    inside = (shared[np.ix_(chosen, chosen)] == sizes[chosen][:, None]) & (
        sizes[chosen][:, None] < sizes[chosen][None, :]
    )
    above = np.where(inside, sizes[chosen][None, :], np.iinfo(np.int64).max)
    nearest = np.where(inside.any(axis=1), above.argmin(axis=1), -1)
    for place, parent in enumerate(layer):
        children = tuple(sorted(int(c) for c in chosen[nearest == place]))
        if not children:
            ends[parent] = None
            continue
        union = np.logical_or.reduce([sets.rows[child] for child in children])
        if int(union.sum()) == int(sizes[parent]):
            lines[parent, children] = None
            continue
        rest = sets.position(sets.rows[parent] & ~union)
        ends[rest] = None
        together = children[0]
        if len(children) > 1:
            together = sets.position(union)
            lines[together, children] = None
        lines[parent, tuple(sorted((together, rest)))] = None
