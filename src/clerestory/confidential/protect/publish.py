"""The one door: original cells go in, protected and audited public cells come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.decide import Levels
from clerestory.attack.finest import behind
from clerestory.attack.history import Earlier, History, history
from clerestory.attack.levels import Level
from clerestory.attack.over_time import OverTime, audit_over_time
from clerestory.attack.relations import relations
from clerestory.confidential.audit import AuditReport, audit
from clerestory.confidential.original import OriginalCells
from clerestory.confidential.protect.altered import altered
from clerestory.confidential.protect.over_time import suppress_over_time
from clerestory.confidential.protect.rules import Primary, primary_suppressions
from clerestory.confidential.protect.suppress import suppress
from clerestory.confidential.protect.utility import Utility, utility_of
from clerestory.confidential.protection_levels import ProtectionLevels, protection_levels
from clerestory.errors import InputError, Refused
from clerestory.methods import SUPPRESSION, Protector, Suppression
from clerestory.policy import Policy
from clerestory.tables import PublicCells, PublicTable, Status


@dataclass(frozen=True, eq=False)
class Protection:
    """What protection made. Only `public` may leave; rules, primary, secondary: (cells,), for insiders.

    utility: how far numbers are from true ones, for insiders; None where shown numbers are the true ones.
    """

    public: PublicCells
    primary: NDArray[np.bool_]
    secondary: NDArray[np.bool_]
    report: AuditReport
    rules: Primary | None = None
    over_time: OverTime | None = None
    utility: Utility | None = None

    def __repr__(self) -> str:
        return f"Protection(source={self.public.space.source!r}, cells={len(self.public.space)})"


def protect(
    original: OriginalCells,
    policy: Policy,
    *,
    seed: int,
    earlier: Sequence[Earlier] = (),
    also: NDArray[np.bool_] | None = None,
    pattern: NDArray[np.bool_] | None = None,
    method: Protector = SUPPRESSION,
    secret: bytes = b"",
    progress: Callable[[str], None] | None = None,
) -> Protection:
    """The public cells of a source, in which the audit left nothing narrower than the policy allows.

    seed: the project's secret seed; it breaks ties among cells that might be hidden. earlier: releases that
    count the same people, oldest first, which must not help a reader either. also: (cells,) to be hidden as
    if they were primary. pattern: (cells,) what to hide, if it hides every primary cell and no zero. The
    outcome follows from all of these. method: another way than hiding cells; its choices follow from the
    secret, save for differential privacy, which draws anew each time. Raises Refused if nothing protects
    these tables, Undecided if the audit came to its limits; both name the table and neither carries a value.
    """
    if not isinstance(method, Suppression):
        if policy.insider_records > 1:
            raise InputError(
                "insider_records is for suppression: no other method is checked against readers with records",
                where=f"source {original.space.source!r}, method {method.method.value}",
                fix="remove insider_records from [policy], or protect the source by suppression",
            )
        public, audited = altered(original, policy, method, secret=secret, progress=progress)
        return altered_protection(original, public, audited)
    found = primary_suppressions(original, policy)
    hideable = (original.values > 0) | original.space.may_hide_zeros
    primary = found.hidden
    if also is not None:
        primary = primary | (also & hideable)
    rules = relations(original.space)
    levels = protection_levels(original, found, rules, policy.insider_records)
    past = history(original.space, earlier) if earlier else None
    if past is not None:
        past.check(original.values)
    reader = rules
    if policy.audit_level == Level.FINEST:
        reader = behind(PublicCells(original.space, np.zeros_like(original.values), hideable), rules).rules
    if pattern is not None and np.array_equal(pattern, pattern & hideable | primary):
        hidden = pattern
    elif past is None:
        hidden = suppress(
            reader,
            original,
            policy,
            primary,
            levels=levels,
            seed=seed,
            progress=progress,
        )
    else:
        hidden = suppress_over_time(
            reader, original, policy, primary, past, levels=levels, seed=seed, progress=progress
        )
    bare = np.flatnonzero(primary & ~hidden)
    if len(bare):
        raise Refused(
            f"{len(bare)} cells that the policy hides would be shown",
            where=original.space.describe(int(bare[0])),
            fix='say zeros = "shown" for the table, or use coarser categories in it',
        )
    public = PublicCells(
        original.space, np.where(hidden, 0, original.values), hidden, insiders=policy.insider_records
    )
    report = audit(public, policy=policy, start=original.values, levels=levels, seed=seed, progress=progress)
    if past is None:
        return Protection(public, primary, hidden & ~primary, report, found)
    ends = _joint_ends(past, original, levels)
    over_time = audit_over_time(past, public, policy=policy, levels=ends, seed=seed, progress=progress)
    return Protection(public, primary, hidden & ~primary, report, found, over_time)


def _joint_ends(past: History, original: OriginalCells, levels: ProtectionLevels) -> Levels:
    values = past.values.copy()
    values[past.current] = original.values
    return levels.joint(past).ends(values)


def altered_protection(original: OriginalCells, public: PublicCells, found: AuditReport) -> Protection:
    """What protection made where every number is shown, but is not the true one."""
    nothing = np.zeros(len(original.space), dtype=bool)
    utility = utility_of(original.space, original.values, public.values)
    return Protection(public, nothing, nothing, found, utility=utility)


def public_tables(public: PublicCells) -> tuple[PublicTable, ...]:
    """One table per layout of the space, in order; rows in the order of the layout."""
    shown, hidden = list(Status).index(Status.SHOWN), list(Status).index(Status.HIDDEN)
    return tuple(
        PublicTable(
            name=layout.design.name,
            source=public.space.source,
            title=layout.design.title,
            unit=layout.design.unit,
            dimensions=layout.design.dimensions,
            margins=layout.design.margins,
            coords=layout.coords,
            values=np.where(public.hidden[layout.cells], 0, public.values[layout.cells]),
            statuses=np.where(public.hidden[layout.cells], hidden, shown).astype(np.int8),
            attributes=layout.design.attributes,
            zeros_shown=layout.design.zeros_shown,
        )
        for layout in public.space.layouts
    )


def publish_openly(original: OriginalCells) -> PublicCells:
    """The cells of a source whose rows are public as such: there is nobody to protect, nothing is hidden."""
    nothing = np.zeros(len(original.space), dtype=bool)
    return PublicCells(original.space, original.values, nothing)
