"""Attacks tables that somebody protected, from frames or files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clerestory.api.attacked import AuditResult
from clerestory.api.inputs import PERCENT, checked_percent, checked_policy, distinct, read
from clerestory.confidential.audit import LEVEL_2
from clerestory.confidential.standalone import (
    STATUS_COLUMNS,
    Absent,
    Criterion,
    GivenTable,
    Knowledge,
    Layout,
    TableRead,
    attack,
    given_table,
    read_cross,
    read_tau_argus,
    read_tree,
)
from clerestory.confidential.standalone.foreign import STATUS, VALUE
from clerestory.confidential.standalone.shape import checked_names, refuse_taken
from clerestory.errors import InputError
from clerestory.policy import CALHHS_DDG_2_0

TOTAL_CODES = ("all", "total")
"""Codes of totals that audit knows by itself, whatever their case."""
LEVEL_1 = "level 1: additive relations among published cells, nothing below 0"
_FINDING = ("finding", "least", "greatest", "exact")
"""Columns of a frame of findings, after the dimensions."""


def audit(
    frame: Any,
    dims: Sequence[str],
    value: str = "value",
    *,
    status: str | None = None,
    hierarchies: Mapping[str, Any] | None = None,
    total: str | Sequence[str] | None = None,
    absent: str = Absent.UNPUBLISHED,
    small: str | Sequence[str] = (),
    large: str | Sequence[str] = (),
    without_total: Sequence[str] = (),
    zeros_shown: bool | None = None,
    minimum_count: int = CALHHS_DDG_2_0.minimum_count,
    interval_width: int = CALHHS_DDG_2_0.interval_width,
    sums: bool = False,
    within: float = PERCENT,
    decimals: int | None = None,
    rounded: bool = False,
    level: int | None = None,
    intervals: bool = False,
    layout: str = Layout.PLAIN,
    name: str = "table",
    progress: Callable[[str], None] | None = None,
) -> AuditResult:
    """What a reader works out of tables that somebody protected.

    frame: any dataframe that narwhals knows, or the path of a CSV or Parquet file, one row a cell, totals
    among them; or a list of these, linked tables of the same records: what one of them does not have of
    `dims` is a total in it. value: numbers; hidden ones are empty or a sign (see HIDING_SIGNS), or marked in
    `status` (a column called "status", "sdcStatus" or "suppressed" is used where there is one). total: the
    codes of totals (default: all, Total). absent: what it means that a cell has no row: "unpublished", "zero"
    or "hidden". without_total: dimensions of which the tables have no totals. layout: of files, see Layout.

    small, large: signs or status words that a reader knows to stand for counts of 1 to minimum_count - 1
    only, and for larger ones only; signs such as <11 and 1-10 say it themselves. zeros_shown: whether he
    knows that a hidden number is no zero (by default of counts at level 2). level: 2, the reader who knows
    the policy; 1, who adds and subtracts (always of sums, unless asked for).

    sums: the values are amounts, not counts: a hidden one is narrow if its middle estimate is off by less
    than `within` percent. decimals: digits kept; rounded: shown ones may be off by half a unit of the last.
    intervals: give the interval of every hidden cell.
    Raises InputError, also where the shown numbers contradict each other.
    """
    names, _ = checked_names(dims, hierarchies, None)
    refuse_taken([*names, *_FINDING])
    distinct(names, value, "value")
    checked_policy(minimum_count, interval_width)
    for said, choices in ((absent, Absent), (layout, Layout)):
        if said not in set(choices):
            what = choices.__name__.lower()
            raise InputError(f"{what} is not {said!r}", where=what, fix=f"one of: {', '.join(choices)}")
    signs = {"small": _several(small), "large": _several(large)}
    at = _checked_level(level, zeros_shown, sums=sums, signs=signs, decimals=decimals, rounded=rounded)
    checked_percent(within)
    shown = at == 2 if zeros_shown is None else zeros_shown
    codes = TOTAL_CODES if total is None else _several(total)
    trees = {d: read_tree(d, said) for d, said in (hierarchies or {}).items()}
    frames = list(frame) if isinstance(frame, list | tuple) else [frame]
    if not frames:
        raise InputError("there is no table", where="frame", fix="pass one or more")
    asked = _Asked(names, value, status, Layout(layout), alone=len(frames) == 1)
    tables = [_table(one, asked, f"{name} {i + 1}" if i else name) for i, one in enumerate(frames)]
    lacking = [d for d in names if all(d not in table.dims for table in tables)]
    if lacking:
        raise InputError(
            f"there is no column {lacking[0]!r} in any of the tables", where="dims", fix="check its name"
        )
    given = given_table(
        tables,
        names,
        name=name,
        trees=trees,
        totals=frozenset(code.lower() for code in codes),
        knowledge=Knowledge(
            small=frozenset(sign.lower() for sign in signs["small"]),
            large=frozenset(sign.lower() for sign in signs["large"]),
            minimum=minimum_count,
            zeros_shown=shown,
        ),
        absent=Absent(absent),
        without_total=without_total,
        sums=sums,
        decimals=decimals,
        rounded=rounded,
    )
    criterion = Criterion(minimum_count, interval_width, within)
    found = attack(given, criterion, level=2 if at == 2 else 1, intervals=intervals, progress=progress)
    kinds = {finding.kind for finding in found.findings}
    return AuditResult(
        verdict="broken" if kinds - {"undecided"} else "undecided" if kinds else "wide",
        level=_level_words(at, shown, signs, minimum_count, sums=sums, rounded=rounded),
        of="sums" if sums else "counts",
        minimum_count=minimum_count,
        interval_width=interval_width,
        within=within,
        cells=found.cells,
        hidden=found.hidden,
        implied=found.implied,
        findings=found.findings,
        intervals=found.intervals,
        notes=_notes(given, told=any(signs.values())),
        dimensions=names,
        kind=tables[0].columns.kind,
    )


def _checked_level(
    level: int | None,
    zeros_shown: bool | None,
    *,
    sums: bool,
    signs: Mapping[str, Sequence[str]],
    decimals: int | None,
    rounded: bool,
) -> int:
    """The level of the attack. Raises InputError for what does not go together."""
    if level not in (None, 1, 2):
        raise InputError(f"there is no level {level} here", where="level", fix="1 or 2")
    if level == 1 and zeros_shown:
        raise InputError("a reader at level 1 does not know about zeros", where="level", fix="level 2")
    if sums and any(signs.values()):
        raise InputError(
            "a sum does not say how many it is of", where="small, large", fix="leave them out for sums"
        )
    if not sums and (rounded or decimals is not None):
        raise InputError(
            "counts are whole and exact", where="decimals, rounded", fix="leave them out, or say sums"
        )
    return level or (2 if not sums or zeros_shown else 1)


def _level_words(
    level: int,
    zeros_shown: bool,
    signs: Mapping[str, Sequence[str]],
    minimum: int,
    *,
    sums: bool,
    rounded: bool,
) -> str:
    words = LEVEL_1 if level == 1 else LEVEL_2
    if level == 2 and sums:
        words = words.replace("whole numbers", "nothing below 0")
    if level == 2 and not zeros_shown:
        words = words.replace("zeros shown", "zeros hidden as well")
    for which, span in (("small", f"1 to {minimum - 1}"), ("large", f"{minimum} or more")):
        if signs[which]:
            words += f", {' and '.join(signs[which])} for {span}"
    return words + (", shown numbers rounded" if rounded else "")


@dataclass(frozen=True)
class _Asked:
    """What is read of each table. alone: whether it is the only one, which has all dimensions."""

    names: tuple[str, ...]
    value: str
    status: str | None
    layout: Layout
    alone: bool

    def dims(self, columns: Sequence[str]) -> tuple[str, ...]:
        there = tuple(name for name in self.names if name in columns)
        return self.names if self.alone or not there else there

    def mark(self, columns: Sequence[str]) -> str | None:
        """The column of statuses: the one named, else one that is called so."""
        if self.status is not None:
            return self.status
        free = {c.lower(): c for c in columns if c not in (*self.names, self.value)}
        return next((free[word] for word in STATUS_COLUMNS if word in free), None)


def _table(frame: Any, asked: _Asked, name: str) -> TableRead:
    """One of the tables, read."""
    if asked.layout is not Layout.PLAIN:
        if not isinstance(frame, str | Path):
            raise InputError(f"layout {asked.layout.value!r} is for files", where=name, fix="pass its path")
        reader = read_cross if asked.layout is Layout.CROSS else read_tau_argus
        made = reader(Path(frame), asked.names)
        return TableRead(made, asked.names, VALUE, STATUS if STATUS in made.columns else None)
    columns: list[str] = []

    def wanted(there: Sequence[str]) -> list[str]:
        columns.extend(there)
        mark = asked.mark(there)
        return [*asked.dims(there), asked.value, *([] if mark is None else [mark])]

    made = read(frame, wanted, name)
    return TableRead(made, asked.dims(columns), asked.value, asked.mark(columns))


def _notes(given: GivenTable, *, told: bool) -> tuple[str, ...]:
    """What a reader may know that this attack did not use. told: whether a sign was named."""
    notes = []
    signs = next((shown for shown in (given.signs, given.status_words) if len(shown) > 1), ())
    if signs and not told and not given.known and not given.sums:
        listed = ", ".join(repr(sign) for sign in signs)
        notes.append(
            f"hidden cells carry different signs ({listed}): if these are published and tell small cells "
            "from others, a reader knows more than this attack used; name the sign for small counts (small) "
            "and that for others (large)"
        )
    if given.bare:
        notes.append(
            f"{given.bare:,} hidden cells have a number beside the word that hides them: this attack did not "
            "look at it, but whoever gets this file does"
        )
    if given.absent:
        notes.append(
            f"{given.absent:,} cells have no row and count as unpublished; if their absence means zero or "
            "hidden, a reader knows more than this attack used; say which it is (absent)"
        )
    if given.sums:
        notes.append(
            "who contributes to a sum knows his own part and may come closer; no table tells how close"
        )
    return tuple(notes)


def _several(said: str | Sequence[str]) -> list[str]:
    return [said] if isinstance(said, str) else list(said)
