"""The audit: attacks the public cells as a reader would and compares what is left open with the policy.

It is given the public values alone; the true ones, if passed, only spare it the search for a first table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clerestory.attack.decide import Verdict, Verdicts, decide
from clerestory.attack.shown import open_units, small_shown
from clerestory.errors import Refused, Undecided
from clerestory.policy import Policy
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

LEVEL_2 = "level 2: additive relations among published cells, zeros shown, whole numbers"
_LISTED = 20


@dataclass(frozen=True)
class AuditReport:
    """What the attack found, without a value. Widths are in counts; a sum's is divided by its largest part.

    hidden, implied: cells that had to be wide; wide, broken, undecided: what is proven of them (broken also
    counts lines whose hidden cells have a small known sum, small counts shown, and boxes that one unit hides
    and another shows). smallest: the least width that two witnesses
    prove, None if there was nothing to prove. findings: the broken and undecided cells, described.
    """

    level: str
    required_width: int
    cells: int
    hidden: int
    implied: int
    wide: int
    broken: int
    undecided: int
    smallest: int | None
    findings: tuple[str, ...]


def report(verdicts: Verdicts, public: PublicCells, *, policy: Policy) -> AuditReport:
    """The verdicts, counted and described."""
    cells = len(public.space)
    rules = verdicts.relations
    wide = verdicts.verdicts == Verdict.WIDE
    seen = verdicts.high >= verdicts.low
    reach = np.where(seen, verdicts.high, 0) - np.where(seen, verdicts.low, 0)
    proven = (reach // rules.factor(verdicts.variables))[wide]
    bad = [
        f"{rules.describe(int(variable))}: {verdict.name.lower()}"
        for verdict in (Verdict.BROKEN, Verdict.UNDECIDED)
        for variable in verdicts.of(verdict)
    ]
    lines = [
        f"{rules.describe(int(rules.parents[line]))}: what is hidden in it adds up to a small known count"
        for line in verdicts.small_lines
    ]
    shown = small_shown(public, policy.minimum_count)
    bare = [f"{rules.describe(int(cell))}: a small count is shown" for cell in shown]
    units = open_units(public)
    bare += [f"{rules.describe(int(cell))}: shown, but hidden in another unit" for cell in units]
    return AuditReport(
        level=LEVEL_2,
        required_width=policy.interval_width,
        cells=cells,
        hidden=int(public.hidden.sum()),
        implied=int((verdicts.variables >= cells).sum()),
        wide=int(wide.sum()),
        broken=len(verdicts.of(Verdict.BROKEN)) + len(lines) + len(bare),
        undecided=len(verdicts.of(Verdict.UNDECIDED)),
        smallest=int(proven.min()) if len(proven) else None,
        findings=(*bare, *bad, *lines),
    )


def audit(
    public: PublicCells,
    *,
    policy: Policy,
    start: IntArray | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> AuditReport:
    """The report of an attack that every hidden and implied cell withstood.

    start: (cells,) values known to fit, such as the true ones. Raises Refused if a cell is broken, Undecided
    if one could not be decided within the limits, InputError if the public values contradict each other.
    """
    verdicts = decide(
        public,
        width=policy.interval_width,
        minimum=policy.minimum_count,
        start=start,
        seed=seed,
        progress=progress,
    )
    found = report(verdicts, public, policy=policy)
    if found.broken or found.undecided:
        error, what = (
            (Refused, f"{found.broken} cells can be worked out within {policy.interval_width}")
            if found.broken
            else (Undecided, f"{found.undecided} cells could not be decided")
        )
        listed = "\n  ".join(found.findings[:_LISTED])
        raise error(
            f"{what}:\n  {listed}",
            where=f"source {public.space.source!r}",
            fix="hide more cells near them, or use coarser categories",
        )
    return found
