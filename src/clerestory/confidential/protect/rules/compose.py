"""All rules of a policy together: what is hidden for its own sake, and how far its interval must reach."""

from __future__ import annotations

import numpy as np

from clerestory.attack.shown import box_numbers
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.rules.attributes import told_attributes
from clerestory.confidential.protect.rules.concentration import concentrated
from clerestory.confidential.protect.rules.contributors import few_contributors
from clerestory.confidential.protect.rules.population import small_populations
from clerestory.confidential.protect.rules.reason import Primary, Reason
from clerestory.confidential.protect.rules.threshold import few_persons, few_records, of_kind
from clerestory.errors import Refused
from clerestory.policy import Policy


def primary_suppressions(original: OriginalCells, policy: Policy) -> Primary:
    """The cells that a rule of the policy hides; zeros stay, save sums of 0 in tables that may hide them.

    Units link: a box that is hidden in one unit is hidden in all (save for zeros), since records, persons and
    sums of the same people bound each other. The lower protection level equals the upper one, for symmetry
    (Handbook, section 4.2.2), but never takes a value below 0. Raises Refused if the policy asks about
    contributors and nobody counted them.
    """
    _check(original, policy)
    space = original.space
    broken = (
        few_records(original, policy),
        few_persons(original, policy),
        few_contributors(original, policy),
        *concentrated(original, policy),
        told_attributes(original),
        small_populations(original, policy),
    )
    reasons = np.zeros(len(space), dtype=np.uint16)
    upper = np.zeros(len(space), dtype=np.int64)
    for rule in broken:
        reasons[rule.cells] |= np.uint16(rule.reason)
        if rule.level is not None:
            upper = np.maximum(upper, rule.level)
    boxes = box_numbers(space)
    linked = np.zeros(int(boxes.max(initial=-1)) + 1, dtype=bool)
    linked[boxes[reasons > 0]] = True
    # A sum of 0 over a few records tells each of them; nothing else that is 0 is about anybody.
    about = (original.values > 0) | (space.may_hide_zeros & of_kind(space, "sum") & (original.records > 0))
    hidden = linked[boxes] & about
    reasons = np.where(hidden & (reasons == 0), np.uint16(Reason.UNIT), reasons)
    reasons = np.where(hidden, reasons, 0).astype(np.uint16)
    upper = np.where(hidden, upper, 0)
    single = np.zeros(len(space), dtype=bool)
    if original.contributions is not None:
        single = hidden & (original.contributions.contributors == 1)
    return Primary(hidden, reasons, upper, np.minimum(upper, original.values), single)


def _check(original: OriginalCells, policy: Policy) -> None:
    sums = any(unit.kind == "sum" for unit in original.space.unit_list)
    if sums and policy.asks_contributions and original.contributions is None:
        raise Refused(
            "the policy asks who contributes to sums, and nobody counted them",
            where=f"source {original.space.source!r}",
            fix="count the records again, by `clerestory build`",
        )
