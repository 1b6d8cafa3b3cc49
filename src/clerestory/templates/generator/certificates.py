"""Who holds a safety certificate: buyers whose last one has run out, and people who never buy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.templates.generator.calibration import Targets
from clerestory.templates.generator.dates import YEARS, Days, new_year
from clerestory.templates.generator.draws import Ints, rank_within
from clerestory.templates.generator.purchases import Visits

YEARS_VALID = 5
NO_CERTIFICATE = -1


@dataclass(frozen=True)
class Certificates:
    """(certificates,) in order of issue. A holder below `buyers` bought a firearm; the others never did."""

    holder: Ints  # person; others are numbered from the end of the buyers on, in order of county
    county: Ints
    issue: Days
    of_visit: Ints  # (visits,) the certificate shown, or NO_CERTIFICATE
    holders_by_county: Ints  # (58,) people with a certificate and no purchase
    first_year_of_holders: Ints


def plan(
    rng: np.random.Generator, targets: Targets, visits: Visits, visitor: Ints, county_of: Ints
) -> Certificates:
    """Certificates by year and county meet the targets to the unit.

    visitor: (visits,) the person behind each visit; county_of: (people,) for everybody numbered so far.
    """
    people = len(county_of)
    valid_until = np.zeros(people, dtype=np.int16)
    current = np.full(people, NO_CERTIFICATE, dtype=np.int32)
    of_visit = np.full(len(visitor), NO_CERTIFICATE, dtype=np.int32)
    holders, counties, issues = [], [], []
    made = 0
    for year, wanted in zip(YEARS, targets.fsc, strict=True):
        span = visits.of_year(year)
        person, first = np.unique(visitor[span], return_index=True)
        lacks = valid_until[person] < year
        person, first = person[lacks], first[lacks]
        county = county_of[person]
        served = rank_within(county, rng.random(len(person))) < wanted[county]
        person, first, county = person[served], first[served], county[served]
        start = int(new_year(np.asarray([year]))[0])
        test_to_sale = rng.integers(0, 15, len(person))
        issue = np.maximum(visits.first_days(year)[first] - test_to_sale, start)

        missing = wanted - np.bincount(county, minlength=len(wanted))
        extra = np.repeat(np.arange(len(wanted)), missing)
        extra_issue = rng.choice(_days_like_sales(visits, year), len(extra))

        current[person] = made + np.arange(len(person))
        valid_until[person] = year + YEARS_VALID - 1
        shown = valid_until[visitor[span]] >= year
        of_visit[span] = np.where(shown, current[visitor[span]], NO_CERTIFICATE)
        holders += [person, np.full(len(extra), NO_CERTIFICATE)]
        counties += [county, extra]
        issues += [issue, extra_issue]
        made += len(person) + len(extra)
    return _in_order_of_issue(
        np.concatenate(holders),
        np.concatenate(counties),
        np.concatenate(issues),
        of_visit,
        people,
        len(wanted),
    )


def _days_like_sales(visits: Visits, year: int) -> Days:
    """Dates to draw from: those of the year's transactions, or its whole calendar where there are none."""
    days = visits.days_of(year)
    if len(days):
        return days
    start, end = new_year(np.asarray([year, year + 1]))
    return np.arange(start, end, dtype=np.int32)


def _in_order_of_issue(
    holder: Ints, county: Ints, issue: Days, of_visit: Ints, people: int, counties: int
) -> Certificates:
    order = np.argsort(issue, kind="stable")
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    shown = of_visit != NO_CERTIFICATE
    of_visit[shown] = place[of_visit[shown]]

    holder, county, issue = holder[order], county[order], issue[order]
    new = np.flatnonzero(holder == NO_CERTIFICATE)
    by_county = new[np.argsort(county[new], kind="stable")]
    holder[by_county] = people + np.arange(len(by_county))
    return Certificates(
        holder=holder.astype(np.int32),
        county=county.astype(np.uint8),
        issue=issue,
        of_visit=of_visit,
        holders_by_county=np.bincount(county[new], minlength=counties),
        first_year_of_holders=(issue[by_county].astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970),
    )
