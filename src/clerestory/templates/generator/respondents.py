"""The people under restraining orders: who of the firearm owners they are, and their published make-up."""

from __future__ import annotations

import numpy as np

from clerestory.templates.generator.calibration import largest_remainder
from clerestory.templates.generator.dates import Days, year_of, years_later
from clerestory.templates.generator.draws import Ints, stream
from clerestory.templates.generator.orders import Respondents
from clerestory.templates.generator.people import RACES, Core, recorded_race
from clerestory.templates.generator.purchases import Buyers, persons
from clerestory.templates.generator.reference import RACE_GROUPS

STRANGER = -1  # a respondent who is in no other dataset

_OWN_A_GUN = 0.842  # Pear et al., 2022
_HOLD_A_CARRY_LICENCE = 0.06  # of the owners; modelled

# Pallin et al., 2020: of 1,076 people 985 men; by race; by age, from 14 to 98
_MEN = 985 / 1076
_RACES = {"White (non-Hispanic)": 0.592, "Hispanic (any race)": 0.205, "Black (non-Hispanic)": 0.086,
          "Asian (non-Hispanic)": 0.067, "Two or more races (non-Hispanic)": 0.05}  # fmt: skip
_AGES = ((14, 17, 21), (18, 29, 241), (30, 44, 389), (45, 59, 271), (60, 98, 154))
_ADULT_OWNER = 21


def link(seed: int, who: Respondents, buyers: Buyers, ccw: Ints, others: Ints, first_purchase: Ints) -> Ints:
    """The person that each respondent is, or STRANGER; owners bought their first firearm before the order."""
    rng = stream(seed, "gvro", "owners")
    owns = rng.random(len(who.county)) < _OWN_A_GUN
    licensed = owns & (rng.random(len(who.county)) < _HOLD_A_CARRY_LICENCE)
    linked = np.full(len(who.county), STRANGER)
    for county in np.unique(who.county).tolist():
        mine = np.flatnonzero((who.county == county) & owns)
        for kind, low, high in (
            (licensed, 0, int(buyers.from_ccw[county])),
            (~licensed, int(buyers.from_ccw[county]), int(buyers.from_ccw[county] + buyers.others[county])),
        ):
            rows = mine[kind[mine]]
            local = low + rng.permutation(high - low)
            candidates = persons(buyers, ccw, others, np.full(len(local), county), local)
            # the earliest orders choose first, among the earliest buyers
            candidates = candidates[np.argsort(first_purchase[candidates], kind="stable")]
            found = _match(rng, who.year[rows], first_purchase[candidates])
            linked[rows[found >= 0]] = candidates[found[found >= 0]]
    return linked


def _match(rng: np.random.Generator, ordered: Ints, bought: Ints) -> Ints:
    """For each order year one place in `bought` (rising) with a year no later, each used once, or -1."""
    found = np.full(len(ordered), -1)
    used = np.zeros(len(bought), dtype=bool)
    for year in np.unique(ordered).tolist():
        rows = np.flatnonzero(ordered == year)
        free = np.flatnonzero(~used[: np.searchsorted(bought, year, side="right")])
        taken = rng.permutation(free)[: len(rows)]
        used[taken] = True
        found[rows[: len(taken)]] = taken
    return found


def make_up(
    rng: np.random.Generator, core: Core, person: Ints, *, owner: Ints, issued: Days, first_year: Ints
) -> None:
    """Give respondents the published sex, race and age; the people of 2016 to 2019 to the unit.

    person, owner, issued: (respondents,) who, whether in other data too, and the day of the first order.
    first_year: (people,) when each first appears in any dataset.
    """
    year = year_of(issued)
    for rows in (np.flatnonzero(year <= 2019), np.flatnonzero(year > 2019)):
        people = person[rows]
        size = len(rows)
        sexes = largest_remainder((_MEN, 1 - _MEN), size)
        female = rng.permutation(np.repeat(np.asarray([0, 1], dtype=np.uint8), sexes))
        groups = [RACE_GROUPS.index(name) for name in _RACES]
        group = rng.permutation(np.repeat(groups, largest_remainder(tuple(_RACES.values()), size)))
        race = recorded_race(rng, group, unknown=False)
        # the published last group is "other or unknown"
        race[(group == groups[-1]) & (rng.random(size) < 0.5)] = RACES.index("X")
        core.female[people], core.sex[people] = female, female
        core.group[people], core.race[people] = group, race
        # who bought a firearm was 21 on 1 January of the first year
        least = np.where(owner[rows], _ADULT_OWNER + 1 + year[rows] - first_year[people], 0)
        age = _fitted(rng, _ages(rng, size), least)
        core.birth[people] = years_later(issued[rows], -age) - rng.integers(0, 365, size)


def _ages(rng: np.random.Generator, size: int) -> Ints:
    """Ages in the published proportions, youngest first; the published extremes are among them."""
    counts = largest_remainder([people for _, _, people in _AGES], size)
    parts = []
    for (low, high, _), count in zip(_AGES, counts.tolist(), strict=True):
        # within the last band the old are fewer
        parts.append(low + np.floor(rng.random(count) ** (2.2 if low >= 60 else 1.0) * (high - low + 1)))
    ages = np.sort(np.concatenate(parts)).astype(np.int64)
    ages[0], ages[-1] = _AGES[0][0], _AGES[-1][1]
    return ages


def _fitted(rng: np.random.Generator, ages: Ints, least: Ints) -> Ints:
    """The ages dealt out so that everybody has, where possible, at least the age asked for.

    Ages are dealt in rising order to people in loose order of what they ask for, so that age is hardly
    tied to the year of first purchase; then those still too young exchange ages with random others.
    """
    noise = np.where(least > 0, least, 14) + rng.random(len(least)) * 25
    dealt = np.empty(len(ages), dtype=np.int64)
    dealt[np.argsort(noise, kind="stable")] = ages
    for _ in range(1_000):
        short = np.flatnonzero(dealt < least)
        if not len(short):
            break
        other = rng.permutation(len(ages))[: len(short)]
        swaps = (dealt[other] >= least[short]) & (dealt[short] >= least[other])
        for one, two in zip(short[swaps].tolist(), other[swaps].tolist(), strict=True):
            if dealt[two] >= least[one] and dealt[one] >= least[two]:
                dealt[one], dealt[two] = dealt[two], dealt[one]
    return dealt
