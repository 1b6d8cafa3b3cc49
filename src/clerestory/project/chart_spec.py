"""What a chart block may say in Vega-Lite: drawing only. It brings no data, code or addresses of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clerestory.project.locate import Key
from clerestory.project.problems import nearest

Fault = tuple[Key, str, str]
"""Where in the spec, what is wrong, what to do."""

VALUE = "value"
"""The field of a chart that holds the number."""

_TOP = (
    "$schema",
    "align",
    "autosize",
    "background",
    "bounds",
    "center",
    "columns",
    "concat",
    "config",
    "encoding",
    "facet",
    "hconcat",
    "height",
    "layer",
    "mark",
    "name",
    "padding",
    "params",
    "projection",
    "resolve",
    "spacing",
    "spec",
    "vconcat",
    "view",
    "width",
)
_DATA = "a chart draws protected cells only; name their table in data.table"
_CODE = "a chart holds no code; choose and prepare the categories in the table"
_ADDRESS = "a page fetches and opens nothing by itself; write the link in the text"
_SUMS = "a chart adds nothing up: a sum over cells would go around the hidden ones; publish a margin"
_REFUSED: dict[str, str] = {
    "url": _ADDRESS,
    "href": _ADDRESS,
    "src": _ADDRESS,
    "data": _DATA,
    "datasets": _DATA,
    "sequence": _DATA,
    "graticule": _DATA,
    "sphere": _DATA,
    "lookup": _DATA,
    "from": _DATA,
    "expr": _CODE,
    "signal": _CODE,
    "signals": _CODE,
    "calculate": _CODE,
    "update": _CODE,
    "events": _CODE,
    "on": _CODE,
    "bind": "choices on a page are made with a controls block",
    "usermeta": "it is not drawn, and would be published unseen",
    "transform": _SUMS,
    "aggregate": _SUMS,
    "bin": _SUMS,
    "impute": "it would draw numbers that are in no table",
    "repeat": "write the charts one by one, each with its own id",
}
_GUIDES = ("axis", "legend", "header")
"""Parts whose `values` are positions of ticks, not data."""
_COMPOSITE = ("boxplot", "errorbar", "errorband")
_TEXTS_OF_CODE = ("test", "filter")


def faults(spec: dict[str, Any]) -> list[Fault]:
    """What a chart's spec says that it may not, with the reason."""
    found: list[Fault] = [
        ((key,), f"a chart has no key {key!r}", nearest(key, _TOP))
        for key in spec
        if key not in _TOP and key not in _REFUSED and key not in ("values", "image")
    ]
    if not any(key in spec for key in ("mark", "layer", "concat", "hconcat", "vconcat", "spec")):
        found.append(((), "the chart has no mark", "add mark: bar"))
    found += _faults(spec, ())
    return found


def fields(spec: dict[str, Any]) -> list[tuple[Key, str]]:
    """Every field that a spec draws, in the order written, with where it stands."""
    return list(_fields(spec, ()))


def _faults(said: object, key: Key) -> Iterator[Fault]:
    if isinstance(said, dict):
        for name, value in said.items():
            way = (*key, str(name))
            fault = _fault(str(name), value, key)
            if fault:
                yield (way, fault[0], fault[1])
            else:
                yield from _faults(value, way)
    elif isinstance(said, list):
        for place, value in enumerate(said):
            yield from _faults(value, (*key, place))
    elif isinstance(said, str) and ("javascript:" in said.lower() or said.lower().startswith("data:")):
        yield (key, "a text that a browser could run", _CODE)


def _fault(name: str, value: object, key: Key) -> tuple[str, str] | None:
    if name in _REFUSED and not (name in ("aggregate", "bin") and value in (None, False)):
        return f"{name!r} is not allowed in a chart", _REFUSED[name]
    if name.endswith("Expr") or (name in _TEXTS_OF_CODE and isinstance(value, str)):
        return f"{name!r} holds code, which is not allowed in a chart", _CODE
    if name == "values" and not (key[-1:] and key[-1] in _GUIDES and _plain(value)):
        return "'values' is not allowed in a chart", _DATA
    if (name == "mark" and value == "image") or (name == "type" and value == "image"):
        return "a chart has no image marks", _ADDRESS
    if name == "image":
        return "a chart has no image marks", _ADDRESS
    if name in ("mark", "type") and value in _COMPOSITE:
        return f"a {value} is worked out from several cells", _SUMS
    if key[-1:] == ("encoding",) and not isinstance(value, (dict, list, type(None))):
        return f"the channel {name!r} holds keys", f"write {name}: {{field: …, type: …}}"
    if name == "stack" and value == "normalize":
        return (
            "shares of a stack are not drawn",
            "a share of the shown cells is not a share of all; publish counts",
        )
    if name == "formatType" or (name == "op" and value not in ("min", "max")):
        return f"{name!r} is not allowed in a chart", _CODE if name == "formatType" else _SUMS
    return None


def _plain(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, (str, int, float)) for one in value)


def _fields(said: object, key: Key) -> Iterator[tuple[Key, str]]:
    if isinstance(said, dict):
        for name, value in said.items():
            way = (*key, str(name))
            if name == "field":
                yield way, value if isinstance(value, str) else ""
            elif name in ("fields", "groupby") and isinstance(value, list):
                for place, one in enumerate(value):
                    yield (*way, place), one if isinstance(one, str) else ""
            else:
                yield from _fields(value, way)
    elif isinstance(said, list):
        for place, value in enumerate(said):
            yield from _fields(value, (*key, place))
