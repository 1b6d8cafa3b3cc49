"""Assault weapons registry records: one row per registered weapon."""

from __future__ import annotations

import numpy as np

from clerestory.templates.generator import addresses, dirt, identifiers
from clerestory.templates.generator.columns import Column, coded, dates, numbers
from clerestory.templates.generator.dates import day
from clerestory.templates.generator.draws import Ints, pick, stream
from clerestory.templates.generator.people import RACES, SEXES
from clerestory.templates.generator.reference import counties
from clerestory.templates.generator.registry import WINDOWS
from clerestory.templates.generator.world import World

STATUSES = ("APPROVED", "PENDING", "INCOMPLETE", "REJECTED", "VOID", "TRANSFERRED", "SURRENDERED")
COLORS = ("BLACK", "TAN", "GREEN", "GREY", "OTHER")
_OLD_STATUSES = (90, 0, 0, 0, 1.5, 6, 2.5)
_NEW_STATUSES = (82, 3, 4, 5, 2, 2.5, 1.5)
# make, model, caliber, country, weight; by category
_WEAPONS: dict[str, tuple[tuple[str, str, str, str, float], ...]] = {
    "CAT1": (("COLT", "AR-15", ".223 REM", "USA", 5), ("NORINCO", "56S", "7.62X39MM", "CHINA", 3),
             ("UZI", "CARBINE", "9MM", "ISRAEL", 1), ("H&K", "91", ".308 WIN", "GERMANY", 1),
             ("INTRATEC", "TEC-9", "9MM", "USA", 1.5), ("FN", "FAL", ".308 WIN", "BELGIUM", 0.6)),
    "CAT2": (("BUSHMASTER", "XM15", ".223 REM", "USA", 4), ("ARMALITE", "M15", ".223 REM", "USA", 1),
             ("ARSENAL", "SLR", "7.62X39MM", "BULGARIA", 1), ("OLYMPIC ARMS", "PCR", ".223 REM", "USA", 1)),
    "CAT3": (("COLT", "SPORTER", ".223 REM", "USA", 3), ("SPRINGFIELD ARMORY", "M1A", ".308 WIN", "USA", 2),
             ("RUGER", "MINI-14", ".223 REM", "USA", 2), ("H&K", "SP89", "9MM", "GERMANY", 0.5)),
    "BMG50": (("BARRETT", "82A1", ".50 BMG", "USA", 3), ("SERBU", "BFG-50", ".50 BMG", "USA", 1)),
    "BBAW": (("AERO PRECISION", "X15", "5.56 NATO", "USA", 4),
             ("SMITH & WESSON", "M&P15", "5.56 NATO", "USA", 3),
             ("COLT", "LE6920", "5.56 NATO", "USA", 2), ("ANDERSON", "AM-15", "5.56 NATO", "USA", 2),
             ("RUGER", "AR-556", "5.56 NATO", "USA", 2), ("SIG SAUER", "MCX", ".300 BLK", "USA", 0.7),
             ("DRAKE ARMS", "DR-15", "6.5 GRENDEL", "USA", 0.1),
             ("OSPREY FIREARMS", "OS-10", ".308 WIN", "USA", 0.05)),
}  # fmt: skip
_BARRELS = (14.5, 16.0, 16.1, 18.0, 20.0, 22.0, 29.0)
_SERIAL_FROM = 20_000_000  # beyond every serial number in the records of sale


def records(world: World) -> tuple[dict[str, Column], dict[str, Column]]:
    """The columns of the records, and of their truth table."""
    rng = stream(world.seed, "awr", "records")
    weapons = world.weapons
    person, size = weapons.owner, len(weapons.owner)
    core, home = world.people.core, world.people.home.at(weapons.owner)
    who = dirt.identity(rng, world.people, person, dirt.READ_FROM_CARD)
    newest = weapons.category == list(WINDOWS).index("BBAW")
    status = np.where(newest, pick(rng, _NEW_STATUSES, size), pick(rng, _OLD_STATUSES, size))
    undecided = status == STATUSES.index("PENDING")
    # most of the last window's applications were still undecided when it closed
    wait = np.where(newest, rng.integers(60, 700, size), rng.integers(20, 200, size))
    # the last category covers what was lawfully owned before 2017
    owned_until = np.where(newest, day(2016, 12, 31), weapons.applied - 30)
    acquired = owned_until - rng.integers(0, 3_000, size)
    number = identifiers.running("SYN-AWR-", np.arange(1, size + 1), 7)
    columns = {
        "registration_number": number,
        "registrant_last_name": who.last,
        "registrant_first_name": who.first,
        "registrant_middle_name": who.middle,
        "registrant_date_of_birth": who.birth,
        "registrant_id_number": identifiers.driver_license(person),
        "registrant_street": addresses.street_column(home),
        "registrant_city": addresses.city_column(home),
        "zip": addresses.zip_column(home),
        "county": coded(counties(), weapons.county),
        "sex": coded(SEXES, np.maximum(core.sex[person], 0), null=core.sex[person] < 0),
        "race": coded(RACES, np.maximum(core.race[person], 0), null=core.race[person] < 0),
        "category": coded(tuple(WINDOWS), weapons.category),
        **_weapon_columns(rng, weapons.category),
        "color": coded(COLORS, pick(rng, (78, 9, 5, 5, 3), size)),
        "barrel_inches": numbers(np.asarray(_BARRELS)[pick(rng, (1, 8, 3, 2, 4, 1, 0.4), size)]),
        "serial_number": identifiers.serial(_SERIAL_FROM + np.arange(size)),
        "acquired_date": dates(acquired),
        "application_date": dates(weapons.applied),
        "decision_date": dates(weapons.applied + wait, null=undecided),
        "status": coded(STATUSES, status),
    }
    return columns, {"registration_number": number, "person_id": numbers(person), "dirt": numbers(who.dirt)}


def _weapon_columns(rng: np.random.Generator, category: Ints) -> dict[str, Column]:
    entries = [entry for name in WINDOWS for entry in _WEAPONS[name]]
    drawn = np.zeros(len(category), dtype=np.int64)
    start = 0
    for number, name in enumerate(WINDOWS):
        rows = np.flatnonzero(category == number)
        drawn[rows] = start + pick(rng, [entry[4] for entry in _WEAPONS[name]], len(rows))
        start += len(_WEAPONS[name])
    columns = {}
    for place, column in enumerate(("make", "model", "caliber", "country")):
        words = sorted({str(entry[place]) for entry in entries})
        index = np.asarray([words.index(str(entry[place])) for entry in entries])
        columns[column] = coded(words, index[drawn])
    return columns
