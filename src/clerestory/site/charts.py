"""A chart as it stands in a page: heading, picture, key, table of its numbers, downloads."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from clerestory.project.project import Chart, Page
from clerestory.site.address import Choice, link
from clerestory.site.context import Site
from clerestory.site.datatables import data_table, key_of
from clerestory.site.draw import Draughtsman
from clerestory.site.figures import Figure, label_of, resolve
from clerestory.site.maps import county_map, shade_legend
from clerestory.site.shapes import shapes
from clerestory.site.strings import joined, word
from clerestory.site.svg import marked, named
from clerestory.site.vega import drawing
from clerestory.tables import Dimension, Published, Status, said


@dataclass(frozen=True)
class Spot:
    """Where a chart stands: site, page, language, the reader's choice, and the level of its heading."""

    site: Site
    page: Page
    language: str
    choice: Choice
    level: int

    @property
    def folder(self) -> str:
        """The page's folder from the site's root."""
        return self.site.folder(self.page.path, self.language, self.choice)


def figure_of(chart: Chart, spot: Spot) -> Figure:
    """The cells that a chart shows where it stands."""
    table = spot.site.table(chart.said.data.table, spot.page)
    return resolve(chart, table, spot.page.controls, spot.choice.codes)


def follows(figure: Figure, choice: Choice) -> bool:
    """Whether a chart says something of what was chosen: it is held there, or draws it among others."""
    drawn = _drawn(figure)
    own = figure.chart.said.data.at
    return any(name in drawn or (name in figure.held and name not in own) for name in choice.codes)


def chart_html(figure: Figure, spot: Spot, draughtsman: Draughtsman) -> str:
    """The whole <figure> of a chart at a reader's choice."""
    site, language = spot.site, spot.language
    chart, table = figure.chart, figure.table
    title = said(chart.said.title, language)
    where = figure.where(language) or _whole(figure, spot)
    name = f"chart-{chart.said.id}"
    legend = ""
    hints: list[str] = []
    if chart.said.data.map:
        drawn = shapes(chart.said.data.map)
        inside, view, kind = county_map(figure, language), f"0 0 {drawn.width} {drawn.height}", "map"
    else:
        made = drawing(figure, language)
        place = f"{spot.page.file.name}, chart {chart.said.id!r}"
        inside, view = draughtsman.draw(made.spec, made.cells, made.hidden, where=place)
        kind = "plot"
        legend = _legend(list(made.legend))
        if made.shaded:
            _, _, width, height = (float(side) for side in view.split())
            inside += shade_legend(figure, 70, height + 8)
            view = f"0 0 {width:g} {height + 50:g}"
        if made.stacked:
            hints.append(word("hidden_left_out", language))
    if figure.marked:
        chosen_labels = [label_of(figure.dimensions[0], node, language) for node in sorted(figure.marked)]
        inside = marked(inside, chosen_labels)
    svg = named(
        inside, view, name=name, title=title, text=alt_text(figure, title, where, language), kind=kind
    )
    if figure.at_total:
        whole = joined(
            [label_of(table.dimension(c), 0, language) for c in figure.at_total if c in _names(figure)],
            language,
        )
        if whole:
            hints.append(word("at_total", language, total=whole))
    if figure.drawn < len(figure.nodes[0]):
        hints.append(word("first_drawn" if chart.said.data.order == "value" else "first_in_order", language))
    caption = f"{title} · {where}" if where else title
    numbers, cells = data_table(figure, caption, language)
    key = key_of(
        cells,
        language,
        methodology=link(spot.folder, site.folder("methodology", language)),
        zeros_shown=table.zeros_shown,
    )
    chosen = any(name in figure.held for name in spot.choice.codes) or bool(figure.marked)
    place_said = where
    if figure.marked and spot.choice.codes:
        place_said = word("marked", language, whole=where, chosen=_chosen_label(figure.dimensions[0], spot))
    classes = f"chart {kind}-chart{' of-choice' if chosen else ''}"
    description = site.said(chart.said.description, language)
    return (
        f'<figure class="{classes}" data-table="{escape(table.name)}" id="{name}">'
        f"<figcaption><h{spot.level}>{escape(title)}</h{spot.level}>"
        + (f'<p class="where">{escape(place_said)}</p>' if place_said else "")
        + (f"<p>{escape(description)}</p>" if description else "")
        + f"{legend}</figcaption>{svg}"
        + "".join(f'<p class="hint">{escape(hint)}</p>' for hint in hints)
        + key
        + f'<details class="numbers-of" id="{name}-numbers"><summary>{word("table_of", language)}</summary>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">{numbers}</div>'
        f"{downloads(table.name, spot.folder, site, language)}</details></figure>"
    )


def _drawn(figure: Figure) -> set[str]:
    return {dimension.name for dimension in figure.dimensions}


def _names(figure: Figure) -> set[str]:
    return {dimension.name for dimension in figure.table.dimensions}


def _chosen_label(dimension: Dimension, spot: Spot) -> str:
    return label_of(dimension, dimension.index(spot.choice.codes[dimension.name]), spot.language)


def _whole(figure: Figure, spot: Spot) -> str:
    """What the totals of the page's controls are called, for a chart that is held at nothing: California."""
    names = [
        label_of(dimension, 0, spot.language)
        for dimension in figure.table.dimensions
        if dimension.name in spot.page.controls and len(dimension.levels) > 1
    ]
    return joined(names, spot.language)


def downloads(table: str, folder: str, site: Site, language: str) -> str:
    """Links to a whole table's files and to what they mean."""
    links = [
        f'<a href="{link(folder, f"data/{table}.{kind}")}" download>{kind.upper()}</a>'
        for kind in ("csv", "json")
    ]
    links.append(f'<a href="{link(folder, f"data/{table}.README.txt")}">README</a>')
    dictionary = link(folder, site.folder("data-dictionary", language))
    links.append(f'<a href="{dictionary}#table-{table}">{word("about_data", language)}</a>')
    return (
        f'<p class="downloads"><span>{word("download", language)}: {word("whole_table", language)}</span> '
        f"{' '.join(links)}</p>"
    )


def _legend(entries: list[tuple[str, str]]) -> str:
    items = "".join(
        f'<li><svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">'
        f'<rect x="0" y="0" width="12" height="12" fill="{escape(colour)}"/></svg>'
        f'<span class="label">{escape(label)}</span></li>'
        for label, colour in entries
    )
    return f'<ul class="legend">{items}</ul>' if items else ""


def alt_text(figure: Figure, title: str, where: str, language: str) -> str:
    """What the picture shows, in words, from shown cells alone; the numbers are in the table."""
    parts = [f"{title}. {where}." if where else f"{title}."]
    shown = [(p.cell.value, p.nodes) for p in figure.points if isinstance(p.cell, Published)]
    if shown and max(shown)[0] > 0:
        best = max(value for value, _ in shown)
        nodes = next(nodes for value, nodes in shown if value == best)
        label = ", ".join(label_of(d, n, language) for d, n in zip(figure.dimensions, nodes, strict=True))
        parts.append(word("alt_largest", language, label=label))
    if any(p.cell.status is Status.HIDDEN for p in figure.points):
        parts.append(word("alt_hidden" if shown else "alt_all_hidden", language))
    parts.append(word("alt_table", language))
    return " ".join(parts)
