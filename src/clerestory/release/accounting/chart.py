"""SVG charts: every mark's number is a shown cell of the figure's own data table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from clerestory.release.accounting.markup import TOKEN, place_of, unescaped, words
from clerestory.release.accounting.numbers import DIGIT, Known, KnownCell, KnownTable, plain
from clerestory.release.accounting.tally import Tally
from clerestory.tables import TOTAL

# What a group is for decides which digits stand in it: drawing, scales (axis, legend), titles, marks.
_DRAWING, _SCALE, _TITLE, _MARK = range(4)
_ROLES = {"role-axis": _SCALE, "role-legend": _SCALE, "role-title": _TITLE, "role-mark": _MARK}
_ROLE = re.compile(r' class="[^"]*\b(role-axis|role-legend|role-title|role-mark)(?![\w-])')
_LABEL = re.compile(r' aria-label="([^"]*)"')

_ELEMENTS = words(
    "svg g path line rect circle ellipse polygon polyline text tspan title desc defs clipPath linearGradient "
    "radialGradient stop"
)
_ATTRIBUTES = re.compile(
    r"(?:\s++(?:xmlns|xmlns:xlink|version|class|id|width|height|viewBox|preserveAspectRatio|focusable|role|"
    r"aria-label|aria-hidden|aria-roledescription|aria-labelledby|aria-describedby|tabindex|transform|d|points|"
    r"x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|dx|dy|offset|fill|fill-opacity|fill-rule|stroke|stroke-[a-z]+|opacity|"
    r"stop-color|stop-opacity|gradientUnits|gradientTransform|clip-path|clip-rule|clipPathUnits|pointer-events|"
    r"display|visibility|cursor|text-anchor|dominant-baseline|font-family|font-size|font-weight|font-style|"
    r'letter-spacing|vector-effect|lang|xml:lang)="(?!\s*+(?:javascript|data|https?(?!://www\.w3\.org/)):)'
    r'[^"]*+")*+'
)
"""Every attribute that a drawing may have: none that links, loads, styles or runs."""

_TICK = re.compile(r"[-−+$’]?\d[\d,.]*\s?(?:[kKMBGT%]|mil|million|millones)?")
"""What a scale may print beside labels: one number."""


@dataclass
class Figure:
    """One chart of a page: its table, the marks drawn, and the cells of its data table.

    The data table is in the figure, or after it where the figure holds none.
    """

    table: KnownTable
    marks: list[tuple[str, str, int]] = field(default_factory=list)
    """(label, value, position in the file) of each mark that says a number."""
    inside: dict[str, KnownCell] = field(default_factory=dict)
    after: dict[str, KnownCell] = field(default_factory=dict)
    ended: bool = False

    def finish(self, text: str, tally: Tally) -> None:
        """Every mark is a shown cell of the figure's data table, under that cell's labels. May raise Stop."""
        by_written: dict[str, list[dict[str, str]]] = {}
        told: dict[str, set[str]] = {}
        for where, cell in (self.inside or self.after).items():
            codes = _codes(where)
            for dimension in self.table.dimensions:
                told.setdefault(dimension.name, set()).add(codes.get(dimension.name, TOTAL))
            if cell.value is not None:
                by_written.setdefault(cell.written, []).append(codes)
        varying = [dimension for dimension in self.table.dimensions if len(told.get(dimension.name, ())) > 1]
        for label, value, at in self.marks:
            tally.numbers += 1
            # Whole names only: "Month 1" is not the category of a mark that says "Month 12".
            said = f", {label}, "
            if not any(
                all(
                    any(name in said for name in _names(dimension.nodes[codes.get(dimension.name, TOTAL)][1]))
                    for dimension in varying
                )
                for codes in by_written.get(value, ())
            ):
                rule = "a mark's number is not that of a shown cell of its category in the data table"
                tally.refuse(place_of(text, at), rule)


@lru_cache(maxsize=100_000)
def _codes(where: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in where.split(";") if pair)
    return {name: unquote(code) for name, _, code in pairs}


@lru_cache(maxsize=10_000)
def _names(labels: frozenset[str]) -> tuple[str, ...]:
    return tuple(f", {plain(label)}, " for label in labels)


def account_svg(text: str, start: int, figure: Figure | None, known: Known, tally: Tally) -> int:
    """Accounts for the SVG whose opening tag begins at start; returns where it ends. May raise Stop.

    figure: the chart it draws; None for an icon, which may hold no digit at all.
    """
    match, attributes, stack, roles = TOKEN.match, _ATTRIBUTES.fullmatch, [""], [_DRAWING]
    lines: list[str] = []
    position = start
    while True:
        token = match(text, position)
        if token is None:
            raise tally.stop(
                place_of(text, position), "not strict SVG: a comment, an odd tag, or it does not end"
            )
        slash, name, written, closed, after = token.groups()
        if slash:
            if name != stack.pop() or written:
                raise tally.stop(place_of(text, position), "SVG elements must be closed in order")
            role = roles.pop()
            if lines and name != "tspan":
                # A text may be broken into lines, each a tspan: what it says is all of them together.
                _account_text(plain(" ".join(lines)), role, figure, known, tally, text, position)
                lines = []
        else:
            if name not in _ELEMENTS or not attributes(written):
                raise tally.stop(
                    place_of(text, position), f"<{name}> or one of its attributes is not for charts"
                )
            role = roles[-1]
            if ' class="' in written and (found := _ROLE.search(written)):
                role = _ROLES[found[1]]
            if ' aria-label="' in written:
                _account_label(written, role, figure, known, tally, text, position)
            if not closed:
                stack.append(name)
                roles.append(role)
        if len(stack) == 1:
            return token.start(5)
        if after and not after.isspace():
            if stack[-1] not in ("text", "tspan", "title", "desc"):
                raise tally.stop(place_of(text, position), "a text outside <text>")
            lines.append(unescaped(after))
        position = token.end()


def _account_label(
    written: str, role: int, figure: Figure | None, known: Known, tally: Tally, text: str, at: int
) -> None:
    found = _LABEL.search(written)
    if found is None or (role == _SCALE and figure is not None):
        return  # a scale's description repeats its ticks
    said = plain(unescaped(found[1]))
    if not DIGIT.search(said):
        return
    label, colon, value = said.rpartition(": ")
    if figure is not None and role == _MARK and colon and DIGIT.search(value):
        if known.leaves_digits(label, label=True):
            tally.refuse(place_of(text, at), "a number in a mark's label that is no category")
        figure.marks.append((label, value, at))
    elif figure is None or known.leaves_digits(said, label=True):
        tally.refuse(place_of(text, at), "a number in the label of something that is no mark")


def _account_text(
    said: str, role: int, figure: Figure | None, known: Known, tally: Tally, text: str, at: int
) -> None:
    if not DIGIT.search(said):
        return
    if figure is None:
        tally.refuse(place_of(text, at), "a number in a drawing that is no chart")
    elif known.leaves_digits(said, label=True) and not (role == _SCALE and _TICK.fullmatch(said)):
        tally.refuse(place_of(text, at), "a number in a chart that is neither tick nor label")
