"""Addresses: an invented street and house number in a real ZIP area and city."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clerestory.templates.generator import reference
from clerestory.templates.generator.columns import Column, coded
from clerestory.templates.generator.draws import Choice, Ints

# Real cities of other states, for the few records whose holder moved away.
_OUT_OF_STATE = (
    ("89501", "RENO"),
    ("85001", "PHOENIX"),
    ("97501", "MEDFORD"),
    ("83701", "BOISE"),
    ("89101", "LAS VEGAS"),
)
_UNITS = ("", *(f" {kind} {number}" for kind in ("APT", "UNIT", "#") for number in range(1, 41)))
PO_BOX = -1  # in place of a street number


@dataclass(frozen=True)
class Addresses:
    """(people,) one address each; place is a number into the ZIP areas, then the out-of-state cities."""

    place: Ints
    house: Ints
    street: Ints
    unit: Ints

    def at(self, rows: Ints) -> Addresses:
        """The addresses of some people."""
        return Addresses(self.place[rows], self.house[rows], self.street[rows], self.unit[rows])

    def replaced(self, where: Ints, by: Addresses) -> Addresses:
        """These addresses, with others where the mask is set."""
        return Addresses(
            np.where(where, by.place, self.place),
            np.where(where, by.house, self.house),
            np.where(where, by.street, self.street),
            np.where(where, by.unit, self.unit),
        )


@cache
def _places() -> Choice:
    _, _, county, population = reference.places()
    return Choice.of([population[county == number] for number in range(len(reference.counties()))])


def draw(rng: np.random.Generator, county: Ints) -> Addresses:
    """An address in each person's county, ZIP areas in proportion to their residents."""
    size = len(county)
    in_a_block_of_flats = rng.random(size) < 0.22
    return Addresses(
        place=_places().draw(rng, county).astype(np.int16),
        house=rng.integers(100, 9_900, size, dtype=np.int16),
        street=rng.integers(0, len(reference.street_names()), size, dtype=np.int16),
        unit=np.where(in_a_block_of_flats, rng.integers(1, len(_UNITS), size), 0).astype(np.int8),
    )


def out_of_state(rng: np.random.Generator, size: int) -> Ints:
    """Places outside California."""
    return (len(reference.places()[0]) + rng.integers(0, len(_OUT_OF_STATE), size)).astype(np.int16)


@cache
def _zip_words() -> tuple[str, ...]:
    return (*reference.places()[0], *(code for code, _ in _OUT_OF_STATE))


@cache
def _cities() -> tuple[tuple[str, ...], Ints]:
    names = [*reference.places()[1], *(city for _, city in _OUT_OF_STATE)]
    words = tuple(sorted(set(names)))
    number = {word: place for place, word in enumerate(words)}
    return words, np.asarray([number[name] for name in names])


@cache
def _street_words() -> tuple[Column, Column]:
    return pa.array(reference.street_names(), type=pa.string()), pa.array(_UNITS, type=pa.string())


def street_column(addresses: Addresses) -> Column:
    """House number, street and unit as one line."""
    streets, units = _street_words()
    boxed = addresses.street == PO_BOX
    number = pa.array(addresses.house).cast(pa.string())
    street = streets.take(pa.array(np.where(boxed, 0, addresses.street)))
    line = pc.binary_join_element_wise(
        pc.binary_join_element_wise(number, street, " "), units.take(pa.array(addresses.unit)), ""
    )
    if not boxed.any():
        return line
    return pc.if_else(pa.array(boxed), pc.binary_join_element_wise("PO BOX", number, " "), line)


def city_column(addresses: Addresses) -> Column:
    """City names."""
    words, number = _cities()
    return coded(words, number[addresses.place])


def zip_column(addresses: Addresses) -> Column:
    """Five-digit ZIP codes as text."""
    return coded(_zip_words(), addresses.place)
