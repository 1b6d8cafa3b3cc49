"""How records changed since the live release: what a build keeps of them, and what differs, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from clerestory.confidential.original import OriginalCells

_TOTAL = 0.1
"""A total that changed by this share or more is named."""
_SHARE = 0.05
"""A category whose share of the total changed by so much or more is named."""
_ENOUGH = 100
"""Shares of totals below this say nothing."""
_SMALL = 30
"""Of a category with fewer, the share is not named: it would give the count away."""
_LISTED = 12


def counts_of(original: OriginalCells) -> dict[str, Any]:
    """True totals of each table of a source, whole and by one dimension at a time; they stay inside."""
    found = {}
    for layout in original.space.layouts:
        values = original.values[layout.cells]
        alone = (layout.coords > 0).sum(axis=1)
        by = {}
        for column, dimension in enumerate(layout.design.dimensions):
            rows = np.flatnonzero((alone == 1) & (layout.coords[:, column] > 0))
            by[dimension.name] = {
                dimension.nodes[int(layout.coords[row, column])].code: int(values[row]) for row in rows
            }
        found[layout.design.name] = {
            "total": int(values[alone == 0].max(initial=0)),
            "by": by,
        }
    return found


def drift(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between the counts of two builds, by source; sentences without a count.

    Totals that changed by a tenth, categories that came or went, shares that moved by five points.
    """
    lines = []
    for source in sorted(before.keys() | after.keys()):
        if source not in before:
            lines.append(f"Source {source}: new.")
        elif source not in after:
            lines.append(f"Source {source}: no longer counted.")
        else:
            for table in sorted(before[source].keys() & after[source].keys()):
                lines += _table(table, before[source][table], after[source][table])
    return tuple(lines)


def _table(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    was, now = before["total"], after["total"]
    if was != now:
        change = f"{abs(now - was) / was:.1%}" if was else "all of it"
        more = "more" if now > was else "fewer"
        note = "; that is a lot" if not was or abs(now - was) >= _TOTAL * was else ""
        yield f"Table {name}: {change} {more} in total{note}."
    for dimension in sorted(before["by"].keys() & after["by"].keys()):
        old, new = before["by"][dimension], after["by"][dimension]
        came = [code for code, value in new.items() if value and not old.get(code)]
        went = [code for code, value in old.items() if value and not new.get(code)]
        if came:
            yield f"Table {name}: new in {dimension}: {_some(came)}."
        if went:
            yield f"Table {name}: no longer in {dimension}: {_some(went)}."
        if min(was, now) >= _ENOUGH:
            moved = [
                _moved(code, old.get(code, 0), was, new.get(code, 0), now)
                for code in sorted(old.keys() | new.keys())
                if abs(new.get(code, 0) / now - old.get(code, 0) / was) >= _SHARE
            ]
            if moved:
                yield f"Table {name}: shares that moved in {dimension}: {_some(moved)}."


def _moved(code: str, old: int, was: int, new: int, now: int) -> str:
    if min(old, new) < _SMALL:
        return f"{code} (a small one)"
    return f"{code} {old / was:.0%} → {new / now:.0%}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
