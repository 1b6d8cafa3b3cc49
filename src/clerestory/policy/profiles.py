"""The named profiles, each number with its source, and how a project tightens one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

from clerestory.errors import InputError
from clerestory.policy.policy import Dominance, Policy, PriorPosterior

# Every profile is minimum_count - 2 wide: as many values stay possible as there are small counts.

CALHHS_DDG_2_0 = Policy(
    profile="calhhs-ddg-2.0",
    source="CalHHS Data De-Identification Guidelines, edition 2.0 (24 October 2025), steps 2 and 4",
    minimum_count=11,  # persons; step 2, the numerator: 11 or more, zero is shown
    interval_width=9,
    minimum_population=20_000,  # step 2, the denominator
)

CMS = Policy(
    profile="cms",
    source="CMS cell size suppression policy: no cell of 10 or less, nor anything that gives one back",
    minimum_count=11,
    interval_width=9,
)

NCES_FERPA = Policy(
    profile="nces-ferpa",
    source="NCES 2011-603, SLDS Technical Brief 3: Statistical Methods for Protecting Personally "
    "Identifiable Information in Aggregate Reporting",
    minimum_count=10,  # students; no table with a category under 10
    interval_width=8,
    attribute_minimum=3,  # the brief codes both ends of percentages: 100% tells about each; 3 is ours
)

CDC_WONDER = Policy(
    profile="cdc-wonder",
    source="CDC WONDER, data use restrictions: counts under 10 suppressed, rates under 20 events unreliable",
    minimum_count=10,
    interval_width=8,
    unstable_below=20,  # relative standard error above 1 / sqrt(20), 22 percent
)

ONS = Policy(
    profile="ons",
    source="GSS/ONS disclosure control guidance for tables from administrative sources, threshold of 10; for "
    "sums three contributors and a p% rule, whose p the guidance leaves to the office",
    minimum_count=10,
    interval_width=8,
    minimum_contributors=3,
    p_percent=10.0,  # the guidance publishes no p; 10 is ours
    attribute_minimum=3,  # group disclosure; the number is ours
)

PROFILES = {profile.profile: profile for profile in (CALHHS_DDG_2_0, CMS, NCES_FERPA, CDC_WONDER, ONS)}

EDITIONS = ("1.0", "2.0")
"""Editions of the CalHHS Publication Scoring Criteria."""


@dataclass(frozen=True, slots=True)
class Tightening:
    """What a project asks for beyond its profile; None leaves the profile's number."""

    minimum_count: int | None = None
    interval_width: int | None = None
    minimum_contributors: int | None = None
    dominance: Dominance | None = None
    p_percent: float | None = None
    prior_posterior: PriorPosterior | None = None
    attribute_minimum: int | None = None
    minimum_population: int | None = None
    unstable_below: int | None = None
    scoring: str | None = None
    audit_level: int | None = None
    insider_records: int | None = None


def policy_for(
    profile: str,
    tightening: Tightening | None = None,
    *,
    minimum_count: int | None = None,
    interval_width: int | None = None,
) -> Policy:
    """The named profile, tightened. Raises InputError if unknown or if a number would loosen it."""
    base = PROFILES.get(profile)
    if base is None:
        near = get_close_matches(profile, PROFILES, n=1, cutoff=0.3)
        raise InputError(
            f"unknown policy profile {profile!r}",
            where="clerestory.toml, policy.profile",
            fix=f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(PROFILES)}",
        )
    asked = tightening or Tightening(minimum_count=minimum_count, interval_width=interval_width)
    changes: dict[str, Any] = {}
    for field in fields(asked):
        value, floor = getattr(asked, field.name), getattr(base, field.name)
        if value is None:
            continue
        if field.name == "scoring" and value not in EDITIONS:
            raise InputError(
                f"no edition {value!r} of the scoring criteria",
                where="clerestory.toml, policy.scoring",
                fix=f"choose one of: {', '.join(EDITIONS)}",
            )
        if floor and not tighter(field.name, value, floor):
            raise InputError(
                f"{field.name} = {said(value)} is looser than the profile's {said(floor)}",
                where=f"clerestory.toml, policy.{field.name}",
                fix="a project may only tighten its profile; "
                + ("lower the share" if field.name == "dominance" else "raise the number")
                + " or remove the key",
            )
        changes[field.name] = value
    return replace(base, **changes)


def _at_least(asked: Any, floor: Any) -> bool:
    return bool(asked >= floor)


def _dominates(asked: Dominance, floor: Dominance) -> bool:
    return asked.contributors >= floor.contributors and asked.share <= floor.share


def _prior(asked: PriorPosterior, floor: PriorPosterior) -> bool:
    return asked.ratio >= floor.ratio


_TIGHTER: dict[str, Callable[[Any, Any], bool]] = {
    "dominance": _dominates,
    "prior_posterior": _prior,
    "scoring": lambda *_: True,
}


def tighter(name: str, asked: Any, floor: Any) -> bool:
    """Whether a number asks for at least as much as a floor's, both of the same field and not off."""
    return _TIGHTER.get(name, _at_least)(asked, floor)


def said(value: object) -> str:
    """A number of a policy as people read it."""
    if isinstance(value, Dominance):
        return f"({value.contributors}, {value.share:g}%)"
    if isinstance(value, PriorPosterior):
        return f"({value.p:g}, {value.q:g})"
    return f"{value:g}" if isinstance(value, float) else str(value)
