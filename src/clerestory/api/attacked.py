"""What `audit` returns: findings about tables that somebody protected, for people, programs and frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from clerestory.api.frames import native
from clerestory.confidential.standalone import KINDS, Finding


@dataclass(frozen=True, eq=False)
class AuditResult:
    """What a reader can work out of a protected table.

    verdict: "wide" (every hidden number is proven uncertain by the width), "broken" or "undecided".
    of: "counts" or "sums". interval_width: what a count has to be uncertain by; within: by what percentage a
    sum has to be. cells, hidden: rows of the tables; implied: counts that follow from them and had to be wide
    as well. findings: the gravest first. intervals: of every hidden cell, if they were asked for.
    notes: what this attack did not use.
    """

    verdict: str
    level: str
    of: str
    minimum_count: int
    interval_width: int
    within: float
    cells: int
    hidden: int
    implied: int
    findings: tuple[Finding, ...]
    intervals: tuple[Finding, ...]
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

    @property
    def near(self) -> str:
        """What is too close, in words."""
        if self.of == "sums":
            return f"to within {self.within:g} percent"
        return f"to less than {self.interval_width} apart" if self.interval_width > 1 else "exactly"

    @property
    def summary(self) -> str:
        """One sentence: what a reader can do."""
        thing = "count" if self.of == "counts" else "sum"
        if not self.hidden:
            return "Nothing is hidden" + (
                ", but small counts are in plain sight." if self.count("small-shown") else "."
            )
        exact, narrow = self.count("exact"), self.count("narrow")
        parts = []
        if exact:
            parts.append(f"{exact:,} exactly")
        if narrow:
            parts.append(f"{narrow:,} {self.near}")
        if parts:
            return (
                f"With pencil and paper or a solver, a reader of this table alone works out "
                f"{' and '.join(parts)}, of {self.hidden:,} hidden {thing}{'s' if self.hidden > 1 else ''}."
            )
        if self.verdict == "broken":
            return "No hidden number comes out closely, but small counts follow from what is shown."
        if self.verdict == "undecided":
            return f"{self.count('undecided'):,} of {self.hidden:,} hidden {thing}s could not be decided."
        return f"None of the {self.hidden:,} hidden {thing}s can be worked out {self.near}."

    def to_arrow(self) -> pa.Table:
        """One row a finding: the dimensions, finding, least, greatest (null: not known), exact."""
        return self._rows(self.findings)

    def to_native(self) -> Any:
        """The findings in the kind of frame that came in (for lazy ones and databases: Arrow)."""
        return native(self.to_arrow(), self.kind)

    def intervals_to_native(self) -> Any:
        """The intervals of every hidden cell, as `to_native` gives findings; "wide" is no finding."""
        return native(self._rows(self.intervals), self.kind)

    def _rows(self, found: Sequence[Finding]) -> pa.Table:
        number = pa.int64() if self.of == "counts" else pa.float64()
        columns: dict[str, pa.Array] = {
            name: pa.array([finding.where[name] for finding in found], pa.string())
            for name in self.dimensions
        }
        columns["finding"] = pa.array([finding.kind for finding in found], pa.string())
        columns["least"] = pa.array([finding.least for finding in found], number)
        columns["greatest"] = pa.array([finding.greatest for finding in found], number)
        columns["exact"] = pa.array([finding.exact for finding in found], pa.bool_())
        return pa.table(columns)

    def said(self) -> dict[str, Any]:
        """As it stands in the JSON report."""
        return {
            "format": "clerestory-audit/1",
            "verdict": self.verdict,
            "exit": self.exit_code,
            "summary": self.summary,
            "level": self.level,
            "of": self.of,
            "minimum_count": self.minimum_count,
            "interval_width": self.interval_width,
            "within_percent": self.within,
            "cells": self.cells,
            "hidden": self.hidden,
            "implied": self.implied,
            "counts": {kind: self.count(kind) for kind in KINDS},
            "findings": [_said(finding) for finding in self.findings],
            "intervals": [_said(finding) for finding in self.intervals],
            "notes": list(self.notes),
        }


def _said(finding: Finding) -> dict[str, Any]:
    return {
        "finding": finding.kind,
        "cell": finding.where,
        "least": finding.least,
        "greatest": finding.greatest,
        "exact": finding.exact,
        "over": finding.over,
    }
