"""Who buys when: visits to a dealer, each by one person, of one or more firearms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.templates.generator import reference
from clerestory.templates.generator.calibration import Targets, largest_remainder
from clerestory.templates.generator.dates import YEARS, Days, day
from clerestory.templates.generator.draws import Choice, Floats, Ints, cut

DEALERS = 1_700
_DEALER_ZIPF = 0.92  # 5 % of the dealers then make about half of the sales
_OWN_COUNTY = 0.85  # share of visits to a dealer in the buyer's county; the rest stay in the region

# 1.44 firearms per buyer in a year; the 1.5 % who buy more than five take 9.5 % (Handgun Commerce, 2000)
_ORDINARY_MEAN = 1.325
_HEAVY_SHARE, _HEAVY_FROM, _HEAVY_MEAN = 0.015, 6, 3.1
_VISITS_PER_BUYER = 2.1
_CCW_BUYS = 0.95  # P(DROS | CCW)
_CCW_AT_MOST = 0.6  # of a county's buyers, in a sample too small to hold everybody

_SATURDAY, _SUNDAY = 1.75, 1.15
_BUSIEST = {day(2016, 6, 30): 1.5, day(2016, 7, 1): 2.01}  # 1 July 2016: 5,907 transactions (KPCC)


@dataclass(frozen=True)
class Buyers:
    """How a county's buyers are made up; a buyer's local number counts the carry-licence people first."""

    from_ccw: Ints  # (58,)
    others: Ints  # (58,)


@dataclass(frozen=True)
class Visits:
    """(visits,) in order of date. A year's firearms, laid end to end, meet `days_of` one by one."""

    county: Ints
    firearms: Ints
    buyer: Ints  # local number within the county
    dealer: Ints
    year_starts: Ints  # (11,) first visit of each year, and the end
    months: Ints  # (10, 12) transactions

    def of_year(self, year: int) -> slice:
        """The visits of one year."""
        at = YEARS.index(year)
        return slice(int(self.year_starts[at]), int(self.year_starts[at + 1]))

    def days_of(self, year: int) -> Days:
        """One date per transaction of the year, rising; months meet the calibration to the unit."""
        return _days(year, self.months[YEARS.index(year)])

    def first_days(self, year: int) -> Days:
        """The date of each visit of the year."""
        firearms = self.firearms[self.of_year(year)]
        return self.days_of(year)[np.cumsum(firearms, dtype=np.int64) - firearms]

    def years(self) -> Ints:
        """The year of each visit."""
        return np.repeat(np.asarray(YEARS, dtype=np.int16), np.diff(self.year_starts))


def plan(rng: np.random.Generator, targets: Targets) -> tuple[Visits, Buyers]:
    """Every visit of the decade; transactions by year and county meet the targets to the unit."""
    sizes, counties, lengths = [], [], []
    for row in targets.dros:
        firearms, county = cut(_sizes(rng, int(row.sum())), row)
        shuffled = rng.permutation(len(firearms))
        sizes.append(firearms[shuffled])
        counties.append(county[shuffled])
        lengths.append(len(firearms))
    county = np.concatenate(counties)
    by_county = np.argsort(county, kind="stable")
    visits = np.bincount(county, minlength=targets.dros.shape[1])
    pool = np.minimum(visits, np.ceil(visits / _VISITS_PER_BUYER).astype(np.int64))
    licensed = np.minimum(np.round(targets.ccw_people * _CCW_BUYS), np.floor(pool * _CCW_AT_MOST))
    from_ccw = licensed.astype(np.int64)
    return (
        Visits(
            county=county,
            firearms=np.concatenate(sizes),
            buyer=_buyers(rng, by_county, visits, pool),
            dealer=_visited_dealers(rng, county),
            year_starts=np.concatenate([[0], np.cumsum(lengths)]),
            months=targets.dros_months,
        ),
        Buyers(from_ccw=from_ccw, others=pool - from_ccw),
    )


def dealer_counties() -> Ints:
    """(1,700,) the county of each dealer; every county has one. Dealers are numbered by size."""
    shares = reference.county_weights("dros_share")
    per_county = 1 + largest_remainder(shares, DEALERS - len(shares))
    # spread each county's dealers over the size order, so that large and small ones are everywhere
    county = np.repeat(np.arange(len(per_county)), per_county)
    place = np.concatenate([(np.arange(n) + 0.5) / n for n in per_county.tolist()])
    return county[np.argsort(place, kind="stable")]


def _sizes(rng: np.random.Generator, count: int) -> Ints:
    ordinary = np.minimum(rng.geometric(1 / _ORDINARY_MEAN, count), _HEAVY_FROM - 1)
    heavy = np.minimum(_HEAVY_FROM - 1 + rng.geometric(1 / _HEAVY_MEAN, count), 60)
    return np.where(rng.random(count) < _HEAVY_SHARE, heavy, ordinary).astype(np.int16)


def _buyers(rng: np.random.Generator, by_county: Ints, visits: Ints, pool: Ints) -> Ints:
    """Everybody in a county's pool visits once; further visits fall more often to the first in the pool."""
    buyer = np.empty(len(by_county), dtype=np.int32)
    at = 0
    for count, people in zip(visits.tolist(), pool.tolist(), strict=True):
        again = (people * rng.random(count - people) ** 1.4).astype(np.int32)
        drawn = np.concatenate([np.arange(people, dtype=np.int32), again])
        rng.shuffle(drawn)
        buyer[by_county[at : at + count]] = drawn
        at += count
    return buyer


def _visited_dealers(rng: np.random.Generator, county: Ints) -> Ints:
    size = np.arange(1, DEALERS + 1) ** -_DEALER_ZIPF
    where = dealer_counties()
    region = reference.regions()

    def chooser(groups: list[Floats]) -> Ints:
        return (Choice.of(groups).draw(rng, county) % DEALERS).astype(np.int16)

    near = chooser([np.where(where == number, size, 0) for number in range(len(region))])
    far = chooser([np.where(region[where] == region[number], size, 0) for number in range(len(region))])
    return np.where(rng.random(len(county)) < _OWN_COUNTY, near, far)


def _days(year: int, months: Ints) -> Days:
    """Dates of a year's transactions: Saturdays are busy, Christmas and Thanksgiving almost closed."""
    runs = []
    for month, total in enumerate(months.tolist(), start=1):
        first = day(year, month)
        after = day(year + month // 12, month % 12 + 1)
        dates = np.arange(first, after)
        weekday = (dates + 3) % 7  # day 0 was a Thursday; Monday is 0
        weights = np.where(weekday == 5, _SATURDAY, np.where(weekday == 6, _SUNDAY, 1.0))
        for busy, weight in _BUSIEST.items():
            weights[dates == busy] = weight
        if month == 12:
            weights[24] = 0.05
        if month == 11:
            thursdays = np.flatnonzero(weekday == 3)
            weights[thursdays[3]] = 0.1
            weights[thursdays[3] + 1] = 2.6
        runs.append(np.repeat(dates, largest_remainder(weights, total)))
    return np.concatenate(runs).astype(np.int32)


def persons(buyers: Buyers, ccw: Ints, others: Ints, county: Ints, local: Ints) -> Ints:
    """The person behind each local number; ccw and others are where the two kinds start in each county."""
    licensed = local < buyers.from_ccw[county]
    return np.where(licensed, ccw[county] + local, others[county] + local - buyers.from_ccw[county]).astype(
        np.int32
    )
