"""Prose: Markdown without HTML, with protected cells and links in place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from clerestory.errors import InputError
from clerestory.site.cells import cell_attributes, written
from clerestory.tables import PublicTable, Published

_VALUE = re.compile(r"\{\{\s*value\(\s*(.*?)\s*\)\s*\}\}", re.DOTALL)
_ARGUMENT = re.compile(r"""\s*(?:([a-z][a-z0-9_]*)\s*=\s*)?(?:"([^"]*)"|'([^']*)')\s*(?:,|$)""")
_PLACE = "\ue000{}\ue001"
_PLACED = re.compile("\ue000(\\d+)\ue001")
CHOSEN = "*"
"""As a code: what the reader chose; the total if nothing."""

Link = Callable[[str], str]
"""From an address as the analyst wrote it to one that works on the page at hand."""


def value_calls(markdown: str) -> list[tuple[str, dict[str, str]]]:
    """The table and codes of every {{ value(...) }}. Raises InputError if one cannot be read."""
    return [_arguments(match) for match in _VALUE.finditer(markdown)]


def _arguments(match: re.Match[str]) -> tuple[str, dict[str, str]]:
    table, codes, position, inside = "", {}, 0, match[1]
    while position < len(inside):
        argument = _ARGUMENT.match(inside, position)
        if argument is None or (not argument[1] and table):
            break
        text = argument[2] if argument[2] is not None else argument[3]
        if argument[1]:
            codes[argument[1]] = text
        else:
            table = text
        position = argument.end()
    if not table or position < len(inside):
        raise InputError(
            f"cannot read {match[0]}",
            where="prose",
            fix='write it as {{ value("table", dimension="code") }}',
        )
    return table, codes


def value_html(
    table_name: str,
    codes: Mapping[str, str],
    tables: Mapping[str, PublicTable],
    chosen: Mapping[str, str],
) -> str:
    """The element of one protected cell. Dimensions not named are at their total; "*" is what was chosen."""
    try:
        table = tables[table_name]
        nodes = {
            name: table.dimension(name).index(chosen.get(name, "all") if code == CHOSEN else code)
            for name, code in codes.items()
        }
    except KeyError:
        raise InputError(
            f"value({table_name!r}) names a table, dimension or category that does not exist", where="prose"
        ) from None
    cell = table.cell(nodes)
    if cell is None:
        raise InputError(
            f"value({table_name!r}) names a cell that is not published",
            where="prose",
            fix="add its dimensions to a margin of the table",
        )
    attributes = cell_attributes(table, nodes, cell)
    value = f' value="{cell.value}"' if isinstance(cell, Published) else ' value=""'
    return f"<data{value} {attributes}>{escape(written(cell))}</data>"


def rendered(
    markdown: str,
    tables: Mapping[str, PublicTable],
    chosen: Mapping[str, str],
    link: Link,
) -> str:
    """The HTML of a stretch of prose. Raises InputError for a value that is not there."""
    values: list[str] = []

    def keep(match: re.Match[str]) -> str:
        values.append(value_html(*_arguments(match), tables, chosen))
        return _PLACE.format(len(values) - 1)

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_VALUE.sub(keep, markdown))
    for token in _every(tokens):
        if token.tag == "h1":
            token.tag = "h2"
        if token.type == "link_open":
            token.attrSet("href", link(str(token.attrGet("href") or "")))
        elif token.type in ("th_open", "td_open"):
            token.attrs.pop("style", None)
            if token.type == "th_open":
                token.attrSet("scope", "col")
    html = parser.renderer.render(tokens, parser.options, {})
    html = re.sub(r" />", ">", html)
    return _PLACED.sub(lambda match: values[int(match[1])], html).strip()


def _every(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *_every(token.children or []))]
