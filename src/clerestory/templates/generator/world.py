"""Everything that is settled before a row is written: who exists, and which events each person has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.templates.generator import (
    certificates,
    households,
    licences,
    orders,
    people,
    purchases,
    registry,
    respondents,
)
from clerestory.templates.generator.calibration import Targets, targets
from clerestory.templates.generator.draws import Ints, stream
from clerestory.templates.generator.people import People, Segments, starts

_NEVER = 9999


@dataclass(frozen=True)
class World:
    """The people, their events, and the counts these meet. Persons are numbered from 0."""

    seed: int
    scale: float
    targets: Targets
    segments: Segments
    people: People
    course: licences.Course
    visits: purchases.Visits
    visitor: Ints  # (visits,) person
    certificates: certificates.Certificates
    weapons: registry.Weapons
    orders: orders.Orders
    respondents: Ints  # (respondents,) person
    households: households.Households


def build(seed: int, scale: float, ccw_people: int) -> World:
    """Draw the world: events first, then people of an age that fits their first event."""
    wanted = targets(scale, ccw_people)
    course = licences.plan(stream(seed, "ccw", "course"), wanted)
    visits, buyers = purchases.plan(stream(seed, "dros", "visits"), wanted)

    ccw = starts(wanted.ccw_people, 0)
    buying = starts(buyers.others, int(ccw[-1]))
    visitor = purchases.persons(buyers, ccw, buying, visits.county, visits.buyer)
    county_of = np.concatenate([np.repeat(np.arange(58), np.diff(part)) for part in (ccw, buying)])
    held = certificates.plan(stream(seed, "fsc", "plan"), wanted, visits, visitor, county_of)
    holding = starts(held.holders_by_county, int(buying[-1]))

    first_year = np.full(int(holding[-1]), _NEVER)
    # from the last visit to the first, so that the earliest year is written last and stays
    first_year[visitor[::-1]] = visits.years()[::-1]
    first_purchase = first_year[: int(buying[-1])].copy()
    first_year[: len(course.first_year)] = np.minimum(first_year[: len(course.first_year)], course.first_year)
    first_year[int(buying[-1]) :] = held.first_year_of_holders

    who, course_of_orders = orders.plan(seed)
    linked = respondents.link(seed, who, buyers, ccw, buying, first_purchase)
    owners = linked != respondents.STRANGER
    strangers = np.flatnonzero(~owners)
    by_county = strangers[np.argsort(who.county[strangers], kind="stable")]
    linked[by_county] = int(holding[-1]) + np.arange(len(by_county))
    responding = starts(np.bincount(who.county[strangers], minlength=58), int(holding[-1]))
    segments = Segments(ccw=ccw, buyers=buying, holders=holding, respondents=responding)
    first_year = np.concatenate([first_year, who.year[by_county]])

    core = people.draw_core(stream(seed, "people", "core"), segments, first_year)
    issued = np.empty(len(linked), dtype=np.int64)
    issued[course_of_orders.respondent[::-1]] = course_of_orders.issued[::-1]
    respondents.make_up(
        stream(seed, "gvro", "people"), core, linked, owner=owners, issued=issued, first_year=first_year
    )
    everybody = people.draw_names(stream(seed, "people", "names"), core)
    family = households.join(stream(seed, "people", "households"), everybody, segments, linked, first_year)
    weapons = registry.plan(stream(seed, "awr", "plan"), wanted, buyers, ccw, buying, core.birth)
    return World(
        seed=seed,
        scale=scale,
        targets=wanted,
        segments=segments,
        people=everybody,
        course=course,
        visits=visits,
        visitor=visitor,
        certificates=held,
        weapons=weapons,
        orders=course_of_orders,
        respondents=linked,
        households=family,
    )
