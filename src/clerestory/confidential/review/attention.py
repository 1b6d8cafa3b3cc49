"""What a reviewer should look at first: each a sentence, and the section that tells more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clerestory.confidential.review.facts import Changes, Facts


@dataclass(frozen=True)
class Point:
    """One thing to look at."""

    text: str
    section: str


def attention(facts: Facts) -> tuple[Point, ...]:
    """The points of a release, most telling first; none if nothing stands out."""
    return tuple(_points(facts))


def _points(facts: Facts) -> Iterator[Point]:
    known = sum(len(one.unrecoverable) for one in facts.protections)
    if known:
        yield Point(f"{_many(known, 'cell is', 'cells are')} hidden now, but known from before", "learn")
    if facts.changes is None:
        yield Point("It would be the first release: there is none to compare it with", "changes")
    else:
        yield from _changed(facts.changes)
    for gate in facts.gates:
        if gate.attention:
            yield Point(f"{gate.name}: {gate.found}", "gates")
    odd = sum(one.odd for one in facts.typed)
    if odd:
        yield Point(f"{_many(odd, 'number', 'numbers')} typed in words that can hardly be a year", "prose")
    if not facts.fields_known:
        yield Point("The build did not keep which fields it read", "learn")


def _changed(changes: Changes) -> Iterator[Point]:
    looser = [one.rule for one in changes.policy if one.way == "looser"]
    if looser:
        yield Point(f"A rule is looser than in the live release: {looser[0]}", "changes")
    elif changes.policy:
        ways = {one.way for one in changes.policy}
        yield Point(
            f"The rules are {'stricter' if ways == {'stricter'} else 'other'} than in the live release",
            "changes",
        )
    if changes.fields:
        yield Point(
            f"Fields: {changes.fields[0]}" + (" and more" if len(changes.fields) > 1 else ""), "changes"
        )
    shown = sum(len(table.shown) for table in changes.tables)
    hidden = sum(len(table.hidden) for table in changes.tables)
    changed = sum(len(table.changed) for table in changes.tables)
    if shown:
        yield Point(f"{_many(shown, 'cell', 'cells')} newly shown", "changes")
    if hidden:
        yield Point(f"{_many(hidden, 'cell', 'cells')} newly hidden, shown in the live release", "changes")
    if changed:
        yield Point(
            f"{_many(changed, 'cell', 'cells')} with another number than in the live release", "changes"
        )
    if changes.tables_added or changes.tables_removed:
        count = len(changes.tables_added) + len(changes.tables_removed)
        yield Point(f"{_many(count, 'table', 'tables')} new or gone", "changes")
    if changes.drift:
        yield Point("The records themselves changed", "changes")


def _many(count: int, one: str, more: str) -> str:
    return f"{count:,} {one if count == 1 else more}"
