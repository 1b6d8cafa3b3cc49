"""People who are easily taken for one another, and what time does to people: twins, namesakes, deaths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.templates.generator import names
from clerestory.templates.generator.dates import FIRST_DAY, LAST_DAY, Days, new_year, years_later
from clerestory.templates.generator.draws import Ints
from clerestory.templates.generator.people import People, Segments

NOT_DEAD = -1

_TWINS = 0.001  # of neighbouring pairs of carry-licence people
_FATHER_AND_SON = 0.004
_SPOUSES = 0.03
_DECEASED = 0.01
_SAFE_AT_HOME = 0.0008


@dataclass(frozen=True)
class Households:
    """(people,) facts that only the truth tables hold, except that deaths and twins show in the records."""

    twin: Ints
    namesake: Ints
    spouse: Ints
    died: Days  # or NOT_DEAD
    safe_at_home: Ints  # in the state's address confidentiality programme


def join(
    rng: np.random.Generator, people: People, segments: Segments, fixed: Ints, first_year: Ints
) -> Households:
    """Make some neighbours of the pool into families, by changing them in place.

    fixed: persons whose birth and names must stay, such as court respondents.
    """
    size = segments.size
    flags = [np.zeros(size, dtype=bool) for _ in range(3)]
    twin, namesake, spouse = flags
    core = people.core
    first = np.arange(0, int(segments.ccw[-1]) - 1, 2)
    second = first + 1
    keep = np.ones(size, dtype=bool)
    keep[fixed] = False
    same_county = (core.county[first] == core.county[second]) & keep[first] & keep[second]
    chance = rng.random(len(first))

    # a twin is as old as the other, so both must have been 21 when the later one first appeared
    adult = core.birth[first] <= years_later(new_year(first_year[second]), -21)
    at = same_county & adult & (chance < _TWINS)
    a, b = first[at], second[at]
    _share_home(people, a, b)
    people.surname[b], core.birth[b], core.group[b], core.race[b] = (
        people.surname[a], core.birth[a], core.group[a], core.race[a],
    )  # fmt: skip
    again = people.first[a] == people.first[b]
    people.first[b[again]] = (people.first[b[again]] + 1) % 1_000
    twin[a], twin[b] = True, True

    apart = (core.birth[second] - core.birth[first]) / 365.25
    men = (core.female[first] == 0) & (core.female[second] == 0)
    # few neighbours are a generation apart, so the chance is higher for those who are
    at = same_county & men & (np.abs(apart) > 20) & (np.abs(apart) < 38) & (chance > 1 - _FATHER_AND_SON * 4)
    elder = np.where(apart[at] > 0, first[at], second[at])
    younger = first[at] + second[at] - elder
    _share_home(people, elder, younger)
    for values in (people.surname, people.first, core.group, core.race):
        values[younger] = values[elder]
    people.suffix[elder] = names.SUFFIXES.index("SR")
    people.suffix[younger] = names.SUFFIXES.index("JR")
    namesake[elder], namesake[younger] = True, True

    mixed = core.female[first] != core.female[second]
    at = same_county & mixed & (np.abs(apart) < 12) & (chance > 0.3) & (chance < 0.3 + _SPOUSES * 4)
    a, b = first[at], second[at]
    _share_home(people, a, b)
    people.surname[b] = people.surname[a]
    spouse[a], spouse[b] = True, True

    died = np.full(size, NOT_DEAD)
    dead = rng.random(size) < _DECEASED
    died[dead] = rng.integers(FIRST_DAY + 365, LAST_DAY, int(dead.sum()))
    return Households(twin, namesake, spouse, died, rng.random(size) < _SAFE_AT_HOME)


def _share_home(people: People, of: Ints, to: Ints) -> None:
    home = people.home
    for part in (home.place, home.house, home.street, home.unit):
        part[to] = part[of]
