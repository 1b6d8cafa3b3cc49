"""The course of each person's carry licences: first application, renewals, refusals, and their dates."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from clerestory.templates.generator.calibration import Targets
from clerestory.templates.generator.dates import LAST_DAY, Days, day, new_year
from clerestory.templates.generator.draws import Ints, pick, rank_within

TYPES = ("STANDARD", "EMPLOYMENT", "JUDGE", "RESERVE", "CUSTODIAL")
KINDS = ("INITIAL", "RENEWAL", "AMENDMENT")
STATUSES = (
    "PENDING", "ISSUED", "RENEWED", "AMENDED", "DENIED", "WITHDRAWN", "SUSPENDED", "REVOKED", "SURRENDERED",
    "EXPIRED",
)  # fmt: skip
NO_DATE = -1

_TYPE_SHARES = (0.93, 0.01, 0.012, 0.03, 0.018)
_TERM_DAYS = np.asarray([730, 90, 1095, 1461, 1461])
# People who already held a licence when the decade began appear with their first renewal in 2012 or 2013;
# newcomers grow by about 9 % a year, with a step in 2020.
_FIRST_YEAR_SHARES = (0.165, 0.15, 0.075, 0.08, 0.09, 0.08, 0.07, 0.07, 0.105, 0.115)
_MOST_RENEWALS = 4

_DENIED, _WITHDRAWN, _PENDING = 0.021, 0.017, 0.006  # share of people who were never granted a licence
_RENEWAL_DENIED, _RENEWAL_WITHDRAWN = 0.014, 0.008  # share of holders
_AMENDED = 0.01
_REVOKED, _SUSPENDED, _SURRENDERED = 0.011, 0.002, 0.005  # share of holders, on their last licence


@dataclass(frozen=True)
class Licences:
    """(rows,) one application or licence event each, in order of application date.

    issue and expiry are NO_DATE where nothing was issued. turn counts a person's issuances from 0.
    """

    person: Ints
    turn: Ints
    kind: Ints
    status: Ints
    applied: Days
    decided: Days
    issue: Days
    expiry: Days
    last: Ints  # 1 on the last licence issued to the person

    def at(self, rows: Ints) -> Licences:
        """Some of the rows."""
        return Licences(**{part.name: getattr(self, part.name)[rows] for part in fields(self)})


@dataclass(frozen=True)
class Course:
    """What is settled for each carry-licence person before anybody has a name."""

    first_year: Ints  # (people,)
    kind: Ints  # (people,) into TYPES
    licences: Licences


def plan(rng: np.random.Generator, targets: Targets) -> Course:
    """Licence events of everybody; licences issued per county meet the target to the unit."""
    county = np.repeat(np.arange(len(targets.ccw_people)), targets.ccw_people)
    size = len(county)
    kind = pick(rng, _TYPE_SHARES, size)
    outcome = _outcomes(rng, county, targets)
    first_year = 2012 + pick(rng, _FIRST_YEAR_SHARES, size)
    first_year[outcome == STATUSES.index("PENDING")] = 2021

    issue = _issue_dates(rng, first_year, kind)
    granted = outcome == STATUSES.index("ISSUED")
    chosen = _renewals(rng, issue, county, granted, targets.ccw_issuances)
    parts = [
        _issued(rng, issue, chosen, granted, kind, first_year),
        _never_granted(rng, np.flatnonzero(~granted), outcome, first_year),
    ]
    parts.append(_amended(rng, parts[0]))
    parts.append(_not_renewed(rng, parts[0]))
    joined = Licences(
        **{
            part.name: np.concatenate([getattr(rows, part.name) for rows in parts])
            for part in fields(Licences)
        }
    )
    order = np.lexsort((joined.turn, joined.person, joined.applied))
    return Course(first_year=first_year, kind=kind, licences=joined.at(order))


def _outcomes(rng: np.random.Generator, county: Ints, targets: Targets) -> Ints:
    """ISSUED, or how the only application ended; a county never has more holders than licences."""
    shares = (_DENIED, _WITHDRAWN, _PENDING, 1 - _DENIED - _WITHDRAWN - _PENDING)
    names = ("DENIED", "WITHDRAWN", "PENDING", "ISSUED")
    outcome = np.asarray([STATUSES.index(name) for name in names])[pick(rng, shares, len(county))]
    holds = outcome == STATUSES.index("ISSUED")
    # holders last, in random order: ranks past the number of licences are turned into refusals,
    # and where a county has licences but no holder, its first person becomes one
    rank = rank_within(county, np.where(holds, rng.random(len(county)), 2.0))
    over = rank >= targets.ccw_issuances[county]
    outcome[holds & over] = STATUSES.index("DENIED")
    outcome[(rank == 0) & ~over] = STATUSES.index("ISSUED")
    return outcome


def _issue_dates(rng: np.random.Generator, first_year: Ints, kind: Ints) -> Days:
    """(people, 1 + most renewals) when each licence would be issued if the holder kept renewing."""
    size = len(first_year)
    first = new_year(first_year) + 45 + (rng.random(size) * 320).astype(np.int64)
    gap = _TERM_DAYS[kind][:, None] - rng.integers(0, 45, (size, _MOST_RENEWALS))
    return np.concatenate([first[:, None], first[:, None] + np.cumsum(gap, axis=1)], axis=1)


def _renewals(rng: np.random.Generator, issue: Days, county: Ints, granted: Ints, licences: Ints) -> Ints:
    """(people, 1 + most renewals) which licences are issued; exactly `licences` per county.

    A person's later renewals always have later keys, so nobody skips one.
    """
    size = len(county)
    patience = rng.lognormal(0.0, 0.9, (size, 1))
    keys = np.cumsum(rng.exponential(1.0, (size, _MOST_RENEWALS)) * patience, axis=1)
    possible = (issue[:, 1:] <= LAST_DAY) & granted[:, None]
    person, turn = np.nonzero(possible)
    wanted = licences - np.bincount(county[granted], minlength=len(licences))
    taken = rank_within(county[person], keys[person, turn]) < wanted[county[person]]
    chosen = np.zeros(issue.shape, dtype=bool)
    chosen[:, 0] = granted
    chosen[person[taken], turn[taken] + 1] = True
    return chosen


def _issued(
    rng: np.random.Generator, issue: Days, chosen: Ints, granted: Ints, kind: Ints, first_year: Ints
) -> Licences:
    person, turn = np.nonzero(chosen)
    when = issue[person, turn].astype(np.int64)
    size = len(person)
    last = (turn == chosen.sum(axis=1)[person] - 1) & granted[person]
    # holders from before the decade come in with a renewal
    renewal = (turn > 0) | ((first_year[person] <= 2013) & (person % 5 < 3))
    expiry = when + _TERM_DAYS[kind[person]]
    status = np.where(renewal, STATUSES.index("RENEWED"), STATUSES.index("ISSUED"))
    decided = when.copy()
    ended = last & (expiry <= LAST_DAY)
    status[ended] = STATUSES.index("EXPIRED")
    decided[ended] = expiry[ended]
    chance = rng.random(size)
    end = np.minimum(when + rng.integers(20, 80, size), LAST_DAY)
    low = 0.0
    for name, share in (("REVOKED", _REVOKED), ("SUSPENDED", _SUSPENDED), ("SURRENDERED", _SURRENDERED)):
        hit = last & (chance >= low) & (chance < low + share)
        status[hit] = STATUSES.index(name)
        decided[hit] = end[hit]
        low += share
    lag = np.where(renewal, rng.integers(15, 75, size), rng.integers(30, 150, size))
    return Licences(
        person=person,
        turn=turn,
        kind=renewal.astype(np.int64),
        status=status,
        # nobody applies before 1 January of the first year: that keeps everybody 21 or over
        applied=np.maximum(when - lag, new_year(first_year[person])),
        decided=decided,
        issue=when,
        expiry=expiry,
        last=last.astype(np.int64),
    )


def _never_granted(rng: np.random.Generator, person: Ints, outcome: Ints, first_year: Ints) -> Licences:
    size = len(person)
    status = outcome[person]
    pending = status == STATUSES.index("PENDING")
    start = new_year(first_year[person]).astype(np.int64)
    applied = (
        start + np.where(pending, 240, 0) + (rng.random(size) * np.where(pending, 125, 250)).astype(np.int64)
    )
    decided = np.where(pending, applied, applied + rng.integers(20, 115, size))
    return _without_licence(person, np.zeros(size), np.zeros(size), status, applied, decided)


def _amended(rng: np.random.Generator, issued: Licences) -> Licences:
    when = issued.issue + rng.integers(30, 300, len(issued.person))
    fits = (issued.last == 1) & (when < np.minimum(issued.expiry, LAST_DAY - 30))
    at = np.flatnonzero(fits & (rng.random(len(when)) < _AMENDED * 1.5))
    size = len(at)
    return _without_licence(
        issued.person[at],
        issued.turn[at],
        np.full(size, KINDS.index("AMENDMENT")),
        np.full(size, STATUSES.index("AMENDED")),
        when[at],
        when[at] + rng.integers(1, 30, size),
    )


def _not_renewed(rng: np.random.Generator, issued: Licences) -> Licences:
    """Renewals asked for and not given."""
    applied = issued.expiry - rng.integers(10, 60, len(issued.person))
    fits = (issued.status == STATUSES.index("EXPIRED")) & (applied < day(2021, 11))
    chance = rng.random(len(applied))
    at = np.flatnonzero(fits & (chance < (_RENEWAL_DENIED + _RENEWAL_WITHDRAWN) * 1.6))
    size = len(at)
    denied = chance[at] < _RENEWAL_DENIED * 1.6
    status = np.where(denied, STATUSES.index("DENIED"), STATUSES.index("WITHDRAWN"))
    decided = applied[at] + rng.integers(10, 60, size)
    return _without_licence(
        issued.person[at],
        issued.turn[at] + 1,
        np.full(size, KINDS.index("RENEWAL")),
        status,
        applied[at],
        decided,
    )


def _without_licence(
    person: Ints, turn: Ints, kind: Ints, status: Ints, applied: Days, decided: Days
) -> Licences:
    none = np.full(len(person), NO_DATE)
    return Licences(
        person=person,
        turn=turn.astype(np.int64),
        kind=kind.astype(np.int64),
        status=status,
        applied=applied,
        decided=decided,
        issue=none,
        expiry=none,
        last=np.zeros(len(person), dtype=np.int64),
    )
