"""What a chart shows at a reader's choice: which protected cells, in which order."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from clerestory.errors import InputError
from clerestory.project.project import Chart
from clerestory.site.cells import NodeMap
from clerestory.site.shapes import shape_ids
from clerestory.tables import TOTAL, Cell, Dimension, PublicTable, Published, said

CHANNELS = (
    "x",
    "y",
    "row",
    "column",
    "facet",
    "color",
    "fill",
    "stroke",
    "xOffset",
    "yOffset",
    "shape",
    "detail",
)
"""Encoding channels in the order in which their dimensions head the data table."""


@dataclass(frozen=True)
class Point:
    """One cell of a chart: the node position in each drawn dimension, and the cell."""

    nodes: tuple[int, ...]
    cell: Cell


@dataclass(frozen=True, eq=False)
class Figure:
    """A chart with the cells it shows.

    dimensions: what it is drawn by; nodes: for each of them the positions shown, in order; drawn: how many of
    the first one's are in the picture; held: the other dimensions that are not at their total.
    at_total: controls that this chart cannot follow, because its table is not published by them.
    marked: positions of the first dimension that the reader's choice means.
    """

    chart: Chart
    table: PublicTable
    dimensions: tuple[Dimension, ...]
    nodes: tuple[tuple[int, ...], ...]
    drawn: int
    held: NodeMap
    at_total: tuple[str, ...]
    marked: frozenset[int]

    def cell(self, nodes: tuple[int, ...]) -> Cell | None:
        """The cell at these positions of the drawn dimensions; None where nobody can be."""
        return self.table.cell(self.at(nodes))

    def at(self, nodes: tuple[int, ...]) -> dict[str, int]:
        """Where these positions of the drawn dimensions are in the table."""
        return {**self.held, **{d.name: node for d, node in zip(self.dimensions, nodes, strict=True)}}

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The cells in the picture."""
        first, *others = self.nodes
        return tuple(
            Point(nodes, cell)
            for nodes in itertools.product(first[: self.drawn], *others)
            if (cell := self.cell(nodes)) is not None
        )

    def where(self, language: str) -> str:
        """What the chart is held at, in words: "Alameda, Issued"; the population's total where at nothing."""
        held = [
            said(self.table.dimension(name).nodes[node].label, language)
            for name, node in self.held.items()
            if node
        ]
        return ", ".join(held)


def fields_of(spec: Any) -> Iterator[tuple[str, str]]:
    """(channel, field) of every encoding in a Vega-Lite specification, layers and facets included."""
    if isinstance(spec, list):
        for item in spec:
            yield from fields_of(item)
    elif isinstance(spec, dict):
        for key in ("encoding", "facet"):
            inner = spec.get(key)
            if isinstance(inner, dict) and "field" in inner:
                yield key, str(inner["field"])
            elif isinstance(inner, dict):
                for channel, definition in inner.items():
                    if isinstance(definition, dict) and "field" in definition:
                        yield channel, str(definition["field"])
        for key in ("layer", "spec", "hconcat", "vconcat", "concat"):
            yield from fields_of(spec.get(key))


def drawn_dimensions(chart: Chart, table: PublicTable) -> tuple[Dimension, ...]:
    """The dimensions that a chart draws, in the order of CHANNELS. Raises InputError if there is none."""
    names = {dimension.name for dimension in table.dimensions}
    order = {channel: place for place, channel in enumerate(CHANNELS)}
    found = sorted(
        ((channel, field) for channel, field in fields_of(chart.said.spec) if field in names),
        key=lambda pair: order.get(pair[0], len(order)),
    )
    drawn = list(dict.fromkeys(field for _, field in found))
    if not drawn and chart.said.data.map:
        drawn = [d.name for d in table.dimensions if shape_ids(chart.said.data.map, d)][:1]
    if not drawn:
        raise InputError(
            f"the chart draws no dimension of table {table.name!r}",
            where=f"line {chart.line}, chart {chart.said.id!r}",
            fix=f"name one of its dimensions as a field: {', '.join(sorted(names))}",
        )
    return tuple(table.dimension(name) for name in drawn)


def _shown_nodes(dimension: Dimension, level: str | None) -> tuple[int, ...]:
    wanted = level or (dimension.levels[-1] if dimension.levels else "")
    return dimension.at(wanted) or dimension.leaves()


def _marked(dimension: Dimension, shown: tuple[int, ...], code: str | None) -> frozenset[int]:
    """Which shown nodes a chosen code means: itself, what is inside it, or what it is inside."""
    if code is None or code == TOTAL:
        return frozenset()
    marked = set()
    for node in shown:
        above = node
        while above > 0:
            if dimension.nodes[above].code == code:
                marked.add(node)
            above = dimension.nodes[above].parent
    return frozenset(marked)


def resolve(chart: Chart, table: PublicTable, controls: tuple[str, ...], codes: Mapping[str, str]) -> Figure:
    """The figure of a chart at a reader's choice. codes: control -> code, for those not at their total.

    A control by which the cells are not published is left at its total, and said to be.
    Raises InputError if the cells are not published at all.
    """
    data = chart.said.data
    dimensions = drawn_dimensions(chart, table)
    drawn = [dimension.name for dimension in dimensions]
    held: dict[str, int] = {}
    followed: list[str] = []
    at_total: list[str] = []
    for dimension in table.dimensions:
        name = dimension.name
        if name in drawn:
            continue
        if name in data.at:
            held[name] = dimension.index(data.at[name])
        elif name in codes:
            try:
                held[name] = dimension.index(codes[name])
                followed.append(name)
            except KeyError:
                at_total.append(name)
    fixed = {*drawn, *(name for name, node in held.items() if name not in followed and node)}
    if not any(fixed <= set(margin) for margin in table.margins):
        raise InputError(
            f"table {table.name!r} is not published by {', '.join(sorted(fixed))} together",
            where=f"line {chart.line}, chart {chart.said.id!r}",
            fix="add the margin to the table's publish.margins, or draw fewer dimensions",
        )
    for name in followed:
        if any({*fixed, name} <= set(margin) for margin in table.margins):
            fixed.add(name)
        else:
            held.pop(name)
            at_total.append(name)
    at_total += [c for c in controls if c in codes and c not in held and c not in drawn and c not in at_total]
    nodes = [_shown_nodes(d, data.levels.get(d.name)) for d in dimensions]
    marked = _marked(dimensions[0], nodes[0], codes.get(drawn[0]))
    found = Figure(chart, table, dimensions, tuple(nodes), len(nodes[0]), held, tuple(at_total), marked)
    if data.order == "value":
        nodes[0] = _by_value(found)
    limit = min(data.limit or len(nodes[0]), len(nodes[0]))
    return Figure(chart, table, dimensions, tuple(nodes), limit, held, tuple(at_total), marked)


def _by_value(figure: Figure) -> tuple[int, ...]:
    """The first dimension's positions, largest shown number first; those without a number last, as they come.

    With more dimensions drawn, by the first one's own cell where it is published.
    """

    def rank(node: int) -> tuple[bool, int]:
        cell = figure.table.cell({**figure.held, figure.dimensions[0].name: node})
        return (False, -cell.value) if isinstance(cell, Published) else (True, 0)

    return tuple(sorted(figure.nodes[0], key=rank))


def label_of(dimension: Dimension, node: int, language: str) -> str:
    """What a reader sees for a node."""
    return said(dimension.nodes[node].label, language)
