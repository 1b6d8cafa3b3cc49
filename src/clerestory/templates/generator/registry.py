"""Who registered which assault weapons, and in which window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.templates.generator.calibration import AWR_CATEGORIES, Targets
from clerestory.templates.generator.dates import Days, day
from clerestory.templates.generator.draws import Ints, cut
from clerestory.templates.generator.purchases import Buyers, persons

_WEAPONS_PER_PERSON = 2.16
_MOST_WEAPONS = 12

# category: born before, first and last day of the window
WINDOWS = {
    "CAT1": (day(1969), day(1989, 6), day(1992, 3, 30)),
    "CAT2": (day(1979), day(2000, 8, 16), day(2001, 1, 23)),
    "CAT3": (day(1980), day(2000, 1), day(2000, 12, 31)),
    "BMG50": (day(1985), day(2005, 1), day(2006, 4, 30)),
    "BBAW": (day(2000), day(2017, 8, 3), day(2018, 6, 30)),
}


@dataclass(frozen=True)
class Weapons:
    """(weapons,) in order of application."""

    owner: Ints  # person
    county: Ints
    category: Ints  # into the keys of WINDOWS
    applied: Days


def plan(
    rng: np.random.Generator, targets: Targets, buyers: Buyers, ccw: Ints, others: Ints, birth: Days
) -> Weapons:
    """Weapons by county and by category meet the targets to the unit; owners are people who buy firearms."""
    total = int(targets.awr.sum())
    drawn = np.minimum(rng.geometric(1 / _WEAPONS_PER_PERSON, total), _MOST_WEAPONS)
    sizes, county = cut(drawn, targets.awr)
    owner = _owners(rng, county, buyers, ccw, others, len(targets.awr))
    owner, county = np.repeat(owner, sizes), np.repeat(county, sizes)

    category = np.full(total, -1)
    for number, name in enumerate(WINDOWS):
        wanted = int(targets.awr_categories[list(AWR_CATEGORIES).index(name)])
        # those old enough for the window come first; if there are too few, others fill it up
        key = rng.random(total) + 10.0 * (birth[owner] >= WINDOWS[name][0]) + 100.0 * (category >= 0)
        category[np.argsort(key, kind="stable")[:wanted]] = number
    applied = _application_days(rng, category)
    order = np.lexsort((owner, applied))
    return Weapons(owner[order].astype(np.int32), county[order], category[order], applied[order])


def _owners(
    rng: np.random.Generator, county: Ints, buyers: Buyers, ccw: Ints, others: Ints, counties: int
) -> Ints:
    pool = buyers.from_ccw + buyers.others
    local = []
    for number, count in enumerate(np.bincount(county, minlength=counties).tolist()):
        if not count:
            continue
        people = rng.permutation(max(int(pool[number]), 1))
        local.append(np.resize(people, count))  # a sample too small for all its owners uses them again
    joined = np.concatenate(local) if local else np.zeros(0, dtype=np.int64)
    return persons(buyers, ccw, others, county.astype(np.int64), joined)


def _application_days(rng: np.random.Generator, category: Ints) -> Days:
    """Days within each window; the last one fills up in its last six weeks."""
    names = list(WINDOWS)
    first = np.asarray([WINDOWS[name][1] for name in names])[category]
    last = np.asarray([WINDOWS[name][2] for name in names])[category]
    share = rng.random(len(category))
    late = (category == names.index("BBAW")) & (rng.random(len(category)) < 0.72)
    # an earlier arrival grows slowly towards the end of the window, a late one falls in its last 42 days
    share = np.where(late, 1 - (42 * rng.random(len(category)) ** 1.5) / (last - first), share**0.8)
    days: Days = np.minimum(first + (share * (last - first + 1)).astype(np.int64), last).astype(np.int32)
    return days
