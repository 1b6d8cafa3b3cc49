"""Numbers that follow from a secret: the same for the same cell or record, everywhere."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from clerestory.tables import CellSpace
from clerestory.tables.space import IntArray

_UNIT = 2.0**-53


def derived(secret: bytes, purpose: str) -> bytes:
    """A secret of its own for one purpose: knowing it tells nothing about the others."""
    return blake2b(purpose.encode(), key=secret[:64], digest_size=32).digest()


def cell_names(space: CellSpace, secret: bytes) -> NDArray[np.uint64]:
    """(cells,) a number for each cell that follows from what it counts, whichever tables show it.

    It is made of the unit and, for each axis that the cell restricts, the categories inside: so a further
    table or axis changes no cell's number.
    """
    total = np.zeros(len(space), dtype=np.uint64)
    for axis, (said, sets) in enumerate(zip(space.axes, space.sets, strict=True)):
        names = np.array(
            [
                0 if members.all() else _number(secret, said.name, *_inside(said.categories, members))
                for members in sets
            ],
            dtype=np.uint64,
        )
        total += names[space.cells[:, axis]]
    units = np.array([_number(secret, repr(unit)) for unit in space.unit_list] or [0], dtype=np.uint64)
    return _mixed(total + units[space.units])


def uniforms(names: NDArray[np.uint64], values: IntArray) -> NDArray[np.float64]:
    """(cells,) numbers from 0 to below 1 that follow from a cell and its true value."""
    mixed = _mixed(names ^ _mixed(values.astype(np.uint64)))
    return np.asarray((mixed >> np.uint64(11)).astype(np.float64) * _UNIT)


def _inside(categories: tuple[str, ...], members: NDArray[np.bool_]) -> list[str]:
    return sorted(name for name, member in zip(categories, members, strict=True) if member)


def _number(secret: bytes, *words: str) -> int:
    digest = blake2b(key=secret[:64], digest_size=8)
    for word in words:
        content = word.encode()
        digest.update(len(content).to_bytes(4, "big") + content)
    return int.from_bytes(digest.digest(), "big")


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each number well mixed. Source: Steele, Lea and Flood (2014), the finaliser of SplitMix64."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
