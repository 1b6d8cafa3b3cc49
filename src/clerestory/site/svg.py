"""Makes a drawing fit to stand in a page: no styles, no roles inside, short numbers, unique names."""

from __future__ import annotations

import re
from html import escape

LETTERS = 17
"""Size of letters that a drawing says nothing of; see vega.FONT."""

_ROOT = re.compile(r"<svg\b[^>]*?viewBox=\"([^\"]*)\"[^>]*>")
_EMPTY = re.compile(r'<path class="(?:background|foreground)"[^>]*/>')
_DROPPED = re.compile(
    r" (?:role|aria-roledescription|aria-hidden|pointer-events|stroke-miterlimit|font-family|xlink:href"
    r"|style)"
    r'="[^"]*"| opacity="1"| stroke-width="1"| font-style="normal"| font-weight="normal"'
)
_SCALE_LABEL = re.compile(r'(<g class="[^"]*role-(?:axis|legend)[^"]*")([^>]*?) aria-label="[^"]*"')
_NUMBER = re.compile(r"-?\d+\.\d+")
_NUMERIC = re.compile(r' (?:d|transform|x2?|y2?|width|height|stroke-width)="[^"]*"')
_EMPTY_GROUP = re.compile(r"<g\b[^<>]*(?:/>|(?<!/)></g>)")
_PIXELS = re.compile(r'font-size="(\d+(?:\.\d+)?)px"')
_LINES = re.compile(
    r'<text text-anchor="end" transform="translate\((-?[\d.]+),(-?[\d.]+)\)"([^>]*)>'
    r"((?:<tspan[^>]*>[^<]*</tspan>){2,})</text>"
)
_STEP = re.compile(r'dy="([\d.]+)"')
_ID = re.compile(r'\bid="([^"]+)"')


def _short(match: re.Match[str]) -> str:
    return f"{round(float(match[0]), 1):g}"


def _rounded(match: re.Match[str]) -> str:
    return _NUMBER.sub(_short, match[0])


def _centred(match: re.Match[str]) -> str:
    """A label of several lines, moved up so that its middle is where its first line was."""
    up = sum(float(step) for step in _STEP.findall(match[4])) / 2
    y = float(match[2]) - up
    return f'<text text-anchor="end" transform="translate({match[1]},{y:g})"{match[3]}>{match[4]}</text>'


def cleaned(svg: str) -> tuple[str, str]:
    """What is inside a drawing's root element, and its view box."""
    root = _ROOT.search(svg)
    if root is None:
        raise ValueError("the drawing has no view box")
    inside = svg[root.end() : svg.rindex("</svg>")]
    inside = _EMPTY.sub("", inside)
    inside = _SCALE_LABEL.sub(r"\1\2", inside)
    inside = _DROPPED.sub("", inside)
    inside = _NUMERIC.sub(_rounded, inside)
    inside = _PIXELS.sub(r'font-size="\1"', inside)
    inside = inside.replace(' font-size="0"', "")
    inside = _LINES.sub(_centred, inside)
    inside = inside.replace(' aria-label="', ' role="img" aria-label="')
    before = ""
    while before != inside:
        before, inside = inside, _EMPTY_GROUP.sub("", inside)
    return inside, root[1]


def marked(inside: str, labels: list[str]) -> str:
    """The drawing with class="marked" on the marks of these categories."""
    for label in labels:
        for end in (": ", ", "):
            inside = inside.replace(
                f'aria-label="{escape(label)}{end}', f'class="marked" aria-label="{escape(label)}{end}'
            )
    return inside


def named(inside: str, view: str, *, name: str, title: str, text: str, kind: str) -> str:
    """A whole SVG for a page: a picture with a title and a description, its names made unique by `name`."""
    for place, old in enumerate(dict.fromkeys(_ID.findall(inside))):
        new = f"{name}-{place}"
        inside = inside.replace(f'id="{old}"', f'id="{new}"').replace(f"url(#{old})", f"url(#{new})")
    return (
        f'<svg class="{kind}" viewBox="{view}" font-size="{LETTERS}" role="img" '
        f'aria-labelledby="{name}-title {name}-text"><title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-text">{escape(text)}</desc>{inside}</svg>'
    )
