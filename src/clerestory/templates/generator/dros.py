"""Records of sale: one row per firearm in one transaction, a year at a time so that memory stays bounded."""

from __future__ import annotations

import numpy as np

from clerestory.templates.generator import addresses, dirt, firearms, identifiers, reference
from clerestory.templates.generator.certificates import NO_CERTIFICATE
from clerestory.templates.generator.columns import Column, blank, coded, dates, numbers
from clerestory.templates.generator.dates import YEARS
from clerestory.templates.generator.draws import Ints, pick, stream
from clerestory.templates.generator.people import RACES, SEXES
from clerestory.templates.generator.purchases import DEALERS, dealer_counties
from clerestory.templates.generator.world import World

_TRANSACTIONS = {
    "DEALER_SALE": 84.0,
    "PRIVATE_PARTY_TRANSFER": 9.0,
    "PAWN_CONSIGNMENT_REDEMPTION": 1.2,
    "CURIO_RELIC_DEALER": 1.0,
    "CURIO_RELIC_PPT": 0.5,
    "EXEMPT_HANDGUN": 0.6,
    "PEACE_OFFICER_NON_ROSTER": 1.5,
    "LOAN": 0.1,
    "INTRAFAMILIAL": 1.3,
    "NEW_RESIDENT_REPORT": 0.6,
    "OPERATION_OF_LAW": 0.2,
}
_TYPES = tuple(_TRANSACTIONS)
_HANDGUNS_ONLY = [_TYPES.index(name) for name in ("EXEMPT_HANDGUN", "PEACE_OFFICER_NON_ROSTER")]
_OUTCOMES = {"APPROVED": 97.0, "DENIED": 1.0, "DELAYED": 0.2, "UNDETERMINED": 0.3, "CANCELLED": 1.5}
_DENIALS = {"PROHIBITED_PERSON": 82.0, "ONE_A_MONTH": 12.0, "OTHER": 6.0}
_NEW_OR_USED = ("NEW", "USED")
_LONG_GUN_DETAILS_FROM = 2014  # before, no maker or serial number was kept for long guns
_GUN_SHOW = 0.02
_DEALER_IDS = tuple(f"SYN-DLR-{number:05d}" for number in range(1, DEALERS + 1))
_WAITING_DAYS, _LONGEST_DELAY = 10, 30


def records(world: World, year: int) -> tuple[dict[str, Column], dict[str, Column]]:
    """The columns of one year's records in order of date, and of their truth table."""
    rng = stream(world.seed, "dros", "records", year)
    span = world.visits.of_year(year)
    firearms_bought = world.visits.firearms[span]
    visit = np.repeat(np.arange(span.start, span.stop), firearms_bought)
    person, dealer = world.visitor[visit], world.visits.dealer[visit]
    day = world.visits.days_of(year)
    size = len(visit)
    core, home = world.people.core, world.people.home.at(person)
    who = dirt.identity(rng, world.people, person, dirt.READ_FROM_CARD)

    handguns = float(reference.dros_handgun_share()[YEARS.index(year)])
    long_gun = (rng.random(size) >= handguns).astype(np.int8)
    kind = pick(rng, tuple(_TRANSACTIONS.values()), size)
    kind[(long_gun == 1) & np.isin(kind, _HANDGUNS_ONLY)] = _TYPES.index("DEALER_SALE")
    outcome = pick(rng, tuple(_OUTCOMES.values()), size)
    reason = pick(rng, tuple(_DENIALS.values()), size)
    entry = firearms.catalogue().draw(rng, long_gun)
    used = rng.random(size) < np.where(kind == _TYPES.index("DEALER_SALE"), 0.13, 0.93)
    waited = np.where(rng.random(size) < 0.82, _WAITING_DAYS, rng.integers(11, _LONGEST_DELAY + 1, size))
    first = int(world.targets.dros.sum(axis=1)[: YEARS.index(year)].sum())
    number = identifiers.running(f"SYN-DROS-{year % 100:02d}", np.arange(1, size + 1), 8)
    certificate = world.certificates.of_visit[visit]
    columns = {
        "dros_number": number,
        "transaction_date": dates(day),
        "release_date": dates(day + waited, null=~np.isin(outcome, (0, 3))),
        "transaction_type": coded(_TYPES, kind),
        "outcome": coded(tuple(_OUTCOMES), outcome),
        "denial_reason": coded(tuple(_DENIALS), reason, null=outcome != 1),
        "buyer_last_name": who.last,
        "buyer_first_name": who.first,
        "buyer_middle_name": who.middle,
        "buyer_date_of_birth": who.birth,
        "buyer_id_number": identifiers.driver_license(person),
        "buyer_street": addresses.street_column(home),
        "buyer_city": addresses.city_column(home),
        "buyer_zip": addresses.zip_column(home),
        "buyer_county": coded(reference.counties(), world.visits.county[visit]),
        "buyer_sex": coded(SEXES, np.maximum(core.sex[person], 0), null=core.sex[person] < 0),
        "buyer_race": coded(RACES, np.maximum(core.race[person], 0), null=core.race[person] < 0),
        "dealer_id": coded(_DEALER_IDS, dealer),
        "dealer_county": coded(reference.counties(), dealer_counties()[dealer]),
        **_firearm_columns(entry, long_gun, year, first),
        "new_or_used": coded(_NEW_OR_USED, used.astype(np.int8)),
        "fsc_number": identifiers.running("SYN-FSC-", certificate + 1, 8, null=certificate == NO_CERTIFICATE),
        "gun_show": numbers(rng.random(size) < _GUN_SHOW),
    }
    return columns, {"dros_number": number, "person_id": numbers(person), "dirt": numbers(who.dirt)}


def _firearm_columns(entry: Ints, long_gun: Ints, year: int, first: int) -> dict[str, Column]:
    """What was sold; serial numbers count on from the `first` transactions of earlier years."""
    known = firearms.catalogue()
    unknown = (long_gun == 1) & (year < _LONG_GUN_DETAILS_FROM)
    serial = identifiers.serial(first + np.arange(len(entry)))
    return {
        "firearm_class": coded(firearms.CLASSES, long_gun),
        "firearm_type": coded(firearms.TYPES, known.type[entry]),
        "manufacturer": coded(known.makers, known.maker[entry], null=unknown),
        "model": coded(known.models, known.model[entry], null=unknown),
        "caliber": coded(known.calibers, known.caliber[entry], null=unknown),
        "serial_number": blank(serial, unknown),
    }
