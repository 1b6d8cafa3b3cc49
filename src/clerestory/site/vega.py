"""A chart's Vega-Lite made whole: theme, order of categories, labels, and a layer for hidden cells.

The specification holds no data: cells go in after compiling, so that one compilation serves every choice.
Plots have a fixed size with room kept for labels, so the drawing does not depend on a machine's fonts.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from clerestory.site.cells import SYMBOLS, written
from clerestory.site.classes import CLASSES, NO_NUMBER, breaks
from clerestory.site.figures import Figure, label_of
from clerestory.site.sides import FONT, SIXTH, WIDTH, Side, codes_of, labels_of, side_of
from clerestory.site.strings import word
from clerestory.tables import Published, Status

PALETTE = ("#17639b", "#d9730d", "#2a9d8f", "#8e4a9e", "#b5323e", "#7f7b1d", "#5f6f7f", "#d77ba3")
"""Told apart with every kind of colour vision, each at least 3 to 1 against white."""
_INK, _AXIS, _GRID = "#3b3a36", "#8b8880", "#e6e2d9"

_CONFIG: dict[str, Any] = {
    "font": "Liberation Sans",
    "lineBreak": "\n",
    "view": {"stroke": None},
    "range": {"category": list(PALETTE)},
    "bar": {"color": PALETTE[0], "discreteBandSize": {"band": 0.82}},
    "line": {"color": PALETTE[0], "strokeWidth": 3},
    "area": {"color": PALETTE[0], "fillOpacity": 0.25, "line": True},
    "point": {"color": PALETTE[0], "filled": True, "size": 60},
    "rect": {"stroke": "#ffffff"},
    "mark": {"invalid": "break-paths-show-domains"},
    "axis": {
        "labelFontSize": 0,
        "labelLineHeight": FONT + 3,
        "labelColor": _INK,
        "labelLimit": 0,
        "labelOverlap": False,
        "labelFlush": False,
        "gridColor": _GRID,
        "domainColor": _AXIS,
        "tickColor": _AXIS,
        "title": None,
        "ticks": False,
    },
    "axisX": {"labelBaseline": "alphabetic", "labelPadding": FONT + 5},
    "axisY": {"labelBaseline": "alphabetic", "labelPadding": 8, "labelOffset": SIXTH},
}
# Letters of size 0 are not measured, which is most of a drawing's time; svg.named gives them a size.


@dataclass(frozen=True)
class Drawing:
    """A specification without data, the cells to draw, and what the legend says: (label, colour)."""

    spec: dict[str, Any]
    cells: list[dict[str, Any]]
    hidden: list[dict[str, Any]]
    legend: tuple[tuple[str, str], ...]
    stacked: bool
    shaded: bool
    """Whether shades of a colour mean numbers, which needs a scale beside the drawing."""


def _units(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The unit specifications inside: itself, or its layers."""
    if "layer" in spec:
        return [unit for layer in spec["layer"] for unit in _units(layer)]
    return [spec]


def _mark_of(unit: dict[str, Any]) -> str:
    mark = unit.get("mark", "bar")
    return str(mark.get("type", "bar") if isinstance(mark, dict) else mark)


def _translated(value: Any, codes: dict[str, str]) -> Any:
    """Lists of codes in a sort or a domain, as the labels that stand in the data."""
    if isinstance(value, list):
        return [codes.get(item, item) if isinstance(item, str) else item for item in value]
    return value


def drawing(figure: Figure, language: str) -> Drawing:
    """The whole specification of a chart at a choice, and the cells it draws."""
    said = copy.deepcopy(figure.chart.said.spec)
    said.pop("width", None)
    encoding = {k: v for unit in [said, *_units(said)] for k, v in (unit.get("encoding") or {}).items()}
    place = {dimension.name: i for i, dimension in enumerate(figure.dimensions)}
    along = {c: d["field"] for c, d in encoding.items() if isinstance(d, dict) and d.get("field") in place}
    sides = {name: side_of(figure, place[name], language, plot=0) for name in along.values()}
    left = min(sides[along["y"]].room, 290.0) if along.get("y") else 76.0
    plot = WIDTH - left - 24
    if along.get("x"):
        sides[along["x"]] = side_of(figure, place[along["x"]], language, plot=plot)
    lined = any(_mark_of(unit) in ("line", "area", "trail") for unit in _units(said))
    across = along.get("y") is not None and (encoding.get("x") or {}).get("field") == "value"
    series = along.get("color") or along.get("fill") or along.get("stroke")
    legend: list[tuple[str, str]] = []
    units = _units(said)
    for unit in ([said] if "layer" in said else []) + units:
        for channel, definition in (unit.get("encoding") or {}).items():
            if isinstance(definition, dict) and definition.get("field") in place:
                entries = _encode_dimension(definition, channel, figure, place, sides, language, series)
                legend += [entry for entry in entries if entry not in legend]
            elif isinstance(definition, dict) and definition.get("field") == "value":
                _encode_value(definition, channel, figure, plot)
    stacked = (
        bool(series) and not ({"xOffset", "yOffset"} & set(along)) and _mark_of(units[0]) in ("bar", "area")
    )
    if series and stacked and series in (along.get("x"), along.get("y")):
        stacked = False
    for unit in units:
        _name_marks(unit, encoding)
    layers = said.pop("layer", None) or [
        {"mark": said.pop("mark", "bar"), "encoding": said.pop("encoding", {})}
    ]
    if lined:
        layers.append(_points_layer(layers[0], said.get("encoding") or {}))
    shaded = any((encoding.get(c) or {}).get("field") == "value" for c in ("color", "fill"))
    if shaded and "x" in along and "y" in along:
        layers.append(_hidden_places(encoding))
    layers.append(_hidden_layer(encoding, along, across))
    bottom = sides[along["x"]].room if along.get("x") else FONT + 16.0
    height = said.pop("height", None)
    if along.get("y"):
        rows = len(sides[along["y"]].values)
        lines = max(value.count("\n") for value in sides[along["y"]].values) + 1
        groups = len(sides[along["yOffset"]].values) if along.get("yOffset") not in (None, along["y"]) else 1
        height = rows * max(28, 21 * lines + 4, 16 * groups)
    elif not isinstance(height, int | float):
        height = 260
    faceted = any(channel in along for channel in ("row", "column", "facet"))
    spec: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": _CONFIG,
        "background": None,
        "data": {"name": "cells", "values": []},
        **{key: value for key, value in said.items() if key not in ("data", "config", "title", "$schema")},
        "layer": layers,
        "height": height,
        "width": plot,
        "padding": {"left": left, "right": 24, "top": 14, "bottom": bottom},
        "autosize": {"type": "none"},
    }
    if faceted:
        spec["autosize"] = {"type": "pad"}
        spec["padding"] = 5
    cells, hidden = _rows(figure, sides, language)
    return Drawing(spec, cells, hidden, tuple(legend), stacked and bool(hidden), shaded)


def _encode_dimension(
    definition: dict[str, Any],
    channel: str,
    figure: Figure,
    place: dict[str, int],
    sides: dict[str, Side],
    language: str,
    series: str | None,
) -> list[tuple[str, str]]:
    """Completes the encoding of a dimension; returns the legend's entries if it is the one with colours."""
    name = definition["field"]
    side = sides[name]
    at = place[name]
    labels = dict(zip(codes_of(figure, at), side.values, strict=True))
    definition["type"] = "nominal" if channel in ("color", "fill", "stroke", "shape") else "ordinal"
    definition.pop("timeUnit", None)
    definition.pop("title", None)
    scale = definition.get("scale") or {}
    scale.pop("type", None)
    domain = _translated(scale.get("domain"), labels) or side.values
    definition["scale"] = {**scale, "domain": domain}
    definition["sort"] = None  # as they come: the domain says the order
    if channel in ("x", "y"):
        asked = definition.get("axis")
        kept = {k: v for k, v in (asked or {}).items() if k in ("grid", "ticks")}
        definition["axis"] = {**side.axis, **kept}
        return []
    if channel in ("xOffset", "yOffset", "detail", "row", "column", "facet"):
        return []
    definition["legend"] = None
    if channel == "shape" or name != series:
        return []
    colours = scale.get("range") if isinstance(scale.get("range"), list) else None
    colours = colours or [PALETTE[i % len(PALETTE)] for i in range(len(domain))]
    definition["scale"]["range"] = colours
    shown = dict(zip(side.values, labels_of(figure, at, language), strict=True))
    return [(shown.get(v, v), colours[i % len(colours)]) for i, v in enumerate(domain)]


def _encode_value(definition: dict[str, Any], channel: str, figure: Figure, plot: float) -> None:
    """Completes the encoding of the number: from zero, whole ticks, no title (the heading says it)."""
    shown = [p.cell.value for p in figure.points if isinstance(p.cell, Published)]
    definition["type"] = "quantitative"
    definition.pop("title", None)
    definition.pop("aggregate", None)
    scale = definition.setdefault("scale", {})
    if channel in ("x", "y"):
        least = min([*shown, 0])
        if max([*shown, 0]) <= 0 and least >= 0:
            scale["domain"] = [0, 1]
            definition["axis"] = {"values": [0], "format": ",d"}
        else:
            short = max(shown) >= 10_000
            label = f"datum.value == 0 ? '0' : format(datum.value, '{'~s' if short else ',d'}')"
            definition["axis"] = {
                "labelExpr": label,
                "tickCount": 4 if channel == "y" else max(2, int(plot / 110)),
                "tickMinStep": 1,
                "domain": False,
                "grid": True,
            }
    elif channel in ("color", "fill"):
        definition["legend"] = None
        bounds = breaks(shown)
        colours = list(CLASSES[len(CLASSES) - 1 - len(bounds) :])
        definition["scale"] = {"type": "threshold", "domain": bounds, "range": colours}


def _name_marks(unit: dict[str, Any], shared: dict[str, Any]) -> None:
    """Gives every mark of a unit the label that a reader and the accounting read."""
    kind = _mark_of(unit)
    mark = unit.get("mark", "bar")
    mark = dict(mark) if isinstance(mark, dict) else {"type": mark}
    mark.pop("tooltip", None)
    mark.pop("href", None)
    if kind in ("line", "area", "trail"):
        mark["aria"] = False
        mark.pop("point", None)
    unit["mark"] = mark
    own = unit.setdefault("encoding", {})
    for channel in ("tooltip", "href", "url"):
        own.pop(channel, None)
    if kind not in ("rule", "text", "line", "area", "trail"):
        own["description"] = {"field": "aria", "type": "nominal"}
    if kind in ("line", "area", "trail") and "order" not in own and "order" not in shared:
        own["order"] = {"field": "place", "type": "quantitative"}


def _points_layer(first: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Points on a line, which carry the labels of its cells: a line is one mark, its cells are many."""
    encoding = {
        k: copy.deepcopy(v)
        for k, v in {**shared, **(first.get("encoding") or {})}.items()
        if k in ("x", "y", "color", "xOffset")
    }
    encoding["description"] = {"field": "aria", "type": "nominal"}
    return {"mark": {"type": "circle", "size": 34, "opacity": 1}, "encoding": encoding}


def _hidden_layer(encoding: dict[str, Any], along: dict[str, str], across: bool) -> dict[str, Any]:
    """The symbol of hidden cells, at the foot of their place: never where a height would mean a number."""
    own: dict[str, Any] = {
        channel: copy.deepcopy(encoding[channel])
        for channel in ("x", "y", "xOffset", "yOffset", "row", "column", "facet")
        if channel in along
    }
    for definition in own.values():
        definition.pop("axis", None)
    mark: dict[str, Any] = {"type": "text", "fontSize": 0, "color": _INK, "baseline": "alphabetic", "dy": -4}
    if across:
        own["x"] = {"value": 0}
        mark.update({"align": "left", "dx": 4, "dy": SIXTH})
    elif "x" in along and "y" in along:
        mark["dy"] = SIXTH
    elif "x" in along:
        own["y"] = {"value": "height"}
    own["text"] = {"field": "symbol", "type": "nominal"}
    own["description"] = {"field": "aria", "type": "nominal"}
    return {"data": {"name": "hidden", "values": []}, "mark": mark, "encoding": own}


def _hidden_places(encoding: dict[str, Any]) -> dict[str, Any]:
    """Grey fields behind the symbols of a shaded table: no shade that means a number."""
    own = {channel: copy.deepcopy(encoding[channel]) for channel in ("x", "y")}
    for definition in own.values():
        definition.pop("axis", None)
    mark = {"type": "rect", "color": NO_NUMBER, "aria": False}
    return {"data": {"name": "hidden", "values": []}, "mark": mark, "encoding": own}


def _rows(
    figure: Figure, sides: dict[str, Side], language: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The cells as data: only the fields that are drawn. Cells without a number are kept as gaps."""
    values = [
        dict(zip(figure.nodes[i], sides[d.name].values, strict=False)) if d.name in sides else {}
        for i, d in enumerate(figure.dimensions)
    ]
    cells: list[dict[str, Any]] = []
    hidden: list[dict[str, Any]] = []
    for order, point in enumerate(figure.points):
        row: dict[str, Any] = {}
        names = []
        for i, (dimension, node) in enumerate(zip(figure.dimensions, point.nodes, strict=True)):
            if values[i]:
                row[dimension.name] = values[i][node]
            names.append(label_of(dimension, node, language))
        label = ", ".join(names)
        if isinstance(point.cell, Published):
            row.update(value=point.cell.value, aria=f"{label}: {written(point.cell)}", place=order)
            cells.append(row)
        else:
            status = point.cell.status
            cells.append({**row, "value": None, "place": order})
            says = f"{label}: {word(status.value, language)}"
            hidden.append({**row, "symbol": SYMBOLS[status], "aria": says})
    return cells, hidden


def hidden_among(figure: Figure) -> bool:
    """Whether any drawn cell is hidden."""
    return any(point.cell.status is Status.HIDDEN for point in figure.points)
