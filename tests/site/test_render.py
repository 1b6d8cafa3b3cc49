"""The whole site: same input, same bytes; every link leads somewhere; every number is a cell."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from posixpath import dirname, normpath
from urllib.parse import unquote

import pytest

from clerestory.project import Project
from clerestory.site import package_assets, render
from clerestory.tables import PublicTable, Published, Status
from tests.site.conftest import DAY
from tests.site.made_up import made_up_list
from tests.site.reading import Element, read

SYMBOL = "‡"


def pages_of(site: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in site.items() if path.endswith(".html")}


def some(pages: Mapping[str, bytes], every: int = 7) -> dict[str, bytes]:
    """All pages without a chosen value, and every so many of the others."""
    return {
        path: content
        for i, (path, content) in enumerate(pages.items())
        if path.count("/") <= 4 or i % every == 0
    }


def test_two_workers_give_the_same_bytes_in_the_same_order(
    project: Project, tables: Mapping[str, PublicTable], site: Mapping[str, bytes]
) -> None:
    said: list[tuple[int, int]] = []
    again = render(
        project,
        dict(reversed(list(tables.items()))),
        made_up_list(project),
        date=DAY,
        workers=2,
        progress=lambda done, whole: said.append((done, whole)),
    )
    assert [(f.path, f.content) for f in again] == list(site.items())
    assert said[-1][0] == said[-1][1] > 200
    assert said == sorted(said)


def test_equal_tables_give_equal_bytes_whatever_stood_behind_hidden_cells(
    project: Project, tables: Mapping[str, PublicTable], site: Mapping[str, bytes]
) -> None:
    copies = {
        name: replace(t, coords=t.coords.copy(), values=t.values.copy(), statuses=t.statuses.copy())
        for name, t in tables.items()
    }
    files = render(project, copies, made_up_list(project), date=DAY, workers=1)
    for file in files:
        assert site[file.path] == file.content, file.path
        if file.path.startswith("site/permits/county/"):
            break


def test_every_page_is_well_formed_and_carries_no_script_or_style(site: Mapping[str, bytes]) -> None:
    for path, content in pages_of(site).items():
        reader = read(content)
        identifiers = [e.attributes["id"] for e in reader.elements if "id" in e.attributes]
        assert len(identifiers) == len(set(identifiers)), path
        assert sum(e.name == "h1" for e in reader.elements) == 1, path
        for element in reader.elements:
            assert "style" not in element.attributes, (path, element.name)
            assert not any(name.startswith("on") for name in element.attributes), (path, element.name)
            assert element.name not in ("style", "iframe", "object", "base", "use", "image"), path
            for name in ("href", "src", "action"):
                assert "javascript:" not in element.attributes.get(name, ""), path
            if element.name == "script":
                assert element.attributes["src"].endswith("assets/site.js") and not element.text


def test_every_link_inside_the_site_leads_to_a_file_and_every_fragment_to_an_element(
    site: Mapping[str, bytes],
) -> None:
    pages = pages_of(site)
    identifiers = {path: set(re.findall(rb' id="([^"]+)"', content)) for path, content in pages.items()}
    for path, content in some(pages, 11).items():
        for element in read(content).elements:
            for name in ("href", "src"):
                address = element.attributes.get(name, "")
                if not address or address.startswith(("https:", "mailto:")):
                    continue
                where, _, fragment = address.partition("#")
                target = path
                if where:
                    whole = f"site{where}" if where.startswith("/") else f"{dirname(path)}/{where}"
                    target = normpath(whole)
                    if where.endswith("/"):
                        target += "/index.html"
                assert target in site, (path, address)
                if fragment:
                    assert fragment.encode() in identifiers[target], (path, address)


def nodes_of(table: PublicTable, where: str) -> dict[str, int]:
    pairs = [pair.partition("=") for pair in where.split(";") if pair]
    assert pairs == sorted(pairs)
    return {name: table.dimension(name).index(unquote(code)) for name, _, code in pairs}


def test_every_cell_on_a_page_is_the_tables_own(
    site: Mapping[str, bytes], tables: Mapping[str, PublicTable]
) -> None:
    met = hidden = 0
    for path, content in some(pages_of(site)).items():
        for element in read(content).elements:
            if "data-cell" not in element.attributes:
                continue
            table = tables[element.attributes["data-table"]]
            cell = table.cell(nodes_of(table, element.attributes["data-cell"]))
            assert cell is not None, path
            if isinstance(cell, Published):
                assert element.text == f"{cell.value:,}"
                assert "data-status" not in element.attributes
                if element.name == "data":
                    assert element.attributes["value"] == str(cell.value)
            else:
                hidden += 1
                assert element.text == SYMBOL
                assert element.attributes["data-status"] == "hidden"
            met += 1
    assert met > 5000 and hidden > 100


def figures(content: bytes) -> list[tuple[Element, list[Element]]]:
    """Each chart with all elements inside it."""
    found: list[tuple[Element, list[Element]]] = []
    for element in read(content).elements:
        if element.name == "figure":
            found.append((element, []))
        elif element.inside("figure"):
            found[-1][1].append(element)
    return found


def test_marks_say_the_numbers_of_the_data_table_and_nothing_else(site: Mapping[str, bytes]) -> None:
    checked = 0
    for path, content in some(pages_of(site)).items():
        for figure, inside in figures(content):
            cells = [e for e in inside if "data-cell" in e.attributes]
            assert {e.attributes["data-table"] for e in cells} == {figure.attributes["data-table"]}
            numbers = {e.text for e in cells} - {SYMBOL}
            labels = [
                e.attributes["aria-label"] for e in inside if e.inside("svg") and "aria-label" in e.attributes
            ]
            assert labels, path
            for label in labels:
                value = label.rpartition(": ")[2]
                assert value in numbers or value in ("hidden", "oculto"), (path, label)
                checked += 1
    assert checked > 2000


def test_a_hidden_cell_is_a_symbol_at_the_foot_of_its_place_and_a_zero_is_not(
    project: Project, tables: Mapping[str, PublicTable]
) -> None:
    table = tables["permits"]
    years = table.dimension("year")
    column = [d.name for d in table.dimensions].index("year")
    alone = (table.coords[:, column] > 0) & ((table.coords > 0).sum(axis=1) == 1)
    values, statuses = table.values.copy(), table.statuses.copy()
    first, second = alone.nonzero()[0][:2]
    values[[first, second]] = 0
    statuses[first], statuses[second] = list(Status).index(Status.HIDDEN), 0
    made = {**tables, "permits": replace(table, values=values, statuses=statuses)}
    few = replace(
        project, pages=tuple(p for p in project.pages if p.path == "permits" and p.language == "en")
    )
    page = next(
        f.content for f in render(few, made, {}, date=DAY, workers=1) if f.path == "site/permits/index.html"
    )
    inside = next(found for figure, found in figures(page) if figure.attributes["id"] == "chart-years")
    marks = {
        e.attributes["aria-label"]: e for e in inside if e.inside("svg") and "aria-label" in e.attributes
    }
    hidden, zero = marks[f"{years.nodes[1].label['en']}: hidden"], marks[f"{years.nodes[2].label['en']}: 0"]
    assert hidden.name == "text" and hidden.text == SYMBOL
    assert "260" not in zero.attributes["d"] or "v0h" in zero.attributes["d"]
    assert zero.name == "path"
    height = float(re.search(r",(-?[\d.]+)\)", hidden.attributes["transform"])[1])  # type: ignore[index]
    assert height == 256


def test_both_languages_have_the_same_pages_with_words_of_their_own(site: Mapping[str, bytes]) -> None:
    english = {
        p.removeprefix("site/") for p in pages_of(site) if not p.startswith("site/es/") and "404" not in p
    }
    spanish = {p.removeprefix("site/es/") for p in pages_of(site) if p.startswith("site/es/")}
    assert english == spanish
    page = site["site/es/permits/county/alameda/index.html"].decode()
    assert '<html lang="es">' in page and "Tabla de estas cifras" in page and "Año" in page
    assert 'href="../../../../permits/county/alameda/"' in page
    assert "Table of these numbers" not in page


def test_a_page_that_is_not_translated_says_which_language_its_words_are_in(
    site: Mapping[str, bytes],
) -> None:
    assert 'lang="en"' in site["site/es/roster/index.html"].decode().split("<main", 1)[1]


def test_a_chart_that_cannot_follow_a_choice_stands_on_the_page_of_the_whole(
    site: Mapping[str, bytes],
) -> None:
    page = site["site/permits/county/fresno/index.html"].decode()
    assert 'id="chart-months"' not in page
    assert 'href="../../#chart-months"' in page
    assert 'id="chart-years"' in page


def test_the_chosen_county_is_marked_where_all_are_drawn(site: Mapping[str, bytes]) -> None:
    page = site["site/permits/county/fresno/index.html"]
    inside = next(found for figure, found in figures(page) if figure.attributes["id"] == "chart-map")
    marked = [e for e in inside if e.attributes.get("class") == "marked"]
    assert {e.name for e in marked} == {"path", "tr"}
    assert next(e for e in marked if e.name == "path").attributes["aria-label"].startswith("Fresno: ")


def test_downloads_hold_every_cell_once(site: Mapping[str, bytes], tables: Mapping[str, PublicTable]) -> None:
    table = tables["permits"]
    text = site["site/data/permits.csv"].decode()
    assert "\r" not in text
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == [
        "county", "county_level", "year", "month", "age", "gender", "decision", "value", "status",
    ]  # fmt: skip
    assert len(rows) - 1 == len(table.coords) == len({tuple(row[:-2]) for row in rows[1:]})
    for row in rows[1:]:
        assert (row[-2] == "") == (row[-1] == "hidden")
    said = json.loads(site["site/data/permits.json"])
    assert list(said) == ["table", "title", "dimensions", "columns", "rows"]
    assert said["columns"] == rows[0]
    assert [["" if v is None else str(v) for v in row] for row in said["rows"]] == rows[1:]
    readme = site["site/data/permits.README.txt"].decode()
    for words in ("NOTICE: These records are synthetic", "county_level", "hidden:", "Cite as", "2026-11-23"):
        assert words in readme


def test_lists_are_tables_and_files(site: Mapping[str, bytes], project: Project) -> None:
    name = made_up_list(project)["models"].download
    assert site[f"site/data/{name}.csv"].startswith(b"maker,model\nmaker 0,model 0\n")
    assert b'<table data-list="models">' in site["site/roster/index.html"]


def test_notices_and_banner_stand_on_every_page_that_shows_the_source(site: Mapping[str, bytes]) -> None:
    for path, content in pages_of(site).items():
        assert b"banner" in content, path
        if b'class="chart ' in content:
            assert "synthetic: nobody" in content.decode() or "sintéticos: nadie" in content.decode(), path


def test_derived_pages_say_what_the_policy_is(site: Mapping[str, bytes], project: Project) -> None:
    page = site["site/methodology/index.html"].decode()
    assert f'<strong class="meta">{project.policy.minimum_count}</strong>' in page
    assert f'<strong class="meta">{project.policy.interval_width}</strong>' in page
    assert project.policy.profile in page
    words = site["site/data-dictionary/index.html"].decode()
    for name in ("state_id", "location", "records/permits.csv"):
        assert name not in words
    assert "https://records.example.org/permits/county/alameda/" in site["site/sitemap.xml"].decode()
    assert b"Sitemap: https://records.example.org/sitemap.xml" in site["site/robots.txt"]


def test_assets_are_the_packages_own(site: Mapping[str, bytes]) -> None:
    assets = package_assets()
    assert {"site/assets/site.css", "site/assets/site.js", "site/assets/icon.svg"} <= set(assets)
    for path, content in assets.items():
        assert site[path] == content


@pytest.mark.parametrize("path", ["site/permits/county/alpine/index.html", "site/permits/index.html"])
def test_pages_are_small(site: Mapping[str, bytes], path: str) -> None:
    assert len(site[path]) < 180_000
