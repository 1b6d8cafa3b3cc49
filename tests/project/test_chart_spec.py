from __future__ import annotations

from typing import Any

import pytest

from clerestory.project.chart_spec import faults, fields
from clerestory.project.problems import dotted

GOOD: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "height": 300,
    "projection": {"type": "albersUsa"},
    "layer": [
        {"mark": {"type": "line", "point": True}},
        {"mark": "text", "encoding": {"text": {"field": "value", "format": ",d"}}},
    ],
    "encoding": {
        "x": {"field": "year", "type": "ordinal", "axis": {"values": ["2012", "2016"], "labelAngle": 0}},
        "y": {"field": "value", "type": "quantitative", "stack": "zero", "bin": None},
        "color": {"condition": {"test": {"field": "value", "gt": 5}, "value": "red"}, "value": "grey"},
        "tooltip": [{"field": "county"}],
        "order": {"field": "value", "sort": "descending"},
    },
}


def test_drawing_is_allowed() -> None:
    assert faults(GOOD) == []


def test_every_field_is_found() -> None:
    assert [name for _, name in fields(GOOD)] == ["value", "year", "value", "value", "county", "value"]
    assert fields({"encoding": {"x": {"field": {"repeat": "row"}}}}) == [(("encoding", "x", "field"), "")]


@pytest.mark.parametrize(
    ("part", "key", "reason"),
    [
        ({"datasets": {"a": []}}, "datasets", "protected cells only"),
        ({"values": [1]}, "values", "protected cells only"),
        ({"layer": [{"mark": "bar", "data": {"url": "x"}}]}, "layer[0].data", "protected cells only"),
        ({"layer": [{"mark": "bar", "data": {"sequence": {}}}]}, "layer[0].data", "protected cells only"),
        ({"encoding": {"href": {"value": "x"}}}, "encoding.href", "fetches and opens nothing"),
        ({"encoding": {"url": {"field": "county"}}}, "encoding.url", "fetches and opens nothing"),
        ({"mark": {"type": "bar", "href": "x"}}, "mark.href", "fetches and opens nothing"),
        ({"mark": "image"}, "mark", "fetches and opens nothing"),
        ({"mark": {"type": "image", "aspect": True}}, "mark.type", "fetches and opens nothing"),
        ({"mark": {"type": "bar", "width": {"expr": "1"}}}, "mark.width.expr", "no code"),
        ({"mark": {"type": "bar", "tooltip": {"signal": "datum"}}}, "mark.tooltip.signal", "no code"),
        ({"encoding": {"x": {"axis": {"labelExpr": "datum.label"}}}}, "encoding.x.axis.labelExpr", "no code"),
        (
            {"encoding": {"color": {"condition": {"test": "datum.value > 3"}}}},
            "encoding.color.condition.test",
            "no code",
        ),
        ({"encoding": {"x": {"formatType": "f"}}}, "encoding.x.formatType", "no code"),
        ({"params": [{"name": "p", "bind": "url"}]}, "params[0].bind", "controls block"),
        (
            {"params": [{"name": "p", "select": {"type": "point", "on": "click"}}]},
            "params[0].select.on",
            "no code",
        ),
        ({"params": [{"name": "p", "expr": "1"}]}, "params[0].expr", "no code"),
        ({"transform": [{"aggregate": []}]}, "transform", "adds nothing up"),
        ({"encoding": {"y": {"aggregate": "sum"}}}, "encoding.y.aggregate", "adds nothing up"),
        ({"encoding": {"y": {"bin": True}}}, "encoding.y.bin", "adds nothing up"),
        ({"encoding": {"y": {"stack": "normalize"}}}, "encoding.y.stack", "not a share of all"),
        ({"encoding": {"y": {"impute": {"value": 0}}}}, "encoding.y.impute", "in no table"),
        (
            {"encoding": {"x": {"sort": {"op": "sum", "field": "value"}}}},
            "encoding.x.sort.op",
            "adds nothing up",
        ),
        ({"encoding": {"x": {"scale": {"values": [1]}}}}, "encoding.x.scale.values", "protected cells only"),
        (
            {"encoding": {"x": {"axis": {"values": [{"a": 1}]}}}},
            "encoding.x.axis.values",
            "protected cells only",
        ),
        ({"mark": "boxplot"}, "mark", "adds nothing up"),
        ({"mark": {"type": "errorband"}}, "mark.type", "adds nothing up"),
        ({"encoding": {"x": "county"}}, "encoding.x", "write x: {field: "),
        ({"usermeta": {"a": 1}}, "usermeta", "published unseen"),
        ({"repeat": ["a"]}, "repeat", "one by one"),
        ({"name": "javascript:alert(1)"}, "name", "no code"),
        ({"makr": "bar"}, "makr", "did you mean 'mark'?"),
    ],
)
def test_what_is_not_drawing_is_refused_with_the_reason(part: dict[str, Any], key: str, reason: str) -> None:
    found = [(dotted(where), fix) for where, _, fix in faults({"mark": "bar", **part})]
    assert [where for where, _ in found] == [key]
    assert reason in found[0][1]


def test_a_chart_has_a_mark() -> None:
    assert [what for _, what, _ in faults({"encoding": {}})] == ["the chart has no mark"]
