"""From the finest groups to the cells of a block: atoms first, then the sets that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.tables import Block, CellSpace
from clerestory.tables.space import IntArray


@dataclass(frozen=True, eq=False)
class Side:
    """One axis of a block.

    axis: its position in the space. ids: the set ids used, each once. places: for each step along the block,
    the position in `ids`, -1 for an impossible one. members: (ids, atoms) bool. atoms: (categories,) the atom
    of each category: categories that no set of the block tells apart are one atom.
    """

    axis: int
    ids: IntArray
    places: IntArray
    members: NDArray[np.bool_]
    atoms: IntArray


@dataclass(frozen=True, eq=False)
class Grid:
    """A block, ready to be filled."""

    sides: tuple[Side, ...]
    cells: IntArray

    @property
    def atom_shape(self) -> tuple[int, ...]:
        """How many atoms each side has."""
        return tuple(side.members.shape[1] for side in self.sides)

    @property
    def box_shape(self) -> tuple[int, ...]:
        """How many sets each side has."""
        return tuple(len(side.ids) for side in self.sides)

    def box_cells(self) -> IntArray:
        """The cell of each combination of sets, in box_shape; -1 if the block has none."""
        found = np.full(self.box_shape, -1, dtype=np.int64)
        index, cells = self._possible()
        found[index] = cells
        return found

    def atom_codes(
        self, size: int, classes: Sequence[NDArray[np.int32]], categories: Sequence[IntArray]
    ) -> NDArray[np.int32]:
        """The atom of each of `size` groups, as one number; there are never so many that 32 bits are few.

        classes: (groups,) for each axis of the space; categories: the category of each class of an axis.
        """
        codes = np.zeros(size, dtype=np.int32)
        stride = 1
        for side in reversed(self.sides):
            of_class = (side.atoms[categories[side.axis]] * stride).astype(np.int32)
            codes += of_class.take(classes[side.axis])
            stride *= side.members.shape[1]
        return codes

    def boxes(self, atoms: IntArray) -> IntArray:
        """What the sets hold, from what the atoms hold: atom_shape in, box_shape out."""
        result = atoms.reshape(self.atom_shape)
        for place, side in enumerate(self.sides):
            result = np.moveaxis(
                np.tensordot(side.members.astype(np.int64), result, axes=(1, place)), 0, place
            )
        return result

    def atoms_inside(self, boxes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which atoms are in any of the chosen boxes: box_shape in, atom_shape out."""
        result = boxes.astype(np.int64)
        for place, side in enumerate(self.sides):
            result = np.moveaxis(
                np.tensordot(side.members.T.astype(np.int64), result, axes=(1, place)), 0, place
            )
            result = (result > 0).astype(np.int64)
        return result.astype(bool)

    def fill(self, values: IntArray, boxes: IntArray) -> None:
        """Writes what the sets hold to the cells."""
        index, cells = self._possible()
        values[cells] = boxes[index]

    def _possible(self) -> tuple[tuple[IntArray, ...], IntArray]:
        cells = self.cells.ravel()
        where = np.flatnonzero(cells >= 0)
        steps = np.unravel_index(where, self.cells.shape)
        index = tuple(side.places[step] for side, step in zip(self.sides, steps, strict=False))
        return index, cells[where]


def grid_of(space: CellSpace, block: Block) -> Grid:
    """The grid of a block."""
    sides = []
    for axis, steps in zip(block.axes, block.sets, strict=True):
        ids = np.unique(steps[steps >= 0])
        places = np.where(steps >= 0, np.searchsorted(ids, steps), -1)
        members = space.sets[axis][ids]
        unique, inverse = np.unique(members, axis=1, return_inverse=True)
        sides.append(Side(axis, ids, places, unique, inverse.ravel().astype(np.int64)))
    return Grid(tuple(sides), block.cells)


def added(codes: NDArray[np.int32], values: IntArray, size: int) -> IntArray:
    """Sums of values by code, exact: in three parts, each of which a float can hold."""
    if not len(values):
        return np.zeros(size, dtype=np.int64)
    greatest = int(np.abs(values).max())
    if greatest * len(values) < 1 << 53:
        return np.bincount(codes, weights=values, minlength=size).astype(np.int64)
    total = np.zeros(size, dtype=np.int64)
    for shift in (0, 21, 42):
        part = values >> shift if shift == 42 else (values >> shift) & 0x1FFFFF
        total += np.bincount(codes, weights=part, minlength=size).astype(np.int64) << shift
    return total


def sets_of_atoms(members: NDArray[np.bool_]) -> list[IntArray]:
    """The sets that each atom is in: as many arrays as the most sets an atom is in, filled up with -1."""
    most = int(members.sum(axis=0).max(initial=0))
    found = [np.full(members.shape[1], -1, dtype=np.int64) for _ in range(most)]
    for atom in range(members.shape[1]):
        for place, one in enumerate(np.flatnonzero(members[:, atom])):
            found[place][atom] = one
    return found


def layers_of(members: NDArray[np.bool_]) -> list[IntArray]:
    """Sets in layers, in none of which two overlap: for each layer, (atoms,) the set of each atom, or -1."""
    layers: list[IntArray] = []
    for place, row in enumerate(members):
        for layer in layers:
            if not (layer[row] >= 0).any():
                layer[row] = place
                break
        else:
            fresh = np.full(members.shape[1], -1, dtype=np.int64)
            fresh[row] = place
            layers.append(fresh)
    return layers
