"""A project's page at a reader's choice: prose, key figures, charts, lists, in the site's frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from posixpath import normpath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from clerestory.project.project import Chart, Page, Prose, Rows
from clerestory.site.address import Choice, Control, link
from clerestory.site.cells import cell_attributes, written
from clerestory.site.charts import Spot, chart_html, figure_of, follows
from clerestory.site.context import DERIVED, Site
from clerestory.site.draw import Draughtsman
from clerestory.site.figures import label_of
from clerestory.site.files import SiteFile
from clerestory.site.lists import list_html
from clerestory.site.prose import rendered
from clerestory.site.strings import word
from clerestory.tables import PublicTable, Published, said

MOST_TILES = 4


@lru_cache
def environment() -> Environment:
    """The templates, with escaping on."""
    made = Environment(
        loader=PackageLoader("clerestory.site", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["word"] = word
    return made


@dataclass(frozen=True)
class Option:
    """One value of a control: what it says, the address it leads to, and whether it is the chosen one."""

    label: str
    address: str
    chosen: bool


def frame(
    site: Site, language: str, path: str, choice: Choice | None, title: str, summary: str
) -> dict[str, Any]:
    """What the frame around every page needs: head, banner, menus, trail, language switch, footer."""
    here = site.folder(path, language, choice)
    said_site = site.project.said.site

    def to(there: str) -> str:
        return link(here, there)

    trail = []
    above = ""
    for part in path.split("/")[:-1] if path else []:
        above = f"{above}/{part}".strip("/")
        if site.page(above, language) is not None:
            trail.append((site.title(above, language), to(site.folder(above, language))))
    if choice is not None and choice.path:
        trail.append((site.title(path, language), to(site.folder(path, language))))
    top = path.split("/")[0]
    family = site.children(top, language) if top and site.page(top, language) else []
    address = said_site.address.rstrip("/")
    return {
        "language": language,
        "title": title,
        "summary": summary,
        "site_title": said(said_site.title, language),
        "banner": site.said(said_site.banner, language),
        "home": to(site.folder("", language)),
        "assets": to("assets/").rstrip("/"),
        "menu": [(item.title, to(item.folder), item.path == top) for item in site.menu(language)],
        "family": [(item.title, to(item.folder), item.path == path) for item in family],
        "family_title": site.title(top, language) if family else "",
        "family_home": (to(site.folder(top, language)), path == top) if family else ("", False),
        "trail": trail,
        "languages": [
            (code, word("language", code), to(site.folder(path, code, choice)), code == language)
            for code in site.languages
        ],
        "canonical": f"{address}/{here}" if address else "",
        "publisher": said(site.project.said.publisher.name, language),
        "publisher_url": site.project.said.publisher.url,
        "email": site.project.said.publisher.email,
        "date": site.date.isoformat(),
        "about": [
            (site.title(derived, language), to(site.folder(derived, language)))
            for derived in ("methodology", "data-dictionary", "data", "accessibility")
        ],
        "report": to(site.folder("report", language)),
        "chosen": "",
    }


def options(site: Site, page: Page, choice: Choice, control: Control, language: str) -> Mapping[str, Any]:
    """A control as the template draws it: the total, then the values of each level under its name."""
    here = site.folder(page.path, language, choice)
    choices = site.choices(page.path)
    base = site.folder(page.path, language)
    dimension = control.dimension
    chosen = choice.codes.get(control.name, dimension.nodes[0].code)

    def option(node: int) -> Option:
        path = choices.path_with(choice, control, node)
        there = f"{base}{path}/" if path else base
        said_node = dimension.nodes[node]
        return Option(said(said_node.label, language), link(here, there), said_node.code == chosen)

    levels = site.project.hierarchies
    titles = next((h.titles for h in levels.values() if set(dimension.levels) <= set(h.levels)), {})
    groups = [
        (said(titles[level], language) if level in titles else level.capitalize(), [option(n) for n in nodes])
        for level, nodes in control.groups()
    ]
    title = said(dimension.title, language)
    return {
        "name": control.name,
        "title": title,
        "whole": option(0),
        "groups": groups,
        "several": len(groups) > 1,
        "all": word("all_values", language, dimension=title.lower()),
    }


def tiles(site: Site, page: Page, choice: Choice, language: str) -> list[Mapping[str, Any]]:
    """Key figures of the page's tables that follow the reader's choice: the whole, and the latest period."""
    found: list[Mapping[str, Any]] = []
    for table in site.figures_of(page)[:MOST_TILES]:
        nodes: dict[str, int] = {}
        for dimension in table.dimensions:
            code = choice.codes.get(dimension.name)
            if code is not None and any(node.code == code for node in dimension.nodes):
                nodes[dimension.name] = dimension.index(code)
        if len(nodes) < len(choice.codes):
            continue  # a figure for the whole state on a county's page would be read as the county's
        whole = _number(table, nodes, language)
        if whole is None:
            continue
        where = ", ".join(label_of(table.dimension(n), at, language) for n, at in nodes.items())
        years = next((d for d in table.dimensions if _by_year(d.name, d.nodes[-1].code)), None)
        period, latest, latest_label = "", None, ""
        if years is not None and len(years.nodes) > 2 and years.name not in nodes:
            period = f"{label_of(years, 1, language)}–{label_of(years, len(years.nodes) - 1, language)}"
            latest = _number(table, {**nodes, years.name: len(years.nodes) - 1}, language)
            latest_label = label_of(years, len(years.nodes) - 1, language)
        found.append(
            {
                "title": said(table.title, language),
                "where": where,
                "period": period,
                "whole": whole,
                "latest": latest,
                "latest_label": latest_label,
            }
        )
    return found


def _by_year(name: str, last: str) -> bool:
    return last.isdigit() and len(last) == 4 and "year" in name


def _number(table: PublicTable, nodes: Mapping[str, int], language: str) -> Markup | None:
    cell = table.cell(nodes)
    if cell is None:
        return None
    attributes = cell_attributes(table, nodes, cell)
    if isinstance(cell, Published):
        return Markup(f'<data value="{cell.value}" {attributes}>{written(cell)}</data>')  # noqa: S704
    name = word(cell.status.value, language)
    return Markup(f'<data value="" {attributes}><abbr title="{name}">{escape(written(cell))}</abbr></data>')  # noqa: S704


def _linker(site: Site, page: Page, choice: Choice, language: str) -> Any:
    """Makes the analyst's links work where the page stands: pages by path or .md file, in the language."""
    here = site.folder(page.path, language, choice)
    known = {*site.paths, *DERIVED}

    def working(address: str) -> str:
        path, hash_, fragment = address.partition("#")
        if not path or "://" in path or path.startswith("mailto:"):
            return address
        clean = path.removesuffix(".md")
        if path.endswith(".md"):
            clean = (
                normpath(f"/{page.path.rpartition('/')[0]}/{clean}") if not path.startswith("/") else clean
            )
            clean = clean.removesuffix("/index")
        elif not path.startswith("/"):
            clean = normpath(f"/{page.path}/{clean}")
        clean = clean.strip("/")
        if clean in ("index", "."):
            clean = ""
        there = site.folder(clean, language) if clean in known else clean
        return f"{link(here, there)}{hash_}{fragment}"

    return working


def page_file(site: Site, path: str, language: str, choice: Choice, draughtsman: Draughtsman) -> SiteFile:
    """One page in one language at one choice."""
    page = site.page(path, language)
    if page is None:
        raise KeyError(path)
    choices = site.choices(path)
    here = site.folder(path, language, choice)
    working = _linker(site, page, choice, language)
    blocks: list[tuple[str, list[Markup]]] = []
    level = 2
    for part in page.parts:
        if isinstance(part, Prose):
            html = rendered(part.markdown, site.tables, choice.codes, working)
            if html:
                kind, made = "prose", html
                level = 3 if "<h2" in html else level
            else:
                continue
        elif isinstance(part, Chart):
            spot = Spot(site, page, language, choice, level)
            figure = figure_of(part, spot)
            if choice.codes and not follows(figure, choice):
                title = said(part.said.title, language)
                whole = link(here, site.folder(path, language))
                kind, made = "elsewhere", f'<a href="{whole}#chart-{part.said.id}">{escape(title)}</a>'
            else:
                kind, made = "charts", chart_html(figure, spot, draughtsman)
        elif isinstance(part, Rows):
            kind, made = "list", list_html(part, site, here, language, level)
        if blocks and blocks[-1][0] == kind and kind in ("charts", "elsewhere"):
            blocks[-1][1].append(Markup(made))  # noqa: S704
        else:
            blocks.append((kind, [Markup(made)]))  # noqa: S704
    chosen = ", ".join(
        label_of(control.dimension, control.dimension.index(choice.codes[control.name]), language)
        for control in choices.controls
        if control.name in choice.codes
    )
    title = f"{page.title}: {chosen}" if chosen else page.title
    values = frame(site, language, path, choice, title, page.summary)
    sources = site.sources_of(page)
    values.update(
        heading=page.title,
        said_in=Markup(f' lang="{page.written_in}"') if page.written_in != language else "",  # noqa: S704
        chosen=chosen,
        whole=", ".join(label_of(c.dimension, 0, language) for c in choices.controls),
        controls=[options(site, page, choice, control, language) for control in choices.controls],
        showing=word("showing", language, choice=chosen) if chosen else "",
        tiles=[] if site.children(path, language) else tiles(site, page, choice, language),
        blocks=blocks,
        notices=list(dict.fromkeys(t for s in sources if (t := site.said(s.said.notice, language)))),
        sources=[
            {
                "title": said(s.said.title, language),
                "attribution": site.said(s.said.attribution, language),
                "promise": site.promise(s.name, language),
                "updated": s.said.updated.isoformat() if s.said.updated else "",
            }
            for s in sources
        ],
        cards=[] if choice.codes else cards(site, path, language, here),
    )
    text = environment().get_template("page.html").render(values)
    return SiteFile(f"site/{here}index.html", text.encode(), "page")


def cards(site: Site, path: str, language: str, here: str) -> list[Mapping[str, Any]]:
    """The pages right below this one, each with its summary and the first key figure."""
    found: list[Mapping[str, Any]] = []
    for item in site.children(path, language):
        page = site.page(item.path, language)
        if page is None:
            continue
        below = [(child.title, link(here, child.folder)) for child in site.children(item.path, language)]
        first = tiles(site, page, Choice({}, ""), language)[:1]
        found.append(
            {
                "title": item.title,
                "address": link(here, item.folder),
                "summary": page.summary,
                "below": below,
                "tile": first[0] if first else None,
            }
        )
    return found
