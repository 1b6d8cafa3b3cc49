"""A small protected table, a list, and a site that shows them as the HTML contract says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from clerestory.release.accounting.numbers import cell_name
from clerestory.release.bundle import Staged, stage
from clerestory.release.manifest import TableFacts
from clerestory.tables import RECORDS, Dimension, Node, PublicTable, Status, text

DAY = date(2026, 11, 1)
FACTS = {"ccw": TableFacts("ccw", 12, 2, 2, 9, 11)}
CSS = b"body { color: #123456 }\n"
HIDDEN = "‡"


@dataclass(frozen=True)
class Roster:
    columns: tuple[str, ...] = ("make", "model", "barrel")
    rows: tuple[tuple[str, ...], ...] = (("Acme", "Model 19", "4.02"), ("Acme", "P-226 & Co", "3.5"))


def _dimension(name: str, levels: tuple[str, ...], nodes: list[tuple[str, str, int, str]]) -> Dimension:
    made = tuple(Node(code, text(label), level, parent) for code, label, parent, level in nodes)
    return Dimension(name, text(name.title()), name, levels, made, np.ones((len(made), 1), dtype=bool))


@pytest.fixture(scope="session")
def table() -> PublicTable:
    """county: all > north > (alpine, kern); year: all > 2012, 2013; alpine's years are hidden."""
    county = _dimension(
        "county",
        ("region", "county"),
        [
            ("all", "California", -1, "all"),
            ("north", "The North", 0, "region"),
            ("alpine", "Alpine", 1, "county"),
            ("kern", "Kern & Co", 1, "county"),
        ],
    )
    year = _dimension(
        "year",
        ("year",),
        [("all", "All years", -1, "all"), ("2012", "2012", 0, "year"), ("2013", "2013", 0, "year")],
    )
    grid = {
        0: (5_290, 2_641, 2_649),
        1: (5_290, 2_641, 2_649),
        2: (25, None, None),
        3: (5_265, None, None),
    }
    coords, values, statuses = [], [], []
    for c, numbers in grid.items():
        for y, value in enumerate(numbers):
            coords.append((c, y))
            values.append(value or 0)
            statuses.append(list(Status).index(Status.SHOWN if value is not None else Status.HIDDEN))
    return PublicTable(
        name="ccw",
        source="ccw",
        title=text("CCW applications"),
        unit=RECORDS,
        dimensions=(county, year),
        margins=(("county", "year"),),
        coords=np.array(coords, dtype=np.int32),
        values=np.array(values, dtype=np.int64),
        statuses=np.array(statuses, dtype=np.int8),
    )


def cell(table: PublicTable, tag: str = "td", **codes: str) -> str:
    """A cell as a page writes it."""
    nodes = {name: table.dimension(name).index(code) for name, code in codes.items()}
    found = table.cell(nodes)
    value = getattr(found, "value", None)
    status = "" if value is not None else ' data-status="hidden"'
    own = f' value="{value}"' if tag == "data" and value is not None else ""
    name = cell_name(codes.items())
    return (
        f'<{tag}{own} data-table="{table.name}" data-cell="{name}"{status}>'
        f"{HIDDEN if value is None else f'{value:,}'}</{tag}>"
    )


def page(table: PublicTable, *, county: str = "", extra: str = "", root: str = "./") -> str:
    held = {"county": county} if county else {}
    rows = "".join(
        f'<tr><th scope="row">{year}</th>{cell(table, **held, year=year)}</tr>' for year in ("2012", "2013")
    )
    marks = "".join(
        f'<path aria-label="{year}: {value:,}" role="graphics-symbol" d="M0,0h5v9z" fill="#4c78a8"/>'
        for year, node in (("2012", 1), ("2013", 2))
        if (
            value := getattr(
                table.cell({"year": node, "county": table.dimensions[0].index(county or "all")}),
                "value",
                None,
            )
        )
        is not None
    )
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>CCW applications</title><link rel="stylesheet" href="{root}assets/site.css"></head>
<body>
<nav><a href="{root}">Home</a> <a href="https://example.org/">Publisher</a></nav>
<h1>CCW applications, 2012</h1>
<div class="prose"><p>Since 1923, permits are issued. In all {cell(table, "data")} were.</p></div>
<figure class="chart" data-table="ccw" id="chart-years">
<figcaption>CCW applications</figcaption>
<svg xmlns="http://www.w3.org/2000/svg" class="marks" width="398" height="205" viewBox="0 0 398 205">
<g class="mark-group role-axis" aria-label="X-axis with 2 values: 2012, 2013">
<text>2012</text><text>1,000</text></g>
<g class="mark-rect role-mark marks">{marks}</g></svg>
<table><caption>CCW applications</caption><thead><tr><th>Year</th><th>Applications</th></tr></thead>
<tbody>{rows}</tbody></table>
</figure>
<table><tr><td class="rank">1</td><th scope="row">Kern &amp; Co</th>{cell(table, county="kern")}</tr>
<tr><td class="rank">2</td><th scope="row">Alpine</th>{cell(table, county="alpine")}</tr></table>
<p>Updated <time datetime="2026-11-01">November 1, 2026</time>. <span class="meta">Version 0.1.0</span></p>
{extra}
</body>
</html>
"""


def csv_of(table: PublicTable) -> str:
    lines = ["county,county_level,year,value,status"]
    for coords, value, status in zip(table.coords.tolist(), table.values, table.statuses, strict=True):
        county, year = (d.nodes[i] for d, i in zip(table.dimensions, coords, strict=True))
        shown = list(Status)[status] is Status.SHOWN
        lines.append(
            f"{county.code},{county.level},{year.code},{value if shown else ''},{list(Status)[status]}"
        )
    return "\n".join(lines) + "\n"


def json_of(table: PublicTable) -> str:
    rows = [line.split(",") for line in csv_of(table).splitlines()]
    body = ",".join(
        f'["{c}","{level}","{y}",{value or "null"},"{status}"]' for c, level, y, value, status in rows[1:]
    )
    return (
        '{"table":"ccw","title":{"en":"CCW applications"},"dimensions":["county","year"],'
        f'"columns":["county","county_level","year","value","status"],"rows":[{body}]}}\n'
    )


ROSTER = "make,model,barrel\nAcme,Model 19,4.02\nAcme,P-226 & Co,3.5\n"


@pytest.fixture(scope="session")
def site(table: PublicTable) -> dict[str, bytes]:
    """A whole small site, path -> content."""
    files = {
        "site/index.html": page(table),
        "site/county/alpine/index.html": page(table, county="alpine", root="../../"),
        "site/404.html": page(table, root="/"),
        "site/data/ccw.csv": csv_of(table),
        "site/data/ccw.json": json_of(table),
        "site/data/ccw.README.txt": "CCW applications\nNumbers from 1 to 10 are hidden.\n",
        "site/data/roster.csv": ROSTER,
        "site/robots.txt": "User-agent: *\nAllow: /\n",
        "site/sitemap.xml": '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        "<url><loc>https://example.org/county/alpine/</loc><lastmod>2026-11-01</lastmod></url>\n</urlset>\n",
    }
    return {path: content.encode() for path, content in files.items()} | {"site/assets/site.css": CSS}


Stage = Callable[[Mapping[str, bytes]], Staged]


@pytest.fixture
def staged(tmp_path: Path) -> Stage:
    """Stages files in a fresh folder of releases."""

    def make(files: Mapping[str, bytes]) -> Staged:
        return stage(
            tmp_path / "releases",
            ((path, content, "page") for path, content in files.items()),
            title="Demo",
            date=DAY,
            tables=FACTS,
        )

    return make
