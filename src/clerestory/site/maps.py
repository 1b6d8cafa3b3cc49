"""The county map: pre-projected shapes, filled by class of the shown numbers; hidden places say so."""

from __future__ import annotations

from html import escape

from clerestory.site.cells import SYMBOLS, number, written
from clerestory.site.classes import CLASSES, NO_NUMBER, ZERO, breaks
from clerestory.site.figures import Figure, label_of
from clerestory.site.shapes import shape_ids, shapes
from clerestory.site.strings import word
from clerestory.tables import Published, Status

_STROKE = "#8a9aa5"


def _class_of(value: int, bounds: list[int]) -> str:
    if value == 0:
        return ZERO
    # With fewer classes the darkest ones are kept, so that "most" looks like most on every map.
    place = sum(value >= bound for bound in bounds)
    return CLASSES[len(CLASSES) - 1 - len(bounds) + place]


def county_map(figure: Figure, language: str) -> str:
    """The inside of the map's SVG, and its size: marks, symbols of hidden places, and the legend."""
    name = figure.chart.said.data.map or ""
    drawing, ids = shapes(name), shape_ids(name, figure.dimensions[0])
    bounds = breaks([p.cell.value for p in figure.points if isinstance(p.cell, Published)])
    marks: list[str] = []
    symbols: list[str] = []
    for point in figure.points:
        key = ids.get(point.nodes[0])
        if key is None:
            continue
        shape = drawing.by_id[key]
        label = escape(label_of(figure.dimensions[0], point.nodes[0], language))
        if isinstance(point.cell, Published):
            fill, says = _class_of(point.cell.value, bounds), written(point.cell)
        else:
            fill, says = NO_NUMBER, word(point.cell.status.value, language)
            x, y = shape.label
            symbols.append(f'<text x="{x}" y="{y + 6}">{SYMBOLS[point.cell.status]}</text>')
        marks.append(f'<path role="img" aria-label="{label}: {says}" fill="{fill}" d="{shape.path}"/>')
    legend = _legend(figure, bounds, language)
    return (
        f'<g class="role-mark places" stroke="{_STROKE}" stroke-width="1" stroke-linejoin="round">'
        f"{''.join(marks)}</g>"
        f'<g class="symbols" text-anchor="middle" font-size="17" fill="#3b3a36" aria-hidden="true">'
        f"{''.join(symbols)}</g>{legend}"
    )


def shade_legend(figure: Figure, left: float, top: float) -> str:
    """A flat scale of shades with its bounds as ticks, for a drawing whose shades mean numbers."""
    shown = [p.cell.value for p in figure.points if isinstance(p.cell, Published)]
    if not shown:
        return ""
    bounds = breaks(shown)
    colours = CLASSES[len(CLASSES) - 1 - len(bounds) :]
    parts = []
    for place, (colour, tick) in enumerate(zip(colours, [min(shown), *bounds], strict=True)):
        x = left + place * 66
        parts.append(f'<rect x="{x:g}" y="{top:g}" width="66" height="14" fill="{colour}"/>')
        parts.append(f'<text x="{x:g}" y="{top + 33:g}" text-anchor="middle">{number(tick)}</text>')
    end = left + len(colours) * 66
    parts.append(f'<text x="{end:g}" y="{top + 33:g}" text-anchor="middle">{number(max(shown))}</text>')
    return f'<g class="role-legend" font-size="15" fill="#2b2a27">{"".join(parts)}</g>'


def _legend(figure: Figure, bounds: list[int], language: str) -> str:
    """A stepped scale with its bounds as ticks, then what the other fills mean; top right of the drawing."""
    x, y, step = 372, 30, 26
    shown = [p.cell.value for p in figure.points if isinstance(p.cell, Published)]
    parts: list[str] = []
    positive = [value for value in shown if value > 0]
    if positive:
        colours = CLASSES[len(CLASSES) - 1 - len(bounds) :]
        ticks = [*bounds, max(positive)]
        for place, colour in enumerate(reversed(colours)):
            top = y + place * step
            parts.append(f'<rect x="{x}" y="{top}" width="26" height="{step}" fill="{colour}"/>')
            tick = list(reversed(ticks))[place]
            parts.append(f'<text x="{x + 36}" y="{top + 6}">{number(tick)}</text>')
        y += len(colours) * step
        parts.append(f'<text x="{x + 36}" y="{y + 6}">{number(min(positive))}</text>')
        y += 22
    statuses = {p.cell.status for p in figure.points if not isinstance(p.cell, Published)}
    rows = []
    if 0 in shown:
        rows.append((ZERO, "", "0"))
    if Status.HIDDEN in statuses:
        rows.append((NO_NUMBER, SYMBOLS[Status.HIDDEN], word("legend_hidden", language)))
    if Status.NO_DATA in statuses:
        rows.append((NO_NUMBER, SYMBOLS[Status.NO_DATA], word("no-data", language)))
    for fill, symbol, words in rows:
        parts.append(f'<rect x="{x}" y="{y}" width="26" height="20" fill="{fill}" stroke="{_STROKE}"/>')
        if symbol:
            parts.append(
                f'<text x="{x + 13}" y="{y + 16}" text-anchor="middle" font-size="17">{symbol}</text>'
            )
        parts.append(f'<text x="{x + 36}" y="{y + 16}">{escape(words)}</text>')
        y += 30
    return f'<g class="role-legend" font-size="19" fill="#2b2a27">{"".join(parts)}</g>'
