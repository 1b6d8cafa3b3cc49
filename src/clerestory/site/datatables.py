"""The table of numbers under a chart, and the key to its symbols."""

from __future__ import annotations

import itertools
from html import escape

from clerestory.site.cells import SYMBOLS, cell_attributes, statuses_of, written
from clerestory.site.figures import Figure, label_of
from clerestory.site.strings import word
from clerestory.tables import Cell, Dimension, Published, Status, said

MOST_COLUMNS = 14
"""A second dimension with more categories than this is written down the side."""


def table_cell(figure: Figure, nodes: tuple[int, ...], language: str) -> tuple[str, Cell | None]:
    """The <td> of a cell; an empty one where nobody can be."""
    cell = figure.cell(nodes)
    if cell is None:
        return "<td></td>", None
    text = written(cell)
    if not isinstance(cell, Published):
        text = f'<abbr title="{word(cell.status.value, language)}">{text}</abbr>'
    return f"<td {cell_attributes(figure.table, figure.at(nodes), cell)}>{text}</td>", cell


def data_table(figure: Figure, caption: str, language: str) -> tuple[str, list[Cell]]:
    """The whole table of a figure, and its cells. Headings are in <th> with a scope."""
    dimensions, nodes = figure.dimensions, [list(n) for n in figure.nodes]
    if figure.chart.said.data.total:
        nodes = [[*shown, 0] for shown in nodes]
    across = len(dimensions) > 1 and len(nodes[-1]) <= MOST_COLUMNS
    down = dimensions[:-1] if across else dimensions
    cells: list[Cell] = []
    head = "".join(f'<th scope="col">{escape(said(d.title, language))}</th>' for d in down)
    if across:
        last = dimensions[-1]
        head += "".join(
            f'<th scope="col" class="n">{escape(_heading(last, n, language))}</th>' for n in nodes[-1]
        )
    else:
        head += f'<th scope="col" class="n">{word("count", language)}</th>'
    rows: list[str] = []
    for row in itertools.product(*nodes[: len(down)]):
        heads = "".join(
            f'<th scope="row">{escape(_heading(d, n, language))}</th>' for d, n in zip(down, row, strict=True)
        )
        columns = [(*row, n) for n in nodes[-1]] if across else [row]
        made = [table_cell(figure, at, language) for at in columns]
        cells += [cell for _, cell in made if cell is not None]
        if any(cell is not None for _, cell in made):
            marked = ' class="marked"' if row[0] in figure.marked else ""
            rows.append(f"<tr{marked}>{heads}{''.join(text for text, _ in made)}</tr>")
    return (
        f'<table class="numbers"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    ), cells


def _heading(dimension: Dimension, node: int, language: str) -> str:
    return word("total", language) if node == 0 else label_of(dimension, node, language)


def key_of(cells: list[Cell], language: str, *, methodology: str, zeros_shown: bool) -> str:
    """The key beside a table: what its symbols mean; zeros_shown: whether a hidden number is at least one."""
    entries: list[str] = []
    statuses = statuses_of(cells)
    for status in statuses:
        symbol = SYMBOLS.get(status, "*")
        why = ""
        if status is Status.HIDDEN:
            why = f' <a href="{methodology}">{word("why_hidden", language)}</a>'
        zero = status is Status.HIDDEN and not zeros_shown
        meaning = word("key_hidden_zero" if zero else f"key_{status.value}", language)
        entries.append(f'<li><span class="sign">{symbol}</span> {meaning}.{why}</li>')
    if not entries:
        return ""
    return f'<ul class="key" aria-label="{word("key", language)}">{"".join(entries)}</ul>'
