"""How the categories of a dimension stand along a side of a plot: wrapped, thinned, shortened or slanted.

Room is reckoned from the number of letters, not measured, so that drawings do not depend on fonts.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Any

from clerestory.site.figures import Figure, label_of
from clerestory.site.svg import LETTERS

WIDTH = 520
"""Width of a drawing: at 350 px on a phone its 17 px letters are 11.5 px."""
FONT = LETTERS
SIXTH = 6
"""How far below its middle a line of letters stands."""
_LETTER = 0.57
"""Mean width of a letter, in font sizes."""


def _wide(words: str) -> float:
    return max(len(line) for line in words.split("\n")) * FONT * _LETTER


@dataclass(frozen=True)
class Side:
    """A drawn dimension as a side of the plot. values: what stands in the data, node by node, in order."""

    name: str
    values: list[str]
    axis: dict[str, Any]
    room: float


def labels_of(figure: Figure, place: int, language: str) -> list[str]:
    """Labels of the drawn categories of a dimension, no two alike: with its code where they would be."""
    dimension = figure.dimensions[place]
    nodes = figure.nodes[place][: figure.drawn] if place == 0 else figure.nodes[place]
    labels = [label_of(dimension, node, language) for node in nodes]
    if len(set(labels)) == len(labels):
        return labels
    return [
        f"{label} ({dimension.nodes[node].code})" if labels.count(label) > 1 else label
        for label, node in zip(labels, nodes, strict=True)
    ]


def codes_of(figure: Figure, place: int) -> list[str]:
    """Codes of the drawn categories of a dimension."""
    nodes = figure.nodes[place][: figure.drawn] if place == 0 else figure.nodes[place]
    return [figure.dimensions[place].nodes[node].code for node in nodes]


def side_of(figure: Figure, place: int, language: str, *, plot: float) -> Side:
    """How a dimension stands along x, or along y if plot is 0: labels thinned, shortened or slanted to fit.

    plot: width of the plot, which the labels share.
    """
    name = figure.dimensions[place].name
    labels, codes = labels_of(figure, place, language), codes_of(figure, place)
    if not plot:
        wrapped = [_wrapped(label, 25) for label in labels]
        return Side(name, wrapped, {"domain": False}, max(map(_wide, wrapped), default=0) + 14)
    if all(re.fullmatch(r"\d{4}-(\d\d|Q\d)", code) for code in codes) and len(codes) > 12:
        firsts = [
            (lab, code[:4]) for lab, code in zip(labels, codes, strict=True) if code[5:] in ("01", "Q1")
        ]
        every = max(1, _ceiling(len(firsts) * 52 / plot))
        kept = firsts[::every]
        years = "{" + ",".join(f"{_quoted(label)}:'{year}'" for label, year in kept) + "}"
        axis = {
            "values": [label for label, _ in kept],
            "labelExpr": f"({years})[datum.label]",
            "labelAngle": 0,
            "ticks": True,
        }
        return Side(name, labels, axis, FONT + 16)
    each = plot / max(1, len(labels))
    if all(_wide(label) * 1.12 + 8 <= each for label in labels):
        return Side(name, labels, {"labelAngle": 0}, FONT + 16)
    if all(re.fullmatch(r"\d{4}", label) for label in labels):
        if each >= 2.4 * FONT * _LETTER + 4:
            short = "'’' + slice(datum.label, 2)"
            years = f"datum.index == 0 ? datum.label : {short}" if each >= 42 else short
            return Side(name, labels, {"labelAngle": 0, "labelExpr": years}, FONT + 16)
        every = _ceiling(46 / each)
        return Side(name, labels, {"labelAngle": 0, "values": labels[::-1][::every][::-1]}, FONT + 16)
    if len(labels) == 12 and all(re.fullmatch(r"\d\d?", code) for code in codes):
        return Side(
            name, labels, {"labelAngle": 0, "labelExpr": "upper(slice(datum.label, 0, 1))"}, FONT + 16
        )
    wrapped = [_wrapped(label, max(6, int(each / (FONT * _LETTER)))) for label in labels]
    if all(_wide(label) + 4 <= each and label.count("\n") < 3 for label in wrapped):
        lines = max(label.count("\n") for label in wrapped) + 1
        return Side(name, wrapped, {"labelAngle": 0}, lines * (FONT + 3) + 16)
    slanted = {"labelAngle": -40, "labelAlign": "right", "labelPadding": 12, "labelOffset": 3}
    return Side(name, labels, slanted, max(map(_wide, labels)) * 0.66 + 24)


def _wrapped(label: str, width: int) -> str:
    """A label in lines of so many letters. With digits it stays whole: a part would be another number."""
    if any(letter.isdigit() for letter in label):
        return label
    return "\n".join(textwrap.wrap(label, width, break_long_words=False, break_on_hyphens=False)) or label


def _ceiling(value: float) -> int:
    """The least whole number that is not under a value."""
    return -int(-value // 1)


def _quoted(words: str) -> str:
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"
