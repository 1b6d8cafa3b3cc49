"""The attack of a reader who kept every release: today's cells are attacked together with earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.attack.decide import Levels, Verdict, Verdicts, decide
from clerestory.attack.history import Earlier, History
from clerestory.attack.relations import Kind
from clerestory.errors import InputError, Refused, Undecided
from clerestory.policy import Policy
from clerestory.tables import CellSpace, PublicCells
from clerestory.tables.space import IntArray

_LISTED = 20


@dataclass(frozen=True)
class OverTime:
    """What a reader of all releases was found to be able to do; cells are named, without values.

    releases: those that were attacked together with today's. unrecoverable: cells hidden today that earlier
    releases tell: nothing takes that back. cells, hidden, implied: of all releases together, and what had to
    be wide; smallest: the least width proven, None if there was nothing to prove.
    """

    releases: tuple[str, ...]
    unrecoverable: tuple[str, ...]
    cells: int
    hidden: int
    implied: int
    smallest: int | None


@dataclass(frozen=True)
class Difference:
    """A number that is shown today and was before, so close that the difference is a small count."""

    release: str
    table: str
    cell: str


def findings(
    verdicts: Verdicts, told: tuple[NDArray[np.bool_], IntArray]
) -> tuple[IntArray, IntArray, IntArray]:
    """Broken and undecided variables, and lines, without what earlier releases alone give away.

    told: History.unrecoverable.
    """
    variables, lines = told
    broken, undecided = (verdicts.of(v) for v in (Verdict.BROKEN, Verdict.UNDECIDED))
    return broken[~variables[broken]], undecided, np.setdiff1d(verdicts.small_lines, lines)


def audit_over_time(
    past: History,
    now: PublicCells,
    *,
    policy: Policy,
    levels: Levels | None = None,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> OverTime:
    """What the attack on all releases found, which every hidden and implied cell and increment withstood.

    now: today's public cells. levels: (cells of all releases,) what values must reach; for whoever knows the
    true ones. Raises Refused if a cell or increment is broken or the
    releases contradict what their tables declare, Undecided if one could not be decided.
    """
    public = past.public(now, policy.minimum_count)
    try:
        verdicts = decide(
            public,
            width=policy.interval_width,
            minimum=policy.minimum_count,
            seed=seed,
            known=past.rules,
            levels=levels,
            progress=progress,
        )
    except InputError as problem:
        raise Refused(
            "the releases contradict each other: no numbers fit all of them as the tables declare to change",
            where=f"source {past.source!r}, releases {', '.join(past.releases)}",
            fix="correct the records, or declare how the tables change",
        ) from problem
    broken, undecided, lines = findings(verdicts, past.unrecoverable(policy.minimum_count))
    rules = past.rules
    listed = [f"{rules.describe(int(variable))}: broken" for variable in broken]
    listed += [f"{rules.describe(int(rules.parents[line]))}: a small count is left in it" for line in lines]
    listed += [f"{rules.describe(int(variable))}: undecided" for variable in undecided]
    if listed:
        error = Refused if len(broken) + len(lines) else Undecided
        what = "can be worked out" if error is Refused else "could not be decided"
        raise error(
            f"{len(listed)} cells {what} from this and earlier releases:\n  " + "\n  ".join(listed[:_LISTED]),
            where=f"source {past.source!r}, releases {', '.join(past.releases)}",
            fix="hide more cells near them, use coarser categories, or release less often",
        )
    counts = rules.kinds[verdicts.variables] != Kind.FORM
    wide = counts & (verdicts.verdicts == Verdict.WIDE)
    reach = (verdicts.high - verdicts.low)[wide] // rules.factor(verdicts.variables[wide])
    return OverTime(
        releases=past.releases,
        unrecoverable=unrecoverable(past, now),
        cells=len(past.space),
        hidden=int(public.hidden.sum()),
        implied=int((counts & (verdicts.variables >= len(past.space))).sum()),
        smallest=int(reach.min()) if len(reach) else None,
    )


def unrecoverable(past: History, now: PublicCells) -> tuple[str, ...]:
    """Cells that are hidden today and known from earlier releases all the same."""
    return tuple(now.space.describe(int(cell)) for cell in np.flatnonzero(past.known & now.hidden))


def small_differences(
    now: PublicCells, earlier: Sequence[Earlier], minimum: int
) -> tuple[tuple[Difference, int], ...]:
    """Numbers shown today that differ by 1 to minimum - 1 from what the same row showed before.

    Each with today's cell. Rows are the same if table and codes are. A number that an earlier release shows
    already tells nothing.
    """
    rows_before = [(one.release, _rows(one.public.space), one.public) for one in earlier]
    found: dict[tuple[str, int], Difference] = {}
    for layout in now.space.layouts:
        table = layout.design.name
        for codes, cell in _codes(now.space, table).items():
            if now.hidden[cell] or now.space.unit_list[now.space.units[cell]].kind == "sum":
                continue
            value = int(now.values[cell])
            was: list[tuple[str, int]] = []
            for release, rows, public in rows_before:
                then = rows.get((table, codes))
                if then is not None and not public.hidden[then]:
                    was.append((release, int(public.values[then])))
            if any(number == value for _, number in was):
                continue
            for release, number in was:
                if 0 < abs(value - number) < minimum:
                    described = now.space.describe(cell)
                    found.setdefault((release, cell), Difference(release, table, described))
    return tuple((difference, cell) for (_, cell), difference in found.items())


Codes = frozenset[tuple[str, str]]


def _codes(space: CellSpace, table: str) -> dict[Codes, int]:
    found: dict[Codes, int] = {}
    for layout in space.layouts:
        if layout.design.name == table:
            names = [dimension.name for dimension in layout.design.dimensions]
            nodes = [[node.code for node in dimension.nodes] for dimension in layout.design.dimensions]
            for coords, cell in zip(layout.coords.tolist(), layout.cells.tolist(), strict=True):
                where = zip(names, nodes, coords, strict=True)
                found[frozenset((name, own[node]) for name, own, node in where if node)] = cell
    return found


def _rows(space: CellSpace) -> dict[tuple[str, Codes], int]:
    return {
        (layout.design.name, codes): cell
        for layout in space.layouts
        for codes, cell in _codes(space, layout.design.name).items()
    }
