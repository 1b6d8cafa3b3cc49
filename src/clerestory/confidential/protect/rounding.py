"""Rounding: every number becomes a multiple of a base, the nearest, by chance, or so that tables add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from clerestory.attack.bounded import Narrowed, largest_parts, narrowed, refuse_narrow, told_intervals
from clerestory.attack.bounded_tables import two_tables
from clerestory.attack.relations import Relations, relations
from clerestory.confidential.keyed import cell_names, derived, uniforms
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.additive import adjacent
from clerestory.errors import InputError, Refused, Undecided
from clerestory.methods import Rounding, RoundingKind
from clerestory.policy import Policy
from clerestory.tables import CellSpace
from clerestory.tables.space import IntArray

_TIE = 1e-5
_TRIED = (2, 5, 10)
"""A base that is refused is tried again this many widths larger, to say which one would do."""


def conventionally(values: IntArray, base: IntArray | int) -> IntArray:
    """Each number to the nearest multiple; a half goes up."""
    base = np.asarray(base, dtype=np.int64)
    return np.asarray((values + base // 2) // base * base)


def randomly(values: IntArray, base: IntArray | int, chance: np.ndarray) -> IntArray:
    """Each number down or up to a multiple, up as often as its remainder is large: without bias.

    chance: (cells,) numbers from 0 to below 1. A multiple stays.
    """
    base = np.asarray(base, dtype=np.int64)
    rest = values % base
    return np.asarray(values - rest + np.where(chance * base < rest, base, 0))


def controlled(
    values: IntArray,
    rules: Relations,
    method: Rounding,
    chance: np.ndarray,
    *,
    progress: Callable[[str], None] | None = None,
) -> tuple[IntArray, int]:
    """Each number to a multiple beside it so that everything adds up; the sum of the changes is least, or in
    a large table near to it.

    Multiples stay (zero-restricted). Where no such table exists and the method's reach allows it, numbers
    above zero may go one multiple further. Returns the numbers and the reach that it took.
    Raises Refused if nothing adds up within the reach, Undecided if that was not settled.
    """
    base = method.base * largest_parts(rules.space)
    targets = values / base
    ties = (chance - 0.5) * _TIE
    for reach in range(1, method.reach + 1):
        try:
            found = adjacent(rules, targets, further=reach - 1, ties=ties, progress=progress)
        except Undecided:
            if reach == method.reach:
                raise
            continue
        if found is not None:
            return found * base, reach
    raise Refused(
        "no table of multiples beside the true numbers adds up",
        where=f"source {rules.space.source!r}",
        fix='set reach = 2, or publish fewer crossings, or kind = "random"',
    )


def rounded(
    original: OriginalCells,
    method: Rounding,
    rules: Relations,
    *,
    secret: bytes,
    progress: Callable[[str], None] | None = None,
) -> tuple[IntArray, int]:
    """The rounded numbers, and the reach that they took. Follows from (original, method, secret).

    A cell with the same true number is rounded the same way in every table and release, so that asking again
    gains nothing. Raises InputError for numbers below zero, Refused as controlled().
    """
    space, values = original.space, original.values
    if np.any(values < 0):
        raise InputError(
            "a number below zero cannot be rounded", where=f"source {space.source!r}", fix="publish counts"
        )
    base = method.base * largest_parts(space)
    if method.kind is RoundingKind.CONVENTIONAL:
        return conventionally(values, base), 1
    own = derived(secret, "rounding")
    chance = uniforms(cell_names(space, own), values)
    if method.kind is RoundingKind.RANDOM:
        return randomly(values, base, chance), 1
    return controlled(values, rules, method, chance, progress=progress)


def audit_rounded(
    space: CellSpace,
    values: IntArray,
    method: Rounding,
    policy: Policy,
    *,
    rules: Relations | None = None,
    fix: str = "",
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Narrowed:
    """What a reader can narrow each true number to, when no count that may be small is told too well.

    He knows every rounded number, the method, what adds up to what, and that zeros stay zeros. Raises Refused
    if adding up alone tells a count within less than the policy's width, Undecided if no two tables were
    found that take it so far apart.
    """
    rules = rules or relations(space)
    told = told_intervals(method, values, largest_parts(space))
    assert told is not None
    found = narrowed(space, *told, minimum=policy.minimum_count, width=policy.interval_width, rules=rules)
    refuse_narrow(found, fix=fix or "use a larger base, or publish fewer crossings")
    seen = two_tables(found, likely=values, seed=seed, progress=progress)
    if len(seen.undecided):
        raise Undecided(
            f"{len(seen.undecided):,} rounded counts could not be decided, one of them "
            f"{rules.describe(int(seen.undecided[0]))}",
            where=f"source {space.source!r}",
            fix="use a larger base, or publish fewer crossings",
        )
    return found


def larger_base(
    original: OriginalCells, method: Rounding, rules: Relations, policy: Policy, *, secret: bytes
) -> str:
    """What to do about a rounding that tells too much: a base that would do, if one is near."""
    for times in _TRIED:
        wider = replace(method, base=method.base + times * (policy.interval_width + 1))
        try:
            values, _ = rounded(original, wider, rules, secret=secret)
        except (Refused, Undecided):
            continue
        told = told_intervals(wider, values, largest_parts(original.space))
        if told is None:
            continue
        found = narrowed(
            original.space, *told, minimum=policy.minimum_count, width=policy.interval_width, rules=rules
        )
        if not len(found.broken):
            return f"base = {wider.base} would do; or publish fewer crossings"
    return 'use kind = "controlled", or publish fewer crossings'
