"""Why cells are hidden, written down for insiders: by table and row, since rows are what a release shows.

It tells primary from secondary, so it stays in the confidential folder. It holds no true value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from clerestory.confidential.protect.publish import Protection
from clerestory.confidential.protect.rules import Reason
from clerestory.policy import Policy

FORMAT = "clerestory-reasons/1"


@dataclass(frozen=True, slots=True)
class RuleSaid:
    """A rule that hides a cell: its name, and what it asks in words, with the policy's numbers."""

    rule: str
    what: str


def kept_reasons(protection: Protection) -> dict[str, Any]:
    """The reasons of a source, by table: hidden rows, and the bits of Reason of each (0: secondary)."""
    tables = {}
    nothing = np.zeros(len(protection.public.space), dtype=np.uint16)
    reasons = protection.rules.reasons if protection.rules else nothing
    for layout in protection.public.space.layouts:
        rows = np.flatnonzero(protection.public.hidden[layout.cells])
        cells = layout.cells[rows]
        tables[layout.design.name] = {
            "rows": len(layout.cells),
            "hidden": rows.tolist(),
            "reasons": reasons[cells].astype(int).tolist(),
        }
    return tables


def kept_policy(policy: Policy) -> dict[str, Any]:
    """The policy's numbers, as the rules are explained by them."""
    return asdict(policy)


def rules_said(reasons: int, policy: Mapping[str, Any], minimum: int) -> list[RuleSaid]:
    """What each bit of a cell's reasons says. minimum: of its table's attributes."""
    least, dominance, prior = policy["minimum_count"], policy["dominance"], policy["prior_posterior"]
    largest = "the largest contributor is known to the second largest to within"
    words = {
        Reason.RECORDS: f"1 to {least - 1} records (minimum_count = {least})",
        Reason.PERSONS: f"1 to {least - 1} persons (minimum_count = {least})",
        Reason.CONTRIBUTORS: f"fewer than minimum_contributors = {policy['minimum_contributors']}",
        Reason.DOMINANCE: f"the {dominance['contributors']} largest contributors hold more than "
        f"{dominance['share']:g}% (dominance)"
        if dominance
        else "",
        Reason.P_PERCENT: f"{largest} p_percent = {policy['p_percent']:g}",
        Reason.PRIOR_POSTERIOR: f"{largest} {prior['p']:g}%, who knew others to within {prior['q']:g}% "
        "(prior_posterior)"
        if prior
        else "",
        Reason.ATTRIBUTE: f"all of a group, or all but fewer than {minimum}, are in it (attributes)",
        Reason.POPULATION: f"about fewer people than minimum_population = {policy['minimum_population']:,}",
        Reason.UNIT: "its records, persons or sum are hidden in another unit of the source",
    }
    return [
        RuleSaid((bit.name or "").lower().replace("_", "-"), words[bit]) for bit in Reason(reasons) if bit
    ]
