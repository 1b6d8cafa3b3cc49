"""A public list as a table in a page: rows that are public as such."""

from __future__ import annotations

from html import escape

from clerestory.project.project import Rows
from clerestory.site.address import link
from clerestory.site.context import Site
from clerestory.site.downloads import list_path
from clerestory.site.strings import word
from clerestory.tables import PublicList, said


def list_html(part: Rows, site: Site, folder: str, language: str, level: int) -> str:
    """The section of a list block: heading, table of the fields it names, download of all."""
    rows = next(rows for rows in site.lists.values() if rows.source == part.said.source)
    title = said(part.said.title, language)
    head = "".join(
        f'<th scope="col">{escape(_title(rows, i, language))}</th>' for i in range(len(rows.columns))
    )
    body = "".join("<tr>" + "".join(f"<td>{escape(v)}</td>" for v in row) + "</tr>" for row in rows.rows)
    return (
        f'<section class="list" id="list-{part.said.id}"><h{level}>{escape(title)}</h{level}>'
        f'<p class="hint">{word("public_rows", language)}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">'
        f'<table data-list="{escape(rows.name)}"><caption>{escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="downloads"><span>{word("download", language)}</span> '
        f'<a href="{link(folder, list_path(rows))}" download>CSV</a></p></section>'
    )


def _title(rows: PublicList, column: int, language: str) -> str:
    words = rows.titles.get(rows.columns[column])
    return said(words, language) if words else rows.columns[column]
