"""Methods that show every number and change it: which one makes the numbers, and what is then tested."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clerestory.attack.bounded import (
    Narrowed,
    adds_up,
    largest_parts,
    narrowed,
    refuse_narrow,
    told_intervals,
)
from clerestory.attack.relations import Relations, relations
from clerestory.confidential.audit import AuditReport
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect import noise
from clerestory.confidential.protect.perturbation import additive, entropy_table, perturbed
from clerestory.confidential.protect.rounding import audit_rounded, larger_base, rounded
from clerestory.errors import InputError, Refused, Undecided
from clerestory.methods import CellKey, CellKeyMode, DifferentialPrivacy, Rounding, RoundingKind
from clerestory.policy import Policy
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray


def altered(
    original: OriginalCells,
    policy: Policy,
    method: Rounding | CellKey | DifferentialPrivacy,
    *,
    secret: bytes,
    progress: Callable[[str], None] | None = None,
) -> tuple[PublicCells, AuditReport]:
    """The public cells of a source whose numbers are changed, none hidden, and what was tested.

    Raises Refused, Undecided or InputError as the method does, never with a value.
    """
    space = original.space
    rules = relations(space)
    found: Narrowed | None = None
    if isinstance(method, Rounding):
        values, found = _rounded(original, policy, method, rules, secret, progress)
        must_add_up = method.kind is RoundingKind.CONTROLLED
    elif isinstance(method, CellKey):
        values, found = _perturbed(original, policy, method, rules, secret, progress)
        must_add_up = method.mode is CellKeyMode.ADDITIVE
    else:
        noisy = noise.drawn(space, original.values, method)
        values = noise.consistent(rules, noisy, secret=secret, progress=progress)
        must_add_up = True
    public = PublicCells(space, values, np.zeros(len(space), dtype=bool))
    if np.any(values < 0) or (must_add_up and not adds_up(public, rules)):
        raise Undecided(
            "the numbers do not add up: a mistake in Clerestory", where=f"source {space.source!r}"
        )
    return public, method_report(public, method, found)


def method_report(
    public: PublicCells, method: Rounding | CellKey | DifferentialPrivacy, found: Narrowed | None
) -> AuditReport:
    """What was tested of a source whose numbers are changed. found: what a reader can narrow, if anything."""
    cells = len(public.space)
    judged = np.zeros(0, dtype=np.int64) if found is None else np.flatnonzero(found.judged)
    width: IntArray = np.zeros(0, dtype=np.int64)
    if found is not None:
        room = (found.system.upper - found.system.lower)[judged]
        width = room.astype(np.int64) // found.system.relations.factor(judged)
    return AuditReport(
        level=f"{method.method.value}: bounds of true numbers, additive relations, zeros kept"
        if found is not None
        else f"{method.method.value}: no bounds are promised",
        required_width=0 if found is None else found.width,
        cells=cells,
        hidden=0,
        implied=int((judged >= cells).sum()),
        wide=len(judged),
        broken=0,
        undecided=0,
        smallest=int(width.min()) if len(width) else None,
        findings=(),
    )


def _rounded(
    original: OriginalCells,
    policy: Policy,
    method: Rounding,
    rules: Relations,
    secret: bytes,
    progress: Callable[[str], None] | None,
) -> tuple[IntArray, Narrowed]:
    values, reach = rounded(original, method, rules, secret=secret, progress=progress)
    # A reader may guess that no number had to go further, so the audit takes him to know it.
    known = Rounding(method.kind, method.base, reach)
    try:
        return values, audit_rounded(original.space, values, known, policy, rules=rules, progress=progress)
    except Refused as refused:
        fix = larger_base(original, method, rules, policy, secret=secret)
        raise Refused(refused.what, where=refused.where, fix=fix) from None


def _perturbed(
    original: OriginalCells,
    policy: Policy,
    method: CellKey,
    rules: Relations,
    secret: bytes,
    progress: Callable[[str], None] | None,
) -> tuple[IntArray, Narrowed | None]:
    space = original.space
    if original.keys is None:
        raise InputError("the cells have no keys", where=f"source {space.source!r}", fix="count them anew")
    if any(unit.kind == "sum" for unit in space.unit_list):
        raise InputError(
            "sums have no cell keys", where=f"source {space.source!r}", fix="publish counts only"
        )
    noisy = perturbed(original.values, original.keys, entropy_table(method))
    if method.mode is CellKeyMode.ADDITIVE:
        return additive(rules, original.values, noisy, secret=secret, progress=progress), None
    told = told_intervals(method, noisy, largest_parts(space))
    assert told is not None
    found = narrowed(space, *told, minimum=policy.minimum_count, width=policy.interval_width, rules=rules)
    refuse_narrow(found, fix='use mode = "additive", a greater `largest`, or publish fewer crossings')
    return noisy, found
