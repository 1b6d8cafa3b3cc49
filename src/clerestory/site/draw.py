"""Draws charts with vl-convert: each specification compiled once, each picture drawn once."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any

import vl_convert

from clerestory.errors import InputError
from clerestory.site.svg import cleaned

_MOST_KEPT = 400


class Draughtsman:
    """Draws, and remembers what it drew: charts that do not follow a control are alike on many pages."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._drawn: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self.drawings = 0

    def draw(
        self, spec: dict[str, Any], cells: list[dict[str, Any]], hidden: list[dict[str, Any]], *, where: str
    ) -> tuple[str, str]:
        """The inside of the SVG and its view box. Raises InputError if it is no valid Vega-Lite."""
        key = json.dumps(spec, sort_keys=True, ensure_ascii=False)
        whole = key + json.dumps([cells, hidden], sort_keys=True, ensure_ascii=False)
        if whole in self._drawn:
            self._drawn.move_to_end(whole)
            return self._drawn[whole]
        try:
            vega = self._compile(spec, key)
            for data in vega["data"]:
                if data["name"] in ("cells", "hidden"):
                    data["values"] = cells if data["name"] == "cells" else hidden
            picture = cleaned(vl_convert.vega_to_svg(vega))
        except ValueError as problem:
            lines = [line for line in str(problem).splitlines() if line.strip()]
            raise InputError(
                f"the chart cannot be drawn: {lines[0] if lines else 'no reason given'}",
                where=where,
                fix="compare it with the Vega-Lite documentation of its mark and encoding",
            ) from None
        self.drawings += 1
        self._drawn[whole] = picture
        if len(self._drawn) > _MOST_KEPT:
            self._drawn.popitem(last=False)
        return picture

    def _compile(self, spec: dict[str, Any], key: str) -> dict[str, Any]:
        if key not in self._compiled:
            compiled = vl_convert.vegalite_to_vega(spec)
            for axis in compiled.get("axes", []):
                axis["aria"] = False
            self._compiled[key] = compiled
            if len(self._compiled) > _MOST_KEPT:
                self._compiled.popitem(last=False)
        return self._compiled[key]
