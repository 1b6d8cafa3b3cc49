"""Checks what a reader can of a source whose numbers are rounded or carry noise: no solver, whole numbers.

No proof is claimed for such a source. What its method promises of each published number is compared with the
numbers, as far as that needs no true ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clerestory.attack.bounded import adds_up, largest_parts, narrowed, told_intervals
from clerestory.attack.relations import relations
from clerestory.errors import InputError, Refused
from clerestory.methods import CellKey, CellKeyMode, DifferentialPrivacy, Rounding, RoundingKind
from clerestory.release.structure import Rule
from clerestory.tables import PublicCells


@dataclass(frozen=True)
class MethodChecked:
    """What was checked of a source that another method than suppression protects. checks: in words."""

    source: str
    method: str
    tables: int
    cells: int
    checks: tuple[str, ...]

    def sentence(self) -> str:
        """What was checked, in a line."""
        return f"{self.source}: {self.method}, {self.cells:,} cells, nothing hidden; {', '.join(self.checks)}"


def check_altered(public: PublicCells, rule: Rule) -> MethodChecked:
    """What holds of a source under its method. Raises Refused naming what does not."""
    method = rule.method
    if not isinstance(method, Rounding | CellKey | DifferentialPrivacy):
        raise _refused(public, "its numbers are changed by no method")
    rules = relations(public.space)
    counts = np.array([unit.kind != "sum" for unit in public.space.unit_list] or [True])[public.space.units]
    if public.hidden.any():
        raise _refused(public, "its method hides nothing, and yet a number is hidden")
    checks = ["whole numbers of 0 or more"]
    if isinstance(method, Rounding):
        if np.any(public.values % (method.base * largest_parts(public.space))):
            raise _refused(public, f"a number is no multiple of {method.base}")
        checks.append(f"multiples of {method.base}")
        must_add_up = method.kind is RoundingKind.CONTROLLED
    elif isinstance(method, CellKey):
        if np.any(counts & (public.values > 0) & (public.values <= method.smallest)) and (
            method.mode is CellKeyMode.CONSISTENT
        ):
            raise _refused(public, f"a count from 1 to {method.smallest} is shown")
        must_add_up = method.mode is CellKeyMode.ADDITIVE
    else:
        must_add_up = True
    if must_add_up:
        if not adds_up(public, rules):
            raise _refused(public, "its numbers do not add up")
        checks.append("parts add up to totals")
    told = told_intervals(method, public.values, largest_parts(public.space))
    if told is not None:
        try:
            found = narrowed(
                public.space,
                *told,
                minimum=rule.minimum_count,
                width=rule.interval_width,
                rules=rules,
            )
        except InputError as problem:
            raise _refused(public, problem.what) from None
        if len(found.broken):
            raise _refused(
                public,
                f"{len(found.broken):,} counts that may be small are told within less than "
                f"{rule.interval_width}, one of them {rules.describe(int(found.broken[0]))}",
            )
        checks.append(f"adding up tells no small count within less than {rule.interval_width}")
    return MethodChecked(
        public.space.source,
        method.method.value,
        len(public.space.layouts),
        len(public.space),
        tuple(checks),
    )


def _refused(public: PublicCells, what: str) -> Refused:
    return Refused(what, where=f"source {public.space.source!r}", fix="do not rely on this release")
