"""Two releases of one source read together, as the tables declare how they change.

*Frozen*: an earlier table counts what today's counts, but for categories that came later; its cells are boxes
among today's. *Cumulative*: records are only added, so a further axis says whether a record was there by
then; what came since is a box of its own, and a small one is a small count. *Revised*: each release counts
anew, and nothing links them. Categories are matched by the codes that they have in both releases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from tests.attacker.files import parse
from tests.attacker.published import Categories, Release, Row, Table, Tree

THEN, SINCE = "then", "since"
AXIS = "(release)"


class CannotTell(ValueError):
    """A category of the earlier release is no category of today's, or several."""


def changes_of(files: Mapping[str, bytes], source: str) -> dict[str, str]:
    """How each table of a source changes from one release to the next; frozen where nothing is said."""
    said = json.loads(files[f"structure/{source}.json"])
    return {table["name"]: table.get("changes", "frozen") for table in said["tables"]}


def together(earlier: Mapping[str, bytes], later: Mapping[str, bytes], source: str) -> Release:
    """What a reader has who kept the files of both releases: today's tables and the earlier ones."""
    changes = changes_of(later, source)
    return joined(parse(earlier)[source], parse(later)[source], changes)


def joined(earlier: Release, later: Release, changes: Mapping[str, str]) -> Release:
    """Today's tables with those earlier ones that count the same people. Raises CannotTell."""
    kept = [table for table in earlier.tables if changes.get(table.name, "frozen") != "revised"]
    places = {axis: _places(axis, earlier, later) for axis in earlier.axes}
    grows = any(changes.get(table.name) == "cumulative" for table in kept)
    own = {table.name: table for table in later.tables}
    before = tuple(_before(table, own.get(table.name), places, later, grows=grows) for table in kept)
    axes = dict(later.axes)
    if grows:
        axes[AXIS] = (THEN, SINCE)
    return replace(later, axes=axes, tables=(*later.tables, *before))


def _signatures(
    release: Release, axis: str, trees: set[str], tables: set[str]
) -> dict[frozenset[tuple[str, str]], list[str]]:
    """The categories of an axis by the codes that they are in, and the tables that select them."""
    found: dict[frozenset[tuple[str, str]], list[str]] = {}
    for category in release.axes.get(axis, ()):
        codes = {
            (name, code)
            for table in release.tables
            for name, tree in table.trees.items()
            if name in trees and tree.axis == axis
            for code, finest in tree.finest.items()
            if category in finest and code != "all"
        }
        selected = {
            ("(where)", table.name)
            for table in release.tables
            if table.name in tables and category in table.where.get(axis, frozenset())
        }
        found.setdefault(frozenset(codes | selected), []).append(category)
    return found


def _places(axis: str, earlier: Release, later: Release) -> dict[str, str]:
    """Which of today's categories each earlier one is: as many as go by the same codes, in their order."""
    trees = {name for table in earlier.tables for name in table.trees}
    trees &= {name for table in later.tables for name in table.trees}
    tables = {table.name for table in earlier.tables} & {table.name for table in later.tables}
    today = _signatures(later, axis, trees, tables)
    found: dict[str, str] = {}
    for codes, categories in _signatures(earlier, axis, trees, tables).items():
        same = today.get(codes, [])
        if len(same) != len(categories):
            raise CannotTell(f"{len(categories)} categories of {axis} are {len(same)} today")
        found |= dict(zip(categories, same, strict=True))
    return found


def _before(
    table: Table,
    today: Table | None,
    places: Mapping[str, Mapping[str, str]],
    later: Release,
    *,
    grows: bool,
) -> Table:
    def mapped(axis: str, categories: Categories) -> Categories:
        return frozenset(places[axis][category] for category in categories)

    trees, rows = {}, list(table.rows)
    where = {axis: frozenset(own.values()) for axis, own in places.items() if not grows}
    where |= {axis: mapped(axis, categories) for axis, categories in table.where.items()}
    for name, tree in table.trees.items():
        finest = {code: mapped(tree.axis, categories) for code, categories in tree.finest.items()}
        now = today.trees.get(name) if today is not None else None
        if grows and now is not None:
            came = frozenset(later.axes[tree.axis]) - mapped(tree.axis, frozenset(places[tree.axis]))
            finest = {code: c | (came & now.finest.get(code, frozenset())) for code, c in finest.items()}
            fresh = [code for code in now.finest if code not in finest]
            finest |= {code: now.finest[code] for code in fresh}
            # Nobody can have been in a category that was not there.
            rows += [
                Row({n: c for n, c in row.codes.items() if n != name} | {name: code}, 0)
                for row in table.rows
                for code in fresh
            ]
        trees[name] = Tree(tree.axis, tree.parents, finest)
    if grows:
        where[AXIS] = frozenset({THEN})
    return replace(table, name=f"{table.name} then", trees=trees, rows=tuple(rows), where=where)
