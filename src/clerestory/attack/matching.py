"""One set of categories for several releases: which category of an earlier release is which of today's.

Structure files number categories and name them only by the codes of tables, so they are matched by codes.
What a release has alone, a new year, is a category of its own in the common refinement.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clerestory.errors import Refused
from clerestory.tables import TOTAL, Axis, CellSpace
from clerestory.tables.space import IntArray

BoolArray = NDArray[np.bool_]
Name = tuple[str, str, str]
Span = tuple[float, float]

_PERIOD = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?")
_BAND = re.compile(r"(\d+)-(\d+)")
_ENDS = (re.compile(r"under-(\d+)"), re.compile(r"(\d+)(-and-over)?"))


@dataclass(frozen=True, eq=False)
class JointAxis:
    """The common refinement of one axis over several spaces.

    places: for each space, (categories,) the position of its category that holds this one, -1 if none does.
    """

    axis: Axis
    places: tuple[IntArray, ...]

    def onto(self, space: int, members: BoolArray) -> BoolArray:
        """A set of categories of one of the spaces as a set of joint categories."""
        places = self.places[space]
        return np.asarray((places >= 0) & members[places])


@dataclass(frozen=True, eq=False)
class _Side:
    """What tables say of the categories of an axis. names: sets by name; spans: what codes mean in numbers,
    for each dimension and kind, by category."""

    size: int
    names: dict[Name, BoolArray]
    spans: dict[tuple[str, str], list[Span | None]]

    def coded(self) -> BoolArray:
        """(categories,) whether some code stands for it."""
        found = np.zeros(self.size, dtype=bool)
        for name, members in self.names.items():
            if name[0] != "where":
                found |= members
        return found


def match_axes(spaces: Sequence[CellSpace], releases: Sequence[str]) -> tuple[JointAxis, ...]:
    """The joint axes of these spaces; releases: what each is called in errors.

    The first space is today's; categories of others are joined to it in turn. Raises Refused where the codes
    of one release do not tell which categories of another they are.
    """
    names = dict.fromkeys(axis.name for space in spaces for axis in space.axes)
    return tuple(_joint(name, spaces, releases) for name in names)


def _joint(name: str, spaces: Sequence[CellSpace], releases: Sequence[str]) -> JointAxis:
    sides = [_side(space, name) for space in spaces]
    rows: list[tuple[int, ...]] = [(category,) for category in range(sides[0].size)]
    for number in range(1, len(sides)):
        fits = [_fits(sides[i], sides[number]) for i in range(number)]
        for i in range(number):
            where = f"axis {name!r}, releases {releases[number]} and {releases[i]}"
            _refuse_renamed(sides[i], sides[number], fits[i], where)
        found: list[tuple[int, ...]] = []
        met = np.zeros(sides[number].size, dtype=bool)
        for row in rows:
            partners = np.ones(sides[number].size, dtype=bool)
            for i, category in enumerate(row):
                if category >= 0:
                    partners &= fits[i][category]
            met |= partners
            found += [(*row, int(c)) for c in np.flatnonzero(partners)] or [(*row, -1)]
        rows = found + [(-1,) * number + (int(c),) for c in np.flatnonzero(~met)]
    places = tuple(np.array(rows, dtype=np.int64).T)
    return JointAxis(Axis(name, tuple(str(i) for i in range(len(rows)))), places)


def _side(space: CellSpace, name: str) -> _Side:
    size = next((len(axis.categories) for axis in space.axes if axis.name == name), 0)
    if not size:
        return _Side(1, {}, {})  # nothing divides the people of this release here
    sets: dict[Name, BoolArray] = {}
    spans: dict[tuple[str, str], list[Span | None]] = {}
    differing: set[Name] = set()
    for layout in space.layouts:
        design = layout.design
        if name in design.select:
            sets["where", design.name, ""] = design.select[name]
        for dimension in design.dimensions:
            if dimension.axis != name:
                continue
            for position in dimension.leaves():
                node, members = dimension.nodes[position], dimension.members[position]
                if node.code == TOTAL:
                    continue
                key = ("code", dimension.name, node.code)
                if not np.array_equal(sets.setdefault(key, members), members):
                    differing.add(key)
                sets[f"code of {design.name}", dimension.name, node.code] = members
                for kind, span in _spans(node.code).items():
                    own = spans.setdefault((dimension.name, kind), [None] * size)
                    for category in np.flatnonzero(members).tolist():
                        own[category] = span
    for key in differing:
        del sets[key]
    return _Side(size, sets, spans)


def _spans(code: str) -> dict[str, Span]:
    """What a code says in numbers: months since year 0 for a period, least and greatest for a band."""
    found: dict[str, Span] = {}
    period = _PERIOD.fullmatch(code)
    if period is not None:
        year, quarter, month = period.groups()
        first = int(year) * 12 + (3 * int(quarter) - 3 if quarter else int(month) - 1 if month else 0)
        found["period"] = (first, first + (2 if quarter else 0 if month else 11))
    band, under, over = _BAND.fullmatch(code), _ENDS[0].fullmatch(code), _ENDS[1].fullmatch(code)
    if band is not None and int(band[1]) < int(band[2]):
        found["number"] = (int(band[1]), int(band[2]))
    elif under is not None:
        found["number"] = (-np.inf, int(under[1]) - 1)
    elif over is not None:
        found["number"] = (int(over[1]), np.inf if over[2] else int(over[1]))
    return found


def _fits(one: _Side, other: _Side) -> BoolArray:
    """(categories, categories) whether a value can be in the one and in the other category."""
    fits = np.ones((one.size, other.size), dtype=bool)
    for name in one.names.keys() & other.names.keys():
        fits &= one.names[name][:, None] == other.names[name][None, :]
    for key in one.spans.keys() & other.spans.keys():
        for i, left in enumerate(one.spans[key]):
            for j, right in enumerate(other.spans[key]):
                if left is not None and right is not None:
                    fits[i, j] &= left[0] <= right[1] and right[0] <= left[1]
    return fits


def _refuse_renamed(one: _Side, other: _Side, fits: BoolArray, where: str) -> None:
    """Categories that go by other codes on each side, or the codes of which mean something else."""
    fix = "keep the codes of the earlier release, or declare all tables of the source `revised`"
    alike = np.zeros_like(fits)
    for name in one.names.keys() & other.names.keys():
        alike |= one.names[name][:, None] & other.names[name][None, :]
    for key in one.spans.keys() & other.spans.keys():
        known = [np.array([span is not None for span in side.spans[key]]) for side in (one, other)]
        alike |= known[0][:, None] & known[1][None, :]
    strangers = fits & ~alike & one.coded()[:, None] & other.coded()[None, :]
    if strangers.any():
        codes = " and ".join(
            repr(_code(side, int(place[0])))
            for side, place in zip((other, one), np.nonzero(strangers)[::-1], strict=True)
        )
        raise Refused(
            f"{codes} may be one category under two codes: what a reader learns cannot be said",
            where=where,
            fix=fix,
        )
    for side, against, alone in ((one, other, ~fits.any(axis=1)), (other, one, ~fits.any(axis=0))):
        for category in np.flatnonzero(alone & side.coded()).tolist():
            own = [name for name, members in side.names.items() if name[0] == "code" and members[category]]
            if own and all(name in against.names for name in own):
                raise Refused(
                    f"{_code(side, category)!r} does not hold in one release what it holds in the other",
                    where=where,
                    fix=fix,
                )


def _code(side: _Side, category: int) -> str:
    return next(
        (name[2] for name, members in side.names.items() if name[0] != "where" and members[category]), ""
    )
