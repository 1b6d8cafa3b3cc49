"""Pages that follow from the project itself: methodology, dictionary, open data, accessibility, not found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clerestory import __version__
from clerestory.project.models import TableFile
from clerestory.site.address import link
from clerestory.site.cells import SYMBOLS
from clerestory.site.context import DERIVED, Site
from clerestory.site.downloads import list_path
from clerestory.site.files import SiteFile
from clerestory.site.pages import cards, environment, frame
from clerestory.site.strings import joined, word
from clerestory.tables import Dimension, PublicTable, Status, said


def derived_files(site: Site) -> Iterator[SiteFile]:
    """The derived pages in every language, the page for unknown addresses, the sitemap and robots.txt."""
    known = set(site.paths)
    for language in site.languages:
        if "" not in known:
            yield _home(site, language)
        for path in DERIVED:
            if path not in known:
                yield _page(site, path, language)
    yield _not_found(site)
    yield SiteFile("site/robots.txt", _robots(site).encode(), "index")
    yield SiteFile("site/sitemap.xml", _sitemap(site).encode(), "index")


def _page(site: Site, path: str, language: str) -> SiteFile:
    values = frame(site, language, path, None, word(path, language), word(f"{path}_summary", language))
    here = site.folder(path, language)
    values.update(
        policy=site.project.policy,
        symbol=SYMBOLS[Status.HIDDEN],
        tables=[
            _table(site, table, language, here)
            for table in sorted(site.tables.values(), key=lambda t: t.name)
        ],
        sources=[_source(site, name, language) for name in sorted(site.project.sources)],
        lists=[
            {
                "title": said(rows.title, language),
                "csv": link(here, list_path(rows)),
            }
            for rows in sorted(site.lists.values(), key=lambda rows: rows.name)
        ],
        statuses=[
            (status.value, SYMBOLS.get(status, "*"), word(f"key_{status.value}", language))
            for status in Status
            if status is not Status.SHOWN
        ],
        version=__version__,
        send_to="../" * here.count("/") + "report",  # at the root, whatever the page's language
    )
    text = (
        environment()
        .get_template(f"{path}.{language}.html" if path in _WRITTEN else f"{path}.html")
        .render(values)
    )
    return SiteFile(f"site/{here}index.html", text.encode(), "page")


_WRITTEN = ("methodology", "accessibility", "report")
"""Pages that are mostly text, with a template a language."""


def _home(site: Site, language: str) -> SiteFile:
    title = said(site.project.said.site.title, language)
    summary = said(site.project.said.site.description, language)
    values = frame(site, language, "", None, title, summary)
    here = site.folder("", language)
    values.update(
        heading=title,
        said_in="",
        chosen="",
        whole="",
        controls=[],
        showing="",
        tiles=[],
        blocks=[],
        notices=[],
        sources=[],
        cards=cards(site, "", language, here),
    )
    return SiteFile(
        f"site/{here}index.html", environment().get_template("page.html").render(values).encode(), "page"
    )


def _not_found(site: Site) -> SiteFile:
    """One page for every language; its addresses begin at the root, since it stands at any address."""
    language = site.languages[0]
    values = frame(site, language, "", None, word("not_found", language), word("not_found_text", language))
    values["canonical"] = ""
    values["others"] = [
        (
            code,
            word("not_found", code),
            word("not_found_text", code),
            word("to_home", code),
            f"/{site.folder('', code)}",
        )
        for code in site.languages
    ]

    def absolute(address: str) -> str:
        return "/" + address.removeprefix("./")

    for name in ("home", "assets", "report"):
        values[name] = absolute(values[name])
    for name in ("menu", "about"):
        values[name] = [(title, absolute(address), *rest) for title, address, *rest in values[name]]
    values["languages"] = [(code, name, absolute(to), on) for code, name, to, on in values["languages"]]
    return SiteFile(
        "site/404.html", environment().get_template("not_found.html").render(values).encode(), "page"
    )


def _unit(site: Site, table: PublicTable, language: str) -> str:
    source = site.project.sources.get(table.source)
    if table.unit.kind == "persons":
        return word("persons", language)
    if table.unit.kind == "sum":
        field = source.said.fields.get(table.unit.measure) if source else None
        named = said(field.title, language) if field and field.title else table.unit.measure
        return word("sum", language, measure=named)
    return word(
        "each", language, unit=said(source.said.unit, language) if source else word("records", language)
    )


def _dimension(
    site: Site, table: PublicTable, own: TableFile | None, d: Dimension, language: str
) -> dict[str, Any]:
    source = site.project.sources.get(table.source)
    asked = own.dimensions.get(d.name) if own else None
    field_name = (asked.from_ if asked else None) or d.name
    field = source.said.fields.get(field_name) if source else None
    return {
        "name": d.name,
        "title": said(d.title, language),
        "field": field_name,
        "role": field.role.value if field else "",
        "description": said(field.description, language) if field and field.description else "",
        "several": len(d.levels) > 1,
        "categories": [
            (n.code, said(n.label, language), n.level, d.nodes[n.parent].code if n.parent > 0 else "")
            for n in d.nodes
        ],
    }


def _table(site: Site, table: PublicTable, language: str, here: str) -> dict[str, Any]:
    found = site.project.tables.get(table.name)
    own = found.said if found else None
    titles = {d.name: said(d.title, language) for d in table.dimensions}
    return {
        "name": table.name,
        "title": said(table.title, language),
        "description": said(own.description, language) if own and own.description else "",
        "unit": _unit(site, table, language),
        "where": own.where if own else "",
        "source": table.source,
        "zeros_shown": table.zeros_shown,
        "promise": site.promise(table.source, language),
        "dimensions": [_dimension(site, table, own, d, language) for d in table.dimensions],
        "margins": [joined([titles[name] for name in margin], language) for margin in table.margins],
        "marks": [(m.status.value, said(m.note, language)) for m in own.marks] if own else [],
        "csv": link(here, f"data/{table.name}.csv"),
        "json": link(here, f"data/{table.name}.json"),
        "readme": link(here, f"data/{table.name}.README.txt"),
        "entry": f"{link(here, site.folder('data-dictionary', language))}#table-{table.name}",
    }


def _source(site: Site, name: str, language: str) -> dict[str, Any]:
    source = site.project.sources[name].said
    return {
        "name": name,
        "title": said(source.title, language),
        "unit": said(source.unit, language),
        "description": site.said(source.description, language),
        "notice": site.said(source.notice, language),
        "attribution": site.said(source.attribution, language),
        "updated": source.updated.isoformat() if source.updated else "",
    }


def _robots(site: Site) -> str:
    address = site.project.said.site.address.rstrip("/")
    where = f"Sitemap: {address}/sitemap.xml\n" if address else ""
    return f"User-agent: *\nAllow: /\n{where}"


def _sitemap(site: Site) -> str:
    address = site.project.said.site.address.rstrip("/")
    paths = list(dict.fromkeys([*site.paths, "", *DERIVED]))
    lines = []
    for path in sorted(paths):
        for choice in site.choices(path).all:
            for language in site.languages:
                here = f"{address}/{site.folder(path, language, choice)}"
                lines.append(f"<url><loc>{here}</loc><lastmod>{site.date.isoformat()}</lastmod></url>")
    body = "\n".join(lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{body}\n</urlset>\n"
    )
