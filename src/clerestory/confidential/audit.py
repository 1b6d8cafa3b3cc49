"""The audit: attacks the public cells as a reader would and compares what is left open with the policy.

It is given the public values alone; the true ones, if passed, only spare it the search for a first table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.decide import Verdict, Verdicts, decide
from clerestory.attack.finest import FinestPart
from clerestory.attack.level3 import level3
from clerestory.attack.levels import LEVELS, Level, level_of, seen_at
from clerestory.attack.margins import cores
from clerestory.attack.relations import Kind
from clerestory.attack.shown import open_units, small_shown
from clerestory.confidential.protection_levels import ProtectionLevels
from clerestory.errors import Refused, Undecided
from clerestory.policy import Policy
from clerestory.tables import PublicCells
from clerestory.tables.space import IntArray

LEVEL_2 = LEVELS[Level.POLICY]
_LISTED = 20


@dataclass(frozen=True)
class AuditReport:
    """What the attack found, without a value. Widths are in counts; a sum's is divided by its largest part.

    hidden, implied: cells that had to be wide; wide, broken, undecided: what is proven of them (broken also
    counts lines whose hidden cells have a small known sum, or in which a single contributor can work out
    another one, small counts shown, and boxes that one unit hides and another shows). smallest: the least
    width that two witnesses prove, None if there was nothing to prove. findings: the broken and undecided
    cells, described. level: the attacker's, in words. reached: the highest level that the report holds for: 3
    where level 2 is level 3. parts: how level 3 was reached, by margins that hang together; empty below it.
    groups: parts of groups in a sensitive category, of which enough people can be elsewhere; levels:
    sensitive sums whose protection levels are reached on both sides.
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
    reached: Level = Level.POLICY
    parts: tuple[FinestPart, ...] = ()
    groups: int = 0
    levels: int = 0


def report(
    verdicts: Verdicts,
    public: PublicCells,
    *,
    policy: Policy,
    level: Level = Level.POLICY,
    parts: tuple[FinestPart, ...] = (),
    levels: ProtectionLevels | None = None,
) -> AuditReport:
    """The verdicts of a level, counted and described. levels: those that were asked of them."""
    cells = len(public.space)
    rules = verdicts.relations
    passed = verdicts.verdicts == Verdict.WIDE
    forms = rules.kinds[verdicts.variables] == Kind.FORM
    wide = passed & ~forms
    seen = verdicts.high >= verdicts.low
    reach = np.where(seen, verdicts.high, 0) - np.where(seen, verdicts.low, 0)
    proven = (reach // rules.factor(verdicts.variables))[wide]
    bad = [
        f"{rules.describe(int(variable))}: {_failed(rules.kinds[variable], verdict)}"
        for verdict in (Verdict.BROKEN, Verdict.UNDECIDED)
        for variable in verdicts.of(verdict)
    ]
    lines = [
        f"{rules.describe(int(rules.parents[line]))}: what is hidden in it adds up to a small known count"
        for line in verdicts.small_lines
    ]
    shown = small_shown(public, policy.minimum_count)
    bare = [f"{rules.describe(int(cell))}: a small count is shown" for cell in shown]
    if levels is not None:
        lines += [
            f"{rules.describe(int(rules.parents[line]))}: a single contributor can work out another one's sum"
            for line in levels.told_by_one(rules, public.hidden)
        ]
    units = open_units(public)
    bare += [f"{rules.describe(int(cell))}: shown, but hidden in another unit" for cell in units]
    return AuditReport(
        level=LEVELS[level],
        required_width=policy.interval_width,
        cells=cells,
        hidden=int(public.hidden.sum()),
        implied=int((~forms & (verdicts.variables >= cells)).sum()),
        wide=int(wide.sum()),
        broken=len(verdicts.of(Verdict.BROKEN)) + len(lines) + len(bare),
        undecided=len(verdicts.of(Verdict.UNDECIDED)),
        smallest=int(proven.min()) if len(proven) else None,
        findings=(*bare, *bad, *lines),
        reached=Level.FINEST if level == Level.POLICY and not cores(public.space) else level,
        parts=parts,
        groups=int((passed & forms).sum()),
        levels=0 if levels is None else int((passed & _asked(levels, verdicts)).sum()),
    )


def attacked(
    public: PublicCells,
    *,
    policy: Policy,
    level: Level,
    start: IntArray | None = None,
    levels: ProtectionLevels | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> AuditReport:
    """The report of an attack at a level, whatever it found; a report is no pass.

    start: (cells,) values known to fit, such as the true ones. levels: how far from these the ends of a
    cell's interval must be; only together with start. At level 3 cells that were not attempted are
    undecided. Raises InputError if the public values contradict each other, Undecided if no table was found.
    """
    public = replace(public, insiders=max(public.insiders, policy.insider_records))
    seen = seen_at(public, level)
    width, minimum = policy.interval_width, policy.minimum_count
    ends = None if levels is None or start is None else levels.ends(start)
    if level == Level.FINEST:
        # The true values need not hold as many records as an insider might have.
        first = start if public.insiders == 1 else None
        found = level3(
            public, width=width, minimum=minimum, start=first, levels=ends, seed=seed, progress=progress
        )
        if found.verdicts is not None:
            verdicts = found.verdicts if found.attempted else _not_attempted(found.verdicts)
            return report(verdicts, public, policy=policy, level=level, parts=found.parts, levels=levels)
        parts = found.parts
    else:
        parts = ()
    # A table far from its bounds, found from the public values, is a better start than the true one.
    verdicts = decide(seen, width=width, minimum=minimum, levels=ends, seed=seed, progress=progress)
    return report(verdicts, public, policy=policy, level=level, parts=parts, levels=levels)


def _not_attempted(verdicts: Verdicts) -> Verdicts:
    """What is wide among published cells may not be so among finest cells that nobody looked at."""
    wide = verdicts.verdicts == Verdict.WIDE
    return replace(verdicts, verdicts=np.where(wide, Verdict.UNDECIDED, verdicts.verdicts).astype(np.int8))


def _failed(kind: int, verdict: Verdict) -> str:
    if kind != Kind.FORM:
        return verdict.name.lower()
    return "too few can be" if verdict == Verdict.BROKEN else "undecided whether enough can be"


def _asked(levels: ProtectionLevels, verdicts: Verdicts) -> NDArray[np.bool_]:
    """(n,) of the verdicts, those about sensitive sums."""
    own = np.zeros(verdicts.relations.variables, dtype=bool)
    own[: len(levels.sensitive)] = levels.sensitive
    return np.asarray(own[verdicts.variables])


def audit(
    public: PublicCells,
    *,
    policy: Policy,
    start: IntArray | None = None,
    levels: ProtectionLevels | None = None,
    seed: int = 0,
    level: Level | None = None,
    progress: Callable[[str], None] | None = None,
) -> AuditReport:
    """The report of an attack that every hidden and implied cell withstood, at the policy's audit_level.

    start: (cells,) values known to fit, such as the true ones. levels: how far from these the ends of a
    cell's interval must be; only together with start. level: ask for another one. Raises Refused if a cell is
    broken, Undecided if one could not be decided within the limits, InputError if the public values
    contradict each other.
    """
    found = attacked(
        public,
        policy=policy,
        level=level_of(policy.audit_level) if level is None else level,
        start=start,
        levels=levels,
        seed=seed,
        progress=progress,
    )
    missing = [part for part in found.parts if not part.attempted]
    if missing and not found.broken:
        raise Undecided(
            "; ".join(f"the finest cells of {', '.join(part.axes)}: {part.said}" for part in missing),
            where=f"source {public.space.source!r}",
            fix="cross fewer dimensions, publish one margin that crosses them all, or audit at level 2",
        )
    if found.broken or found.undecided:
        error, what = (
            (Refused, f"{found.broken} cells can be worked out more closely than the policy allows")
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
