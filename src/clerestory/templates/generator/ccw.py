"""Carry-licence records: one row per application or licence event, with ten years of paperwork's dirt."""

from __future__ import annotations

import numpy as np

from clerestory.templates.generator import addresses, agencies, dirt, good_cause, identifiers, licences, names
from clerestory.templates.generator.addresses import Addresses
from clerestory.templates.generator.columns import Column, coded, dates, numbers
from clerestory.templates.generator.dirt import Dirt
from clerestory.templates.generator.draws import Ints, pick, stream
from clerestory.templates.generator.households import NOT_DEAD
from clerestory.templates.generator.people import RACES, SEXES
from clerestory.templates.generator.reference import counties
from clerestory.templates.generator.world import World

_MOVED, _SURNAME_CHANGED, _MOVED_COUNTY = 0.06, 0.03, 0.02  # of people with more than one licence
_PO_BOX, _OUT_OF_STATE, _MAIL_RETURNED = 0.008, 0.003, 0.015
_CII_MISSING, _CII_WRONG, _CII_SHARED = 0.02, 0.002, 0.0002
_LICENSE_MISSING = 0.03

_REASONS = (
    "PROHIBITED_PERSON", "MORAL_CHARACTER", "NO_GOOD_CAUSE", "NO_RESIDENCY", "TRAINING", "FALSE_STATEMENT",
    "OTHER",
)  # fmt: skip
_DENIAL_REASONS = (24, 16, 38, 6, 6, 4, 6)
_REVOCATION_REASONS = (60, 18, 0, 6, 0, 8, 8)
_OCCUPATIONS = (
    "RETIRED", "BUSINESS OWNER", "CONTRACTOR", "ENGINEER", "TEACHER", "REGISTERED NURSE",
    "REAL ESTATE AGENT", "FARMER", "RANCHER", "SALES MANAGER", "TRUCK DRIVER", "ELECTRICIAN", "MECHANIC",
    "ACCOUNTANT", "ATTORNEY", "PHYSICIAN", "PHARMACIST", "DENTIST", "SECURITY GUARD",
    "RETIRED PEACE OFFICER", "FIREFIGHTER", "PLUMBER", "SOFTWARE DEVELOPER", "HOMEMAKER", "STUDENT",
    "CLERK", "JEWELER", "BAIL AGENT", "PROPERTY MANAGER", "WELDER", "PASTOR", "PILOT", "VETERINARIAN",
    "MACHINIST", "CONSULTANT", "DEPUTY DISTRICT ATTORNEY", "PUBLIC DEFENDER", "PROBATION OFFICER", "JUDGE",
    "COURT COMMISSIONER", "MAGISTRATE", "RESERVE DEPUTY", "CORRECTIONAL OFFICER",
)  # fmt: skip
_PLAIN_OCCUPATIONS = 38  # the rest follow from the type of licence
_OCCUPATION_OF_TYPE = {"JUDGE": ("JUDGE", "COURT COMMISSIONER", "MAGISTRATE"), "RESERVE": ("RESERVE DEPUTY",),
                       "CUSTODIAL": ("CORRECTIONAL OFFICER",)}  # fmt: skip
_OFFICERS = (
    "RETIRED PEACE OFFICER", "DEPUTY DISTRICT ATTORNEY", "PUBLIC DEFENDER", "PROBATION OFFICER",
    "RESERVE DEPUTY", "CORRECTIONAL OFFICER",
)  # fmt: skip


def occupations(world: World) -> Ints:
    """(carry-licence people,) numbers into the occupations; that of a judge says so."""
    rng = stream(world.seed, "ccw", "occupations")
    kind = world.course.kind
    weights = np.concatenate([[6.0, 4.0, 3.0, 2.0], np.linspace(1.6, 0.4, _PLAIN_OCCUPATIONS - 4)])
    occupation = pick(rng, weights, len(kind))
    for name, choices in _OCCUPATION_OF_TYPE.items():
        rows = np.flatnonzero(kind == licences.TYPES.index(name))
        places = np.asarray([_OCCUPATIONS.index(choice) for choice in choices])
        occupation[rows] = places[np.minimum(rng.geometric(0.7, len(rows)) - 1, len(places) - 1)]
    return occupation


def at_risk(world: World) -> dict[str, Ints]:
    """(carry-licence people,) who would be in danger if found: never a column of the records."""
    kind, occupation = world.course.kind, occupations(world)
    return {
        "judge": kind == licences.TYPES.index("JUDGE"),
        "officer": np.isin(occupation, [_OCCUPATIONS.index(name) for name in _OFFICERS]),
        "victim_in_good_cause": good_cause.names_a_victim(_good_cause(world)),
    }


def _good_cause(world: World) -> Ints:
    kind = world.course.kind
    office = np.isin(kind, [licences.TYPES.index(name) for name in ("JUDGE", "RESERVE", "CUSTODIAL")])
    return good_cause.draw(stream(world.seed, "ccw", "good cause"), office)


def records(world: World) -> tuple[dict[str, Column], dict[str, Column]]:
    """The columns of the records, and of their truth table."""
    rng = stream(world.seed, "ccw", "records")
    rows = world.course.licences
    person = rows.person
    size = len(person)
    soil = np.zeros(size, dtype=np.int32)
    surname, home, county = _changes(rng, world, soil)
    who = dirt.identity(rng, world.people, person, dirt.KEYED_BY_HAND, surname=surname)
    soil |= who.dirt
    agency = agencies.draw(stream(world.seed, "ccw", "agencies"), county)
    # the agency handles all licences of a person who stays in the county
    stays = (soil & Dirt.MOVED_COUNTY) == 0
    home_county = world.people.core.county[: len(world.course.kind)]
    own = agencies.draw(stream(world.seed, "ccw", "own agency"), home_county)
    agency = np.where(stays, own[person], agency)

    core = world.people.core
    height, weight = _build(rng, core.female[: len(world.course.kind)])
    no_licence = rows.issue == licences.NO_DATE
    missing = rng.random(size) < _CII_MISSING
    cii = _cii(rng, world, person, missing, soil)
    no_card = rng.random(size) < _LICENSE_MISSING
    soil[no_card] |= Dirt.LICENSE_MISSING.value
    died = world.households.died[person]
    soil[(died != NOT_DEAD) & (died < rows.applied)] |= Dirt.AFTER_DEATH.value

    application_id = identifiers.running("SYN-APP-", np.arange(1, size + 1), 7)
    columns = {
        "application_id": application_id,
        "last_name": who.last,
        "first_name": who.first,
        "middle_name": who.middle,
        "suffix": who.suffix,
        "date_of_birth": who.birth,
        "residence_street": addresses.street_column(home),
        "city": addresses.city_column(home),
        "zip": addresses.zip_column(home),
        "county": coded(counties(), county),
        "sex": coded(SEXES, np.maximum(core.sex[person], 0), null=core.sex[person] < 0),
        "race": coded(RACES, np.maximum(core.race[person], 0), null=core.race[person] < 0),
        "height_in": numbers(height[person]),
        "weight_lb": numbers((weight[person] + rng.integers(-8, 9, size)).astype(np.int16)),
        "occupation": coded(_OCCUPATIONS, occupations(world)[person]),
        "ccw_license_number": agencies.licence_numbers(agency, np.maximum(rows.issue, 0), null=no_licence),
        "cii_number": identifiers.cii(cii, null=missing),
        "driver_license_number": identifiers.driver_license(person, null=no_card),
        "license_type": coded(licences.TYPES, world.course.kind[person]),
        "application_kind": coded(licences.KINDS, rows.kind),
        "status": coded(licences.STATUSES, rows.status),
        "status_date": dates(rows.decided),
        "denial_reason": _reasons(rng, rows.status),
        "application_date": dates(rows.applied),
        "issue_date": dates(rows.issue, null=no_licence),
        "expiry_date": dates(rows.expiry, null=no_licence),
        "issuing_agency": coded(agencies.names(), agency),
        "good_cause_text": coded(good_cause.texts(), _good_cause(world)[person]),
        "training_date": dates(rows.applied - rng.integers(5, 300, size)),
    }
    who_is_who = numbers(person.astype(np.int32))
    return columns, {"application_id": application_id, "person_id": who_is_who, "dirt": numbers(soil)}


def _changes(rng: np.random.Generator, world: World, soil: Ints) -> tuple[Ints, Addresses, Ints]:
    """Surname, address and county of each row: some people change them between two licences."""
    rows, people = world.course.licences, world.people
    person, turn = rows.person, rows.turn
    size = len(world.course.kind)
    issued = np.bincount(person[rows.issue != licences.NO_DATE], minlength=size)
    more = issued > 1
    change_at = 1 + (rng.random(size) * np.maximum(issued - 1, 1)).astype(np.int64)
    everyone = np.arange(size)
    county = people.core.county[person].astype(np.int64)

    # those who leave their county do so before their last licence, and exchange counties among
    # themselves: the licences of each county stay what they were
    leaving = more & (rng.random(size) < _MOVED_COUNTY)
    goes = leaving[person] & (rows.last == 1)
    county[goes] = rng.permutation(county[goes])
    goes &= county != people.core.county[person]
    soil[goes] |= Dirt.MOVED_COUNTY.value | Dirt.MOVED.value
    moving = more & ~leaving & (rng.random(size) < _MOVED)
    moved = moving[person] & (turn >= change_at[person])
    soil[moved] |= Dirt.MOVED.value
    likelier = np.where(people.core.female[:size] == 1, 3.5, 0.4)
    renamed = more & (rng.random(size) < likelier * _SURNAME_CHANGED)
    changed = renamed[person] & (turn >= change_at[person])
    soil[changed] |= Dirt.SURNAME_CHANGED.value
    new_surname = names.draw_surnames(rng, people.core.group[everyone])
    surname = np.where(changed, new_surname[person], people.surname[person])

    home = people.home.at(person)
    home = home.replaced(moved, addresses.draw(rng, people.core.county[everyone]).at(person))
    home = home.replaced(goes, addresses.draw(rng, county))
    chance = rng.random(len(person))
    boxed, away = chance < _PO_BOX, chance > 1 - _OUT_OF_STATE
    soil[boxed] |= Dirt.PO_BOX.value
    soil[away] |= Dirt.OUT_OF_STATE.value
    soil[rng.random(len(person)) < _MAIL_RETURNED] |= Dirt.MAIL_RETURNED.value
    home = Addresses(
        place=np.where(away, addresses.out_of_state(rng, len(person)), home.place),
        house=home.house,
        street=np.where(boxed, addresses.PO_BOX, home.street),
        unit=np.where(boxed, 0, home.unit),
    )
    return surname, home, county


def _cii(rng: np.random.Generator, world: World, person: Ints, missing: Ints, soil: Ints) -> Ints:
    """Digits of each row's CII number, with the wrong and the shared ones."""
    soil[missing] |= Dirt.CII_MISSING.value
    size = len(world.course.kind)
    bearer = np.arange(size)
    at = np.flatnonzero((rng.random(size) < _CII_SHARED) & (bearer > 0))
    bearer[at] -= 1
    shared = (bearer != np.arange(size))[person] & ~missing
    soil[shared] |= Dirt.CII_OF_ANOTHER.value
    number = identifiers.cii_digits(bearer[person])
    wrong = np.flatnonzero((rng.random(len(person)) < _CII_WRONG) & ~missing & ~shared)
    place = rng.integers(0, 8, len(wrong))
    number[wrong, place] = ord("0") + (number[wrong, place] - ord("0") + rng.integers(1, 10, len(wrong))) % 10
    soil[wrong] |= Dirt.CII_WRONG_DIGIT.value
    return number


def _build(rng: np.random.Generator, female: Ints) -> tuple[Ints, Ints]:
    """Height in inches and weight in pounds."""
    height = np.where(female == 1, rng.normal(64, 2.6, len(female)), rng.normal(69.5, 2.8, len(female)))
    height = np.clip(np.round(height), 54, 82)
    weight = np.clip(rng.normal(29, 4.5, len(female)), 18, 48) * height**2 / 703
    return height.astype(np.int16), np.round(weight).astype(np.int16)


def _reasons(rng: np.random.Generator, status: Ints) -> Column:
    denied = status == licences.STATUSES.index("DENIED")
    revoked = status == licences.STATUSES.index("REVOKED")
    reason = np.where(
        denied, pick(rng, _DENIAL_REASONS, len(status)), pick(rng, _REVOCATION_REASONS, len(status))
    )
    return coded(_REASONS, reason, null=~(denied | revoked))
