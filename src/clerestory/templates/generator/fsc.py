"""Safety certificate records: one row per certificate, names read from the holder's card."""

from __future__ import annotations

import numpy as np

from clerestory.templates.generator import addresses, dirt, identifiers
from clerestory.templates.generator.certificates import YEARS_VALID
from clerestory.templates.generator.columns import Column, coded, dates, numbers
from clerestory.templates.generator.dates import LAST_DAY, day, years_later
from clerestory.templates.generator.draws import Choice, stream
from clerestory.templates.generator.people import RACES, SEXES
from clerestory.templates.generator.purchases import DEALERS, dealer_counties
from clerestory.templates.generator.reference import counties
from clerestory.templates.generator.world import World

KINDS = ("HSC", "FSC")
LANGUAGES = ("EN", "ES")
STATUSES = ("VALID", "EXPIRED", "REPLACED", "VOID")
_FSC_FROM = day(2015)
_INSTRUCTORS_PER_DEALER = 3


def records(world: World) -> tuple[dict[str, Column], dict[str, Column]]:
    """The columns of the records, and of their truth table."""
    rng = stream(world.seed, "fsc", "records")
    held = world.certificates
    person = held.holder
    size = len(person)
    core = world.people.core
    who = dirt.identity(rng, world.people, person, dirt.READ_FROM_CARD)
    where = dealer_counties()
    dealers = Choice.of([(where == county) / np.arange(1, DEALERS + 1) for county in range(len(counties()))])
    dealer = dealers.draw(rng, held.county) % DEALERS
    instructor = dealer * _INSTRUCTORS_PER_DEALER + rng.integers(0, _INSTRUCTORS_PER_DEALER, size)
    expiry = years_later(held.issue, YEARS_VALID)
    chance = rng.random(size)
    status = np.where(expiry <= LAST_DAY, STATUSES.index("EXPIRED"), STATUSES.index("VALID"))
    status[chance < 0.02] = STATUSES.index("REPLACED")
    status[chance > 0.997] = STATUSES.index("VOID")
    spanish = (rng.random(size) < np.where(core.group[person] == 1, 0.13, 0.002)).astype(np.int8)
    number = identifiers.running("SYN-FSC-", np.arange(1, size + 1), 8)
    columns = {
        "fsc_number": number,
        "certificate_kind": coded(KINDS, (held.issue >= _FSC_FROM).astype(np.int8)),
        "last_name": who.last,
        "first_name": who.first,
        "middle_name": who.middle,
        "date_of_birth": who.birth,
        "driver_license_number": identifiers.driver_license(person),
        "sex": coded(SEXES, np.maximum(core.sex[person], 0), null=core.sex[person] < 0),
        "race": coded(RACES, np.maximum(core.race[person], 0), null=core.race[person] < 0),
        "county": coded(counties(), held.county),
        "zip": addresses.zip_column(world.people.home.at(person)),
        "test_date": dates(held.issue),
        "issue_date": dates(held.issue),
        "expiry_date": dates(expiry),
        "attempt": numbers((1 + (rng.random(size) < 0.09)).astype(np.int8)),
        "score": numbers((23 + np.round(7 * rng.beta(3.2, 1.3, size))).astype(np.int8)),
        "language": coded(LANGUAGES, spanish),
        "instructor_id": identifiers.running("SYN-INS-", instructor + 1, 5),
        "dealer_id": identifiers.running("SYN-DLR-", dealer + 1, 5),
        "status": coded(STATUSES, status),
    }
    return columns, {"fsc_number": number, "person_id": numbers(person), "dirt": numbers(who.dirt)}
