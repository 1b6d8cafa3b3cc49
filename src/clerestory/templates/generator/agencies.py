"""The sheriff or police chief who handles a carry licence, and the numbers each agency assigns."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np

from clerestory.templates.generator import reference
from clerestory.templates.generator.columns import Column, Mask, digits, spelled
from clerestory.templates.generator.dates import Days, year_of
from clerestory.templates.generator.draws import Choice, Ints, rank_within

_SHERIFF_WEIGHT = 14.0  # against 1 for each city police department of the county


def names() -> tuple[str, ...]:
    """The agencies by name."""
    return tuple(name for name, _, _ in reference.agencies())


@cache
def _choice() -> tuple[Choice, Ints]:
    found = reference.agencies()
    counties = range(len(reference.counties()))
    members = [[place for place, agency in enumerate(found) if agency[1] == county] for county in counties]
    weights = [[_SHERIFF_WEIGHT if found[place][2] else 1.0 for place in places] for places in members]
    return Choice.of(weights), np.asarray([place for places in members for place in places])


def draw(rng: np.random.Generator, county: Ints) -> Ints:
    """An agency of each row's county; most applications go to the sheriff."""
    choice, places = _choice()
    return places[choice.draw(rng, county)]


@cache
def _codes() -> Ints:
    """(agencies, 3) letters, different for each agency: the first letter and two later ones of its name."""
    used: set[str] = set()
    codes = []
    for name, _, _ in reference.agencies():
        letters = "".join(letter for letter in name.upper() if letter.isalpha())
        code = next(
            made
            for second, third in combinations(range(1, len(letters)), 2)
            if (made := letters[0] + letters[second] + letters[third]) not in used
        )
        used.add(code)
        codes.append(list(code.encode()))
    return np.asarray(codes, dtype=np.uint8)


def licence_numbers(agency: Ints, issue: Days, *, null: Mask) -> Column:
    """AGENCY-YY-nnnnnn, counted through each agency's year in order of issue."""
    year = year_of(issue)
    group = agency.astype(np.int64) * 10_000 + year
    number = rank_within(group, np.where(null, 10**9, issue)) + 1
    return spelled(
        _codes()[agency], b"-", digits(year % 100, 2), b"-", digits(number, 6), rows=len(agency), null=null
    )
