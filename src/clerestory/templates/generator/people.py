"""The people behind every record: drawn once, so that one person is the same in each dataset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.templates.generator import addresses, names, reference
from clerestory.templates.generator.dates import Days, new_year
from clerestory.templates.generator.draws import Choice, Floats, Ints, pick

SEXES = ("M", "F", "X", "U")
RACES = tuple("WHBIACDFGJKLPSUVZOX")
MISSING = -1

# Share of people by AGE_BANDS when they first appear. CCW: median 52; buyers: most of them 25 to 54.
_CCW_AGES = (0.035, 0.07, 0.085, 0.095, 0.1, 0.12, 0.125, 0.115, 0.1, 0.075, 0.045, 0.025, 0.01)
_BUYER_AGES = (0.14, 0.155, 0.15, 0.12, 0.105, 0.095, 0.08, 0.065, 0.045, 0.025, 0.012, 0.006, 0.002)
_CCW_MALE = 0.80
_CERTIFICATE_MALE = 0.75
_CCW_WHITE_FACTOR = 1.3

# DOJ codes by race group; the split inside the Asian and Pacific groups is modelled.
_CODES: tuple[dict[str, float], ...] = (
    {"W": 1},
    {"H": 1},
    {"B": 1},
    {"I": 1},
    {"A": 20, "C": 22, "D": 2, "F": 25, "J": 5, "K": 8, "L": 1.5, "V": 11, "Z": 12},
    {"P": 35, "G": 20, "S": 25, "U": 20},
    {"O": 1},
)
_RACE_UNKNOWN = 0.025
_RACE_MISSING = 0.005
_SEX_NONBINARY = 0.001
_SEX_UNKNOWN = 0.004
_SEX_MISSING = 0.002


@dataclass(frozen=True)
class Segments:
    """Where each kind of person stands in the pool; inside a segment people are in order of county.

    Each is (59,) the first person of each county, and the end.
    """

    ccw: Ints
    buyers: Ints  # in DROS, not in CCW
    holders: Ints  # in FSC alone
    respondents: Ints  # in GVRO alone

    @property
    def size(self) -> int:
        """How many people there are."""
        return int(self.respondents[-1])


@dataclass(frozen=True)
class Core:
    """(people,) what must be settled before names can be drawn. The arrays are written to while drawing."""

    county: Ints
    female: Ints  # 1 for people who get a female first name
    sex: Ints  # into SEXES, or MISSING
    group: Ints  # into RACE_GROUPS
    race: Ints  # into RACES, or MISSING
    birth: Days


@dataclass(frozen=True)
class People:
    """(people,) the truth about everybody."""

    core: Core
    surname: Ints
    first: Ints
    middle: Ints  # or NO_NAME
    suffix: Ints  # or NO_SUFFIX
    home: addresses.Addresses


def starts(counts: Ints, at: int) -> Ints:
    """(59,) offsets of a segment that begins at `at`."""
    return at + np.concatenate([[0], np.cumsum(counts)])


def draw_core(rng: np.random.Generator, segments: Segments, first_year: Ints) -> Core:
    """Sex, race and birth of everybody, given the year in which each first appears anywhere.

    Everybody is 21 or over on 1 January of that year; court respondents are changed afterwards.
    """
    parts = [segments.ccw, segments.buyers, segments.holders, segments.respondents]
    county = np.concatenate(
        [np.repeat(np.arange(len(part) - 1, dtype=np.uint8), np.diff(part)) for part in parts]
    )
    n_ccw = int(segments.ccw[-1])
    male = np.empty(segments.size)
    male[:n_ccw] = _CCW_MALE
    buyers = slice(n_ccw, int(segments.buyers[-1]))
    male[buyers] = 0.925 - 0.0075 * (first_year[buyers] - 2012)
    male[buyers.stop :] = _CERTIFICATE_MALE
    female = (rng.random(segments.size) >= male).astype(np.uint8)
    group = np.concatenate(
        [
            _race_groups(rng, county[:n_ccw], white_factor=_CCW_WHITE_FACTOR),
            _race_groups(rng, county[n_ccw:], white_factor=1.0),
        ]
    )
    age = np.concatenate([_ages(rng, county[:n_ccw], _CCW_AGES), _ages(rng, county[n_ccw:], _BUYER_AGES)])
    return Core(
        county=county,
        female=female,
        sex=recorded_sex(rng, female),
        group=group,
        race=recorded_race(rng, group),
        birth=born(rng, first_year, age),
    )


def born(rng: np.random.Generator, year: Ints, age: Ints) -> Days:
    """A day of birth which makes the person exactly this old on 1 January of the year."""
    return (new_year(year - age) - rng.integers(0, 365, len(age))).astype(np.int32)


def recorded_sex(rng: np.random.Generator, female: Ints) -> Ints:
    """The sex on record: M or F, sometimes X or U, sometimes missing."""
    chance = rng.random(len(female))
    sex = female.astype(np.int8)
    sex[chance < _SEX_NONBINARY + _SEX_UNKNOWN] = SEXES.index("U")
    sex[chance < _SEX_NONBINARY] = SEXES.index("X")
    sex[chance > 1 - _SEX_MISSING] = MISSING
    return sex


def recorded_race(rng: np.random.Generator, group: Ints, *, unknown: bool = True) -> Ints:
    """The DOJ race code on record, sometimes X (unknown), sometimes missing."""
    weights = [[codes.get(code, 0) for code in RACES] for codes in _CODES]
    race = (Choice.of(weights).draw(rng, group) % len(RACES)).astype(np.int8)
    if not unknown:
        return race
    chance = rng.random(len(group))
    race[chance < _RACE_UNKNOWN] = RACES.index("X")
    race[chance > 1 - _RACE_MISSING] = MISSING
    return race


def draw_names(rng: np.random.Generator, core: Core) -> People:
    """Names and addresses of everybody, given sex, race, birth and county."""
    size = len(core.county)
    middle = names.draw_first_names(rng, core.birth, core.female)
    middle[rng.random(size) < 0.12] = names.NO_NAME
    suffix = pick(rng, (0.62, 0.1, 0.1, 0.18), size).astype(np.int8)
    suffix[(rng.random(size) > 0.035) | (core.female == 1)] = names.NO_SUFFIX
    return People(
        core=core,
        surname=names.draw_surnames(rng, core.group),
        first=names.draw_first_names(rng, core.birth, core.female),
        middle=middle,
        suffix=suffix,
        home=addresses.draw(rng, core.county),
    )


def _race_groups(rng: np.random.Generator, county: Ints, *, white_factor: float) -> Ints:
    residents = reference.residents_by_race().copy()
    residents[:, 0] *= white_factor
    return (Choice.of(list(residents)).draw(rng, county) % len(reference.RACE_GROUPS)).astype(np.int8)


def _ages(rng: np.random.Generator, county: Ints, shares: tuple[float, ...]) -> Ints:
    """Ages from 21 to 84: a state-wide profile, bent to the age structure of each county."""
    adults = reference.adults_by_age()
    propensity: Floats = np.asarray(shares) / adults.sum(axis=0)
    band = Choice.of(list(adults * propensity)).draw(rng, county) % len(shares)
    low = np.where(band == 0, 21, 20 + 5 * band)
    width = np.where(band == 0, 4, 5)
    return low + np.floor(rng.random(len(county)) * width).astype(np.int64)
