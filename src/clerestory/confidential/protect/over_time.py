"""Suppression with a memory: the cells of today are protected together with those of earlier releases.

The suppressor works on the linked tables of all releases, where what earlier ones show cannot be hidden any
more. What it hides must then also hold for today's release alone, as a reader of only that one sees it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.history import History
from clerestory.attack.relations import Relations
from clerestory.attack.shown import box_numbers
from clerestory.attack.system import System, attackers_system, components
from clerestory.attack.tables import any_table, ceiling
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.suppress import seen_by_reader, suppress
from clerestory.confidential.protection_levels import ProtectionLevels
from clerestory.errors import InputError, Refused
from clerestory.policy import Policy
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
_ROUNDS = 6
"""Turns between all releases together and today's alone, after which the tables are refused."""


def suppress_over_time(
    rules: Relations,
    original: OriginalCells,
    policy: Policy,
    primary: BoolArray,
    past: History,
    *,
    levels: ProtectionLevels | None = None,
    seed: int,
    progress: Callable[[str], None] | None = None,
) -> BoolArray:
    """(today's cells,) what must be hidden so that neither today's release nor all together can be attacked.

    A frozen cell that an earlier release hid stays hidden: to show it now would tell what it was hidden for.
    A primary cell that earlier releases tell is hidden all the same; nothing protects it any more.
    Raises Refused if no pattern does, or if no earlier numbers fit today's.
    """
    joint = _joint_original(past, original)
    joint_levels = None if levels is None else levels.joint(past)
    lost = past.known
    hideable = (original.values > 0) | original.space.may_hide_zeros
    hidden = primary | (past.was_hidden[past.current] & ~lost & hideable)
    for _ in range(_ROUNDS):
        wanted = past.was_hidden.copy()
        wanted[past.current] |= hidden
        together = suppress(
            past.rules,
            joint,
            policy,
            wanted & ~past.shown,
            levels=joint_levels,
            seed=seed,
            past=past,
            progress=progress,
        )
        hidden = _in_all_units(original, hidden | together[past.current])
        if _holds_alone(rules, original, policy, hidden, levels, seed):
            return hidden
        more = suppress(rules, original, policy, hidden, levels=levels, seed=seed, progress=progress)
        if not np.any(more & ~hidden):
            return hidden
        hidden = hidden | more
    raise Refused(
        f"hiding more for this release and for all together did not come to an end in {_ROUNDS} rounds",
        where=f"source {past.source!r}",
        fix="use coarser categories or fewer dimensions, or release less often",
    )


def _in_all_units(original: OriginalCells, hidden: BoolArray) -> BoolArray:
    """A box that is hidden in one unit is hidden in all, those that earlier releases tell included."""
    boxes = box_numbers(original.space)
    chosen = np.zeros(int(boxes.max(initial=-1)) + 1, dtype=bool)
    chosen[boxes[hidden]] = True
    return chosen[boxes] & ((original.values > 0) | original.space.may_hide_zeros)


def _holds_alone(
    rules: Relations,
    original: OriginalCells,
    policy: Policy,
    hidden: BoolArray,
    levels: ProtectionLevels | None,
    seed: int,
) -> bool:
    if levels is not None and len(levels.told_by_one(rules, hidden)):
        return False
    found = seen_by_reader(rules, original, policy, hidden, levels, seed, start=original.values)
    return found is not None and found.wide


def _joint_original(past: History, original: OriginalCells) -> OriginalCells:
    """A table of all releases: today's true cells, what was shown earlier, and for the rest what fits them.

    What an earlier release hid is not known here either; any numbers that fit serve, since widths are proven
    from whichever table they start.
    """
    space, rules = past.space, past.rules
    today = np.zeros(len(space), dtype=bool)
    today[past.current] = True
    values = past.values.copy()
    values[past.current] = original.values
    shown = past.shown | today
    public = PublicCells(space, np.where(shown, values, 0), ~shown)
    try:
        system = attackers_system(rules, public)
        table = _any(system, np.random.default_rng(0))
    except InputError as problem:
        raise Refused(
            "the records do not fit the earlier releases as the tables declare to change",
            where=f"source {past.source!r}, releases {', '.join(past.releases)}",
            fix='correct the records, or declare changes = "cumulative" or "revised"',
        ) from problem
    filled = table[: len(space)]
    records = -(-filled // rules.factor(np.arange(len(space))))
    records[past.current] = original.records
    return OriginalCells(space, filled, records, None)


def _any(system: System, rng: np.random.Generator) -> IntArray:
    table = np.where(system.free, 0, system.lower).astype(np.int64)
    for part in components(system):
        found = any_table(ceiling(part, 0), rng)
        if found is None:
            raise InputError("no numbers fit")
        table[part.columns] = found
    return table
