"""Why an applicant wants to carry: short invented notes, some of which tell far too much."""

from __future__ import annotations

from functools import cache

import numpy as np

from clerestory.templates.generator import reference
from clerestory.templates.generator.draws import Ints, pick, stream

_ORDINARY = (
    "SELF DEFENSE",
    "PERSONAL PROTECTION",
    "PERSONAL PROTECTION, LIVES IN REMOTE AREA",
    "CARRIES CASH DEPOSITS FOR OWN BUSINESS",
    "TRANSPORTS JEWELRY SAMPLES FOR WORK",
    "RURAL PROPERTY, RESPONSE TIME OVER 40 MINUTES",
    "RETIRED, TRAVELS ALONE",
    "PROTECTION OF FAMILY",
    "WORKS NIGHTS AT PHARMACY",
    "COLLECTS RENT IN CASH",
    "HIKES AND CAMPS ALONE IN BACK COUNTRY",
    "STORE ROBBED TWICE IN PAST YEAR",
)
_OFFICE = (
    "JUDICIAL OFFICER, HEARS CRIMINAL CASES",
    "PEACE OFFICER DUTIES",
    "RESERVE OFFICER, OFF DUTY CARRY",
    "THREATS CONNECTED WITH COURT DUTIES",
)
_VICTIM = (
    "EX-PARTNER THREATENED TO KILL HER, RESTRAINING ORDER IN FORCE",
    "STALKED BY FORMER EMPLOYEE SINCE LAST YEAR",
    "WITNESS IN HOMICIDE TRIAL, RECEIVED THREATS",
    "VICTIM OF HOME INVASION, SUSPECT NOT CAUGHT",
    "THREATENED BY RELATIVE OF DEFENDANT",
)
_WITH_ADDRESS = (
    "MOVED TO {address} TO GET AWAY FROM ABUSIVE HUSBAND",
    "INCIDENT AT {address}, SEE REPORT",
    "MAIL GOES TO {address} BECAUSE OF STALKER",
)
_ADDRESSED = 900  # texts that hold an invented address
_VICTIM_SHARE, _ADDRESS_SHARE = 0.012, 0.002


@cache
def texts() -> tuple[str, ...]:
    """Every text: ordinary ones, those of office, those of victims, those with an address in them."""
    rng = stream(0, "good cause")
    streets = reference.street_names()
    made = [
        _WITH_ADDRESS[number % len(_WITH_ADDRESS)].format(
            address=f"{int(rng.integers(100, 9_900))} {streets[int(rng.integers(len(streets)))]}"
        )
        for number in range(_ADDRESSED)
    ]
    return (*_ORDINARY, *_OFFICE, *_VICTIM, *made)


def draw(rng: np.random.Generator, in_office: Ints) -> Ints:
    """One text for each person; people in office mostly give their office."""
    size = len(in_office)
    text = pick(rng, (5, 8, 2, 2, 0.5, 1.5, 2, 4, 0.7, 0.6, 0.9, 0.6), size)
    office = in_office & (rng.random(size) < 0.9)
    text[office] = len(_ORDINARY) + rng.integers(0, len(_OFFICE), int(office.sum()))
    chance = rng.random(size)
    victim = ~office & (chance < _VICTIM_SHARE)
    text[victim] = len(_ORDINARY) + len(_OFFICE) + rng.integers(0, len(_VICTIM), int(victim.sum()))
    addressed = ~office & (chance > 1 - _ADDRESS_SHARE)
    text[addressed] = len(texts()) - _ADDRESSED + rng.integers(0, _ADDRESSED, int(addressed.sum()))
    return text


def names_a_victim(text: Ints) -> Ints:
    """Whether the text says that its author is a victim or a witness under threat."""
    return text >= len(_ORDINARY) + len(_OFFICE)
