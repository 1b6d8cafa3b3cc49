"""Restraining order records: one row per order, for the court's SQLite database."""

from __future__ import annotations

import numpy as np

from clerestory.templates.generator import addresses, agencies, dirt, identifiers, names
from clerestory.templates.generator.columns import Column, coded, dates, numbers, spelled
from clerestory.templates.generator.columns import digits as digits_of
from clerestory.templates.generator.dates import LAST_DAY, age_at, day, year_of
from clerestory.templates.generator.draws import Choice, Ints, pick, stream
from clerestory.templates.generator.orders import NO_PARENT, TYPES
from clerestory.templates.generator.people import RACES, SEXES
from clerestory.templates.generator.reference import agencies as agency_list
from clerestory.templates.generator.reference import counties
from clerestory.templates.generator.world import World

PETITIONERS = (
    "LAW_ENFORCEMENT", "FAMILY_HOUSEHOLD", "DATING_PARTNER", "EMPLOYER", "COWORKER", "SCHOOL", "CO_PARENT",
    "ROOMMATE",
)  # fmt: skip
HARMS = ("OTHERS", "SELF", "BOTH", "UNKNOWN")
SERVICES = ("PERSONAL", "SUBSTITUTED", "AT_HEARING")
_MORE_PETITIONERS_FROM = day(2020, 9, 1)
_OFFICER_PETITIONS = (1038, 1076)  # Pallin et al., 2020: people whose petitioner was an officer
_OTHERS_EARLY, _OTHERS_LATE = (0, 1, 0, 0, 0, 0, 0, 0), (0, 60, 14, 6, 5, 6, 6, 3)
_LATE_OFFICERS = 0.96
_HARM_SHARES = (54.0, 15.3, 25.2, 5.5)  # Pear et al., 2022
_MASS_THREAT, _ARREST, _REMOVED = 0.287, 1 / 3, 0.559


def records(world: World) -> tuple[dict[str, tuple[str, Column]], dict[str, Column]]:
    """Declared type and values of each column, and the truth table."""
    rng = stream(world.seed, "gvro", "records")
    rows = world.orders
    size = len(rows.kind)
    person = world.respondents[rows.respondent]
    core, home = world.people.core, world.people.home.at(person)
    county = core.county[person]
    who = dirt.identity(rng, world.people, person, dirt.KEYED_BY_HAND)
    issued = rows.issued
    order_id = identifiers.running("SYN-GVRO-", np.arange(1, size + 1), 6)
    parent = identifiers.running("SYN-GVRO-", rows.parent + 1, 6, null=rows.parent == NO_PARENT)
    served = rng.random(size) < 0.94
    emergency = (rows.kind == TYPES.index("EGVRO")) | (rows.kind == TYPES.index("TGVRO"))
    service = np.where(emergency, pick(rng, (94, 6, 0), size), pick(rng, (25, 3, 72), size))
    to_service = np.where(service == SERVICES.index("AT_HEARING"), 0, rng.integers(0, 4, size))
    petitioner = _petitioners(world)
    by_officer = petitioner == PETITIONERS.index("LAW_ENFORCEMENT")
    case = _by_respondent(world, "mass threat", _MASS_THREAT)[rows.respondent]
    first = rows.parent == NO_PARENT
    removed = served & first & (rng.random(size) < _REMOVED)
    text, integer, date = "TEXT", "INTEGER", "DATE"
    columns = {
        "order_id": (text, order_id),
        "court_case_number": (text, _case_numbers(world)),
        "county": (text, coded(counties(), county)),
        "court": (text, coded([f"{name} County Superior Court" for name in counties()], county)),
        "order_type": (text, coded(TYPES, rows.kind)),
        "parent_order_id": (text, parent),
        "issued_date": (date, dates(issued)),
        "hearing_date": (date, dates(rows.hearing)),
        "expires_date": (date, dates(rows.expires)),
        "served_date": (date, dates(np.minimum(issued + to_service, LAST_DAY), null=~served)),
        "service_method": (text, coded(SERVICES, service, null=~served)),
        "respondent_last_name": (text, who.last),
        "respondent_first_name": (text, who.first),
        "respondent_middle_name": (text, who.middle),
        "respondent_date_of_birth": (date, who.birth),
        "respondent_street": (text, addresses.street_column(home)),
        "respondent_city": (text, addresses.city_column(home)),
        "respondent_zip": (text, addresses.zip_column(home)),
        "cii_number": (text, identifiers.cii(identifiers.cii_digits(person))),
        "respondent_sex": (text, coded(SEXES, np.maximum(core.sex[person], 0), null=core.sex[person] < 0)),
        "respondent_race": (text, coded(RACES, np.maximum(core.race[person], 0), null=core.race[person] < 0)),
        "respondent_age": (integer, numbers(age_at(core.birth[person], issued))),
        "petitioner_type": (text, coded(PETITIONERS, petitioner)),
        "petitioner_name": (text, _petitioner_names(rng, world)),
        "petitioner_agency": (text, _agency_names(rng, world, county, by_officer)),
        "harm_kind": (text, coded(HARMS, _harm(world)[rows.respondent])),
        "mass_threat": (integer, numbers(case.astype(np.int8))),
        "firearms_surrendered": (integer, numbers(np.where(removed, rng.geometric(0.4, size), 0))),
        "arrest_at_service": (
            integer,
            numbers((served & first & (rng.random(size) < _ARREST)).astype(np.int8)),
        ),
    }
    truth = {"order_id": order_id, "person_id": numbers(person.astype(np.int32)), "dirt": numbers(who.dirt)}
    return columns, truth


def _first_orders(world: World) -> Ints:
    """(respondents,) the row of each respondent's first order."""
    first = np.empty(len(world.respondents), dtype=np.int64)
    first[world.orders.respondent[::-1]] = np.arange(len(world.orders.kind))[::-1]
    return first


def _petitioners(world: World) -> Ints:
    """(orders,) who asked; the same for all orders of a respondent, exact for the people of 2016 to 2019."""
    rng = stream(world.seed, "gvro", "petitioners")
    issued = world.orders.issued[_first_orders(world)]
    size = len(issued)
    asked = np.where(
        issued >= _MORE_PETITIONERS_FROM, pick(rng, _OTHERS_LATE, size), pick(rng, _OTHERS_EARLY, size)
    )
    asked[rng.random(size) < _LATE_OFFICERS] = 0
    early = np.flatnonzero(year_of(issued) <= 2019)
    asked[early] = PETITIONERS.index("FAMILY_HOUSEHOLD")
    officers = round(len(early) * _OFFICER_PETITIONS[0] / _OFFICER_PETITIONS[1])
    asked[rng.permutation(early)[:officers]] = 0
    return asked[world.orders.respondent]


def _harm(world: World) -> Ints:
    return pick(stream(world.seed, "gvro", "harm"), _HARM_SHARES, len(world.respondents))


def _by_respondent(world: World, name: str, share: float) -> Ints:
    return stream(world.seed, "gvro", name).random(len(world.respondents)) < share


def _case_numbers(world: World) -> Column:
    """SYN-YY-nnnnnn, one court file per respondent, numbered by the first order."""
    year = year_of(world.orders.issued[_first_orders(world)])[world.orders.respondent]
    place = world.orders.respondent
    return spelled(b"SYN-", digits_of(year % 100, 2), b"-", digits_of(place + 1, 6), rows=len(place))


def _petitioner_names(rng: np.random.Generator, world: World) -> Column:
    """An invented name for each respondent's petitioner: a third person whom a leak would expose."""
    size = len(world.respondents)
    surname = names.draw_surnames(rng, world.people.core.group[world.respondents])
    first = names.draw_first_names(rng, np.full(size, day(1978)), rng.integers(0, 2, size))
    joined = np.strings.add(
        np.strings.add(np.asarray(names.surname_words())[surname], ", "),
        np.asarray(names.first_words())[first],
    )
    words, index = np.unique(joined, return_inverse=True)
    return coded(words, index[world.orders.respondent])


def _agency_names(rng: np.random.Generator, world: World, county: Ints, by_officer: Ints) -> Column:
    """The agency that asked: one of the county, the same for all orders of a respondent."""
    found = agency_list()
    own = [[float(agency[1] == number) for agency in found] for number in range(len(counties()))]
    agency = Choice.of(own).draw(rng, county[_first_orders(world)]) % len(found)
    return coded(agencies.names(), agency[world.orders.respondent], null=~by_officer)
