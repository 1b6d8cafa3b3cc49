"""Disclosure control of one table, without a project: protect a frame, or attack a protected one."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from clerestory.confidential.audit import LEVEL_2
from clerestory.confidential.protect.publish import Protection, public_tables
from clerestory.confidential.protect.publish import protect as protect_cells
from clerestory.confidential.standalone import (
    Absent,
    Columns,
    GivenTable,
    attack,
    count_cells,
    given_table,
    read_file,
    read_frame,
    read_tree,
)
from clerestory.confidential.standalone.findings import KINDS, Finding
from clerestory.confidential.standalone.shape import MAXIMUM_CELLS, checked_names, refuse_taken
from clerestory.errors import InputError
from clerestory.policy import CALHHS_DDG_2_0, Policy
from clerestory.tables import PublicTable, Status, column_name

TOTAL_CODES = ("all", "total")
"""Codes of totals that audit knows by itself, whatever their case."""
_FINDING = ("finding", "least", "greatest", "exact")
"""Columns of a frame of findings, after the dimensions."""
_SEED = re.compile(r"([0-9a-fA-F]{2}){8,}")


@dataclass(frozen=True, eq=False)
class ProtectedTable:
    """A protected table. `to_native()` is public; seed, primary and secondary are for insiders.

    cells: published cells; hidden: those without a number; level: of the attacker it withstands; smallest:
    the least width that the audit proved, None if nothing is hidden; seed: keep it and use it for this table
    again.
    """

    table: PublicTable
    cells: int
    hidden: int
    primary: int
    secondary: int
    level: str
    minimum_count: int
    interval_width: int
    smallest: int | None
    seed: str
    kind: str

    def __repr__(self) -> str:
        return f"ProtectedTable({self.table.name!r}, cells={self.cells}, hidden={self.hidden})"

    def to_arrow(self) -> pa.Table:
        """The rows: a column for each dimension (and its level, if several), value (null: hidden), status."""
        table, words = self.table, list(Status)
        columns: dict[str, pa.Array] = {}
        for k, dimension in enumerate(table.dimensions):
            nodes = table.coords[:, k]
            name = column_name(dimension.name)
            columns[name] = pa.array(np.array([node.code for node in dimension.nodes], dtype=object)[nodes])
            if len(dimension.levels) > 1:
                levels = np.array([node.level for node in dimension.nodes], dtype=object)
                columns[f"{name}_level"] = pa.array(levels[nodes])
        hidden = table.statuses == words.index(Status.HIDDEN)
        columns["value"] = pa.array(table.values, mask=hidden)
        columns["status"] = pa.array([words[status].value for status in table.statuses.tolist()])
        return pa.table(columns)

    def to_native(self) -> Any:
        """The rows in the kind of frame that came in (for lazy ones and databases: Arrow)."""
        return _native(self.to_arrow(), self.kind)

    def said(self) -> dict[str, Any]:
        """As it stands in the JSON report; confidential, because of the seed and the primary cells."""
        return {
            "format": "clerestory-protect/1",
            "cells": self.cells,
            "hidden": {"primary": self.primary, "secondary": self.secondary, "total": self.hidden},
            "level": self.level,
            "minimum_count": self.minimum_count,
            "interval_width": self.interval_width,
            "smallest_width": self.smallest,
            "seed": self.seed,
        }


@dataclass(frozen=True, eq=False)
class AuditResult:
    """What a reader can work out of a protected table.

    verdict: "wide" (every hidden number is proven uncertain by the width), "broken" or "undecided".
    cells, hidden: rows of the table; implied: counts that follow from it and had to be wide as well.
    notes: what this attack did not use.
    """

    verdict: str
    level: str
    minimum_count: int
    interval_width: int
    cells: int
    hidden: int
    implied: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    dimensions: tuple[str, ...]
    kind: str

    def __repr__(self) -> str:
        return f"AuditResult({self.verdict!r}, hidden={self.hidden}, findings={len(self.findings)})"

    @property
    def wide(self) -> bool:
        """Whether everything hidden is proven wide."""
        return self.verdict == "wide"

    @property
    def exit_code(self) -> int:
        """0 wide, 1 broken, 3 undecided."""
        return {"wide": 0, "broken": 1, "undecided": 3}[self.verdict]

    def count(self, kind: str) -> int:
        """How many findings are of a kind."""
        return sum(finding.kind == kind for finding in self.findings)

    def to_arrow(self) -> pa.Table:
        """One row a finding: the dimensions, finding, least, greatest (null: not known), exact."""
        columns: dict[str, pa.Array] = {
            name: pa.array([finding.where[name] for finding in self.findings], pa.string())
            for name in self.dimensions
        }
        columns["finding"] = pa.array([finding.kind for finding in self.findings], pa.string())
        columns["least"] = pa.array([finding.least for finding in self.findings], pa.int64())
        columns["greatest"] = pa.array([finding.greatest for finding in self.findings], pa.int64())
        columns["exact"] = pa.array([finding.exact for finding in self.findings], pa.bool_())
        return pa.table(columns)

    def to_native(self) -> Any:
        """The findings in the kind of frame that came in (for lazy ones and databases: Arrow)."""
        return _native(self.to_arrow(), self.kind)

    def said(self) -> dict[str, Any]:
        """As it stands in the JSON report."""
        return {
            "format": "clerestory-audit/1",
            "verdict": self.verdict,
            "exit": self.exit_code,
            "level": self.level,
            "minimum_count": self.minimum_count,
            "interval_width": self.interval_width,
            "cells": self.cells,
            "hidden": self.hidden,
            "implied": self.implied,
            "counts": {kind: self.count(kind) for kind in KINDS},
            "findings": [
                {
                    "finding": finding.kind,
                    "cell": finding.where,
                    "least": finding.least,
                    "greatest": finding.greatest,
                    "exact": finding.exact,
                    "over": finding.over,
                }
                for finding in self.findings
            ],
            "notes": list(self.notes),
        }


def protect(
    frame: Any,
    dims: Sequence[str],
    value: str | None = None,
    *,
    hierarchies: Mapping[str, Any] | None = None,
    margins: Sequence[Sequence[str]] | None = None,
    minimum_count: int = CALHHS_DDG_2_0.minimum_count,
    interval_width: int = CALHHS_DDG_2_0.interval_width,
    seed: str | None = None,
    name: str = "table",
    progress: Callable[[str], None] | None = None,
) -> ProtectedTable:
    """The frequency table of a frame, in which every hidden count is proven uncertain by interval_width.

    frame: any dataframe that narwhals knows, or the path of a CSV or Parquet file: records, or counts at the
    finest level in the column `value`. dims: its columns to count by; no value is a category of its own.
    hierarchies: by dimension, see read_tree. margins: which dimensions are crossed (default: all of them);
    totals are implied. seed: hexadecimal, at least 16 digits, secret; drawn if None.
    Raises InputError; Refused if no pattern protects the table; Undecided at the limits of the audit.
    """
    names, asked = checked_names(dims, hierarchies, margins)
    levels = [f"{column_name(d)}_level" for d in hierarchies or ()]
    refuse_taken([*(column_name(d) for d in names), *levels, "value", "status"])
    _distinct(names, value)
    policy = _policy(minimum_count, interval_width)
    secret = secrets.token_hex(16) if seed is None else seed
    if not _SEED.fullmatch(secret):
        raise InputError(
            "a seed is at least 16 hexadecimal digits", where="seed", fix="leave it out to draw one"
        )
    trees = {d: read_tree(d, said) for d, said in (hierarchies or {}).items()}
    read = _read(frame, [*names, *([value] if value else [])], name)
    original = count_cells(read, names, name=name, value=value, trees=trees, margins=asked)
    digest = hashlib.sha256(bytes.fromhex(secret)).digest()
    done: Protection = protect_cells(
        original, policy, seed=int.from_bytes(digest[:8], "big"), progress=progress
    )
    table = public_tables(done.public)[0]
    words = list(Status)
    return ProtectedTable(
        table=table,
        cells=len(table.coords),
        hidden=int((table.statuses == words.index(Status.HIDDEN)).sum()),
        primary=int(done.primary[original.space.layouts[0].cells].sum()),
        secondary=int(done.secondary[original.space.layouts[0].cells].sum()),
        level=done.report.level,
        minimum_count=minimum_count,
        interval_width=interval_width,
        smallest=done.report.smallest,
        seed=secret,
        kind=read.kind,
    )


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
    without_total: Sequence[str] = (),
    zeros_shown: bool = True,
    minimum_count: int = CALHHS_DDG_2_0.minimum_count,
    interval_width: int = CALHHS_DDG_2_0.interval_width,
    name: str = "table",
    progress: Callable[[str], None] | None = None,
) -> AuditResult:
    """What a reader works out of a table that somebody protected: an attack at level 2.

    frame: any dataframe that narwhals knows, or the path of a CSV or Parquet file, one row a cell, totals
    among them. value: counts; hidden ones are empty or a sign (see HIDING_SIGNS), or marked in `status` (a
    column called "status" is used where there is one). total: the codes of totals (default: all, Total).
    absent: what it means that a cell has no row: "unpublished", "zero" or "hidden". small: signs (or status
    words) that a reader knows to stand for small counts only, such as "<11". without_total: dimensions of
    which the table has no totals. zeros_shown: whether he knows that a hidden cell is no zero.
    Raises InputError, also where the shown numbers contradict each other.
    """
    names, _ = checked_names(dims, hierarchies, None)
    refuse_taken([*names, *_FINDING])
    _distinct(names, value)
    _policy(minimum_count, interval_width)
    if absent not in set(Absent):
        raise InputError(f"absent is not {absent!r}", where="absent", fix=f"one of: {', '.join(Absent)}")
    codes = TOTAL_CODES if total is None else [total] if isinstance(total, str) else total
    small_signs = [small] if isinstance(small, str) else list(small)
    trees = {d: read_tree(d, said) for d, said in (hierarchies or {}).items()}
    marks: list[str] = [] if status is None else [status]

    def wanted(columns: Sequence[str]) -> list[str]:
        if not marks and "status" in columns and "status" not in (*names, value):
            marks.append("status")
        return [*names, value, *marks]

    read = _read(frame, wanted, name)
    given = given_table(
        read,
        names,
        name=name,
        value=value,
        status=marks[0] if marks else None,
        trees=trees,
        totals=frozenset(code.lower() for code in codes),
        zeros_shown=zeros_shown,
        absent=Absent(absent),
        small=frozenset(sign.lower() for sign in small_signs),
        without_total=without_total,
    )
    found = attack(given, minimum=minimum_count, width=interval_width, progress=progress)
    kinds = {finding.kind for finding in found.findings}
    return AuditResult(
        verdict="broken" if kinds - {"undecided"} else "undecided" if kinds else "wide",
        level=(LEVEL_2 if zeros_shown else LEVEL_2.replace("zeros shown", "zeros hidden as well"))
        + (f", {' and '.join(small_signs)} for 1 to {minimum_count - 1}" if small_signs else ""),
        minimum_count=minimum_count,
        interval_width=interval_width,
        cells=found.cells,
        hidden=found.hidden,
        implied=found.implied,
        findings=found.findings,
        notes=_notes(given, told=bool(small_signs)),
        dimensions=names,
        kind=read.kind,
    )


def _notes(given: GivenTable, *, told: bool) -> tuple[str, ...]:
    """What a reader may know that this attack did not use. told: a sign for small counts was named."""
    notes = []
    signs = next((shown for shown in (given.signs, given.status_words) if len(shown) > 1), ())
    if signs and not told:
        listed = ", ".join(repr(sign) for sign in signs)
        notes.append(
            f"hidden cells carry different signs ({listed}): if these are published and tell small cells "
            "from others, a reader knows more than this attack used; name the sign for small counts (small)"
        )
    if given.absent:
        notes.append(
            f"{given.absent:,} cells have no row and count as unpublished; if their absence means zero or "
            "hidden, a reader knows more than this attack used; say which it is (absent)"
        )
    return tuple(notes)


def _read(frame: Any, wanted: Any, name: str) -> Columns:
    if isinstance(frame, str | Path):
        return read_file(Path(frame), wanted)
    return read_frame(frame, wanted, where=f"frame {name!r}")


def _policy(minimum_count: int, interval_width: int) -> Policy:
    for said, number in (("minimum_count", minimum_count), ("interval_width", interval_width)):
        if number < 1:
            raise InputError(f"{said} is less than 1", where=said, fix="the default profile has 11 and 9")
    return Policy(
        profile="standalone",
        source="as asked for",
        minimum_count=minimum_count,
        interval_width=interval_width,
        maximum_cells=MAXIMUM_CELLS,
    )


def _distinct(names: Sequence[str], value: str | None) -> None:
    if value in names:
        raise InputError(f"{value!r} is a dimension and the value", where="value", fix="name another column")


def _native(table: pa.Table, kind: str) -> Any:
    if kind == "pandas":
        import pandas as pd  # whoever passed a pandas frame has it

        whole = {pa.int64(): pd.Int64Dtype()}
        return table.to_pandas(types_mapper=whole.get)
    if kind == "polars":
        return nw.from_arrow(table, backend="polars").to_native()
    return table
