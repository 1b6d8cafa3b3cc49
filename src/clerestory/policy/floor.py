"""The floor: numbers below which no project's policy may lie, whatever profile it names."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

from clerestory.policy.policy import Dominance, Policy, PriorPosterior
from clerestory.policy.profiles import said, tighter


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The minimums of a Policy, by its names. 0 or None: no floor for that rule."""

    minimum_count: int = 0
    interval_width: int = 0
    audit_level: int = 0
    insider_records: int = 0
    minimum_contributors: int = 0
    dominance: Dominance | None = None
    p_percent: float = 0.0
    prior_posterior: PriorPosterior | None = None
    attribute_minimum: int = 0
    minimum_population: int = 0
    unstable_below: int = 0


class Looser(NamedTuple):
    """A rule of a policy that lies below the floor: its name, what it asks, what the floor asks."""

    name: str
    asked: str
    floor: str


def floor_of(policy: Policy) -> Floor:
    """The floor that asks for all that a policy does."""
    return Floor(**{field.name: getattr(policy, field.name) for field in fields(Floor)})


def looser(policy: Policy, floor: Floor) -> tuple[Looser, ...]:
    """The rules of a policy that lie below the floor."""
    found = []
    for field in fields(floor):
        least, asked = getattr(floor, field.name), getattr(policy, field.name)
        if least and not (asked and tighter(field.name, asked, least)):
            found.append(Looser(field.name, said(asked) if asked else "off", said(least)))
    return tuple(found)
