"""Numbers somebody chose: named, cited, frozen profiles. A project names one and may only tighten it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches

from clerestory.errors import InputError


@dataclass(frozen=True, slots=True)
class Policy:
    """What protects a source's tables."""

    profile: str
    source: str
    minimum_count: int
    """Counts from 1 to minimum_count - 1 are hidden, of records and of persons; zeros are shown."""
    interval_width: int
    """Every hidden cell has two feasible values at least this far apart, for the attacker of audit_level."""
    audit_level: int = 2
    insider_records: int = 1
    """Own records that an insider knows; see design of the attacker. A lower bound the audit adds."""
    maximum_cells: int = 200_000
    """Published cells of one source; more are refused before any is computed."""


CALHHS_DDG_2_0 = Policy(
    profile="calhhs-ddg-2.0",
    source="CalHHS Data De-Identification Guidelines, edition 2.0 (24 October 2025), steps 2 and 4",
    minimum_count=11,
    interval_width=9,
)

PROFILES = {CALHHS_DDG_2_0.profile: CALHHS_DDG_2_0}


def policy_for(
    profile: str, *, minimum_count: int | None = None, interval_width: int | None = None
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
    for key, asked, floor in (
        ("minimum_count", minimum_count, base.minimum_count),
        ("interval_width", interval_width, base.interval_width),
    ):
        if asked is not None and asked < floor:
            raise InputError(
                f"{key} = {asked} is looser than the profile's {floor}",
                where=f"clerestory.toml, policy.{key}",
                fix="a project may only tighten its profile; raise the number or remove the key",
            )
    return replace(
        base,
        minimum_count=minimum_count or base.minimum_count,
        interval_width=interval_width or base.interval_width,
    )
