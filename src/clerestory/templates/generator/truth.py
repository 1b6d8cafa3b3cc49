"""The truth about everybody, kept apart: what matching is scored against, and who would be at risk."""

from __future__ import annotations

import numpy as np

from clerestory.templates.generator import addresses, ccw, identifiers, names
from clerestory.templates.generator.columns import Column, coded, dates, numbers
from clerestory.templates.generator.dates import age_at
from clerestory.templates.generator.draws import Ints
from clerestory.templates.generator.households import NOT_DEAD
from clerestory.templates.generator.people import RACES, SEXES
from clerestory.templates.generator.reference import counties
from clerestory.templates.generator.world import World

_ADULT = 18


def people(world: World) -> dict[str, Column]:
    """One row per person: true name, birth and home, the datasets the person is in, and the flags."""
    everybody, core, size = world.people, world.people.core, world.segments.size
    person = np.arange(size)
    no_middle = everybody.middle == names.NO_NAME
    no_suffix = everybody.suffix == names.NO_SUFFIX
    died = world.households.died
    minor = np.zeros(size, dtype=bool)
    ages = age_at(core.birth[world.respondents[world.orders.respondent]], world.orders.issued)
    minor[world.respondents[world.orders.respondent[ages < _ADULT]]] = True
    return {
        "person_id": numbers(person.astype(np.int32)),
        "last_name": coded(names.surname_words(), everybody.surname),
        "first_name": coded(names.first_words(), everybody.first),
        "middle_name": coded(names.first_words(), np.where(no_middle, 0, everybody.middle), null=no_middle),
        "suffix": coded(names.SUFFIXES, np.maximum(everybody.suffix, 0), null=no_suffix),
        "date_of_birth": dates(core.birth),
        "sex": coded(SEXES, np.maximum(core.sex, 0), null=core.sex < 0),
        "race": coded(RACES, np.maximum(core.race, 0), null=core.race < 0),
        "street": addresses.street_column(everybody.home),
        "city": addresses.city_column(everybody.home),
        "zip": addresses.zip_column(everybody.home),
        "county": coded(counties(), core.county),
        "cii_number": identifiers.cii(identifiers.cii_digits(person)),
        "driver_license_number": identifiers.driver_license(person),
        "in_ccw": numbers(_among(world.course.licences.person, size)),
        "in_fsc": numbers(_among(world.certificates.holder, size)),
        "in_dros": numbers(_among(world.visitor, size)),
        "in_awr": numbers(_among(world.weapons.owner, size)),
        "in_gvro": numbers(_among(world.respondents, size)),
        **{f"at_risk_{name}": numbers(_padded(flag, size)) for name, flag in ccw.at_risk(world).items()},
        "at_risk_safe_at_home": numbers(world.households.safe_at_home),
        "at_risk_minor_in_gvro": numbers(minor),
        "twin": numbers(world.households.twin),
        "father_or_son_of_same_name": numbers(world.households.namesake),
        "spouse": numbers(world.households.spouse),
        "date_of_death": dates(died, null=died == NOT_DEAD),
    }


def _among(person: Ints, size: int) -> Ints:
    found = np.zeros(size, dtype=bool)
    found[person] = True
    return found


def _padded(flag: Ints, size: int) -> Ints:
    """A flag of the carry-licence people, who come first, for everybody."""
    return np.concatenate([flag, np.zeros(size - len(flag), dtype=bool)])
