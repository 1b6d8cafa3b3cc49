"""What a release's public files tell a reviewer: pages, tables, files, and the hidden numbers known best."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from html import unescape
from itertools import islice
from typing import Any

import numpy as np

from clerestory.confidential.review.facts import Chart, Files, Group, Page, Table, Tight
from clerestory.methods import OPEN
from clerestory.release import structure
from clerestory.release.manifest import Entry, Manifest, TableFacts
from clerestory.release.proof import proof_list, witness
from clerestory.release.structure import Structure
from clerestory.release.verify import Release
from clerestory.tables import Layout, Unit, column_name
from clerestory.tables.space import IntArray

_KINDS = {
    "page": "Pages",
    "table": "Tables to download (CSV and JSON)",
    "readme": "What each download means (README)",
    "list": "Public lists to download",
    "structure": "How the tables hang together, for whoever checks the proof",
    "proof": "The proof",
    "index": "Addresses for search engines",
    "asset": "Style, script and icon",
}
_TIGHTEST = 3
"""Of each source, so many of the hidden numbers known best are listed."""
_CELLS = 3
"""Cells named that show the smallest number of a table."""
_LANGUAGE = re.compile(r'<html lang="([a-z-]+)"')
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_CHOSEN = re.compile(r'<h1[^>]*>[^<]*<span class="chosen">')
_FIGURE = re.compile(r'<figure class="chart[^"]*" data-table="([^"]*)"[^>]*>(.*?)</figure>', re.DOTALL)
_HEADING = re.compile(r"<h[2-6][^>]*>(.*?)</h[2-6]>", re.DOTALL)
_PICTURE = re.compile(r'<svg class="(?:plot|map)".*?</svg>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def pages_of(release: Release) -> tuple[Page, ...]:
    """Every page once, with its charts, and how many versions it has for a reader's choices."""
    bases: dict[str, Page] = {}
    choices: list[str] = []
    for entry in release.manifest.files:
        if entry.what != "page":
            continue
        text = (release.folder / entry.path).read_text(encoding="utf-8")
        address = entry.path.removeprefix("site/").removesuffix("index.html")
        if _CHOSEN.search(text):
            choices.append(address)
        else:
            bases[address] = _page(address, text)
    for address in choices:
        above = address.rstrip("/")
        while above and f"{above}/" not in bases:
            above = above.rpartition("/")[0]
        base = f"{above}/" if above else ""
        if base in bases:
            bases[base] = replace(bases[base], versions=bases[base].versions + 1)
        else:
            bases[address] = Page(address, address, "en", 1, ())
    first = bases[""].language if "" in bases else "en"
    order = sorted(bases.values(), key=lambda page: (page.language != first, page.address))
    # The charts of a translation are the same pictures with other words.
    return tuple(page if page.language == first else replace(page, charts=()) for page in order)


def _page(address: str, text: str) -> Page:
    language, title = _LANGUAGE.search(text), _TITLE.search(text)
    charts = []
    for table, body in _FIGURE.findall(text):
        heading, picture = _HEADING.search(body), _PICTURE.search(body)
        if picture:
            words = unescape(_TAG.sub("", heading[1])) if heading else table
            charts.append(Chart(words, table, _alone(picture[0])))
    name = unescape(title[1]).split(" · ")[0] if title else address
    return Page(name, address, language[1] if language else "en", 1, tuple(charts))


def _alone(svg: str) -> str:
    """A picture that needs no page around it."""
    space = "" if " xmlns=" in svg[: svg.index(">")] else ' xmlns="http://www.w3.org/2000/svg"'
    return svg.replace("<svg ", f'<svg{space} font-family="sans-serif" ', 1)


def files_of(release: Release) -> tuple[Files, ...]:
    """Every file that can be fetched, by what it is."""
    found: dict[str, list[tuple[str, int]]] = {}
    listed = proof_list.read(release.folder, release.id)
    own: list[Entry] = list(release.manifest.files)
    for entry in own:
        found.setdefault(entry.what, []).append((entry.path, entry.size))
    for entry in listed.files if listed else ():
        found.setdefault("proof", []).append((entry.path, entry.size))
    order = [*(kind for kind in _KINDS if kind in found), *sorted(found.keys() - _KINDS.keys())]
    return tuple(Files(_KINDS.get(kind, kind), tuple(sorted(found[kind]))) for kind in order)


@dataclass(frozen=True)
class _Words:
    """What a table's download calls things: titles of dimensions and labels of codes."""

    title: str
    dimensions: tuple[str, ...]
    titles: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]

    def cell(self, codes: Mapping[str, str]) -> str:
        """A cell for people: "County: Alpine, Year: 2014". codes: by dimension, totals left out."""
        titles = dict(zip(self.dimensions, self.titles, strict=True))
        parts = (f"{titles[name]}: {self.labels[name].get(code, code)}" for name, code in codes.items())
        return ", ".join(parts) or "the total"


def _words_of(release: Release, table: str) -> _Words:
    said = json.loads((release.folder / f"site/data/{table}.json").read_text(encoding="utf-8"))
    dimensions = said["dimensions"]
    return _Words(
        said["title"]["en"],
        tuple(one["name"] for one in dimensions),
        tuple(one["title"]["en"] for one in dimensions),
        {one["name"]: {c["code"]: c["label"]["en"] for c in one["categories"]} for one in dimensions},
    )


def structures_of(release: Release) -> dict[str, Structure]:
    """The structure of each source that has one."""
    sources = sorted({facts.source for facts in release.manifest.tables.values() if facts.method != OPEN})
    return {
        source: structure.parse((release.folder / structure.path_of(source)).read_bytes(), where=source)
        for source in sources
    }


def tables_of(release: Release, structures: Mapping[str, Structure]) -> tuple[Table, ...]:
    """Every table, with the smallest numbers that it shows."""
    return tuple(
        _table(release, name, facts, structures.get(facts.source))
        for name, facts in sorted(release.manifest.tables.items())
    )


def _table(release: Release, name: str, facts: TableFacts, found: Structure | None) -> Table:
    words = _words_of(release, name)
    unit = _layout(found, name).design.unit if found else None
    text = (release.folder / structure.csv_path(name)).read_text(encoding="utf-8")
    zeros, smallest, cells = 0, 0, list[dict[str, str]]()
    for row in csv.DictReader(io.StringIO(text, newline="")):
        if row["value"] == "":
            continue
        value = int(row["value"])
        zeros += value == 0
        if value and (not smallest or value < smallest):
            smallest, cells = value, []
        if value and value == smallest:
            cells.append(row)
    shown = [
        words.cell({n: row[column_name(n)] for n in words.dimensions if row[column_name(n)] != "all"})
        for row in islice(cells, _CELLS)
    ]
    counts = unit is None or unit.kind != "sum"
    return Table(
        name=name,
        title=words.title,
        source=facts.source,
        unit=_unit(unit),
        by=words.titles,
        cells=facts.cells,
        hidden=facts.hidden,
        zeros=zeros,
        method=facts.method,
        width=facts.interval_width,
        minimum=facts.minimum_count,
        smallest=Group(smallest, tuple(shown), len(cells) - len(shown)) if smallest and counts else None,
    )


def _unit(unit: Unit | None) -> str:
    if unit is None or unit.kind == "records":
        return "records"
    return "people" if unit.kind == "persons" else f"the sum of {unit.measure}"


def _layout(found: Structure, table: str) -> Layout:
    return next(layout for layout in found.space.layouts if layout.design.name == table)


def tightest_of(release: Release, structures: Mapping[str, Structure]) -> tuple[Tight, ...]:
    """Of each source the hidden numbers whose possible values, by the proof, are closest together."""
    found: list[Tight] = []
    for source, own in structures.items():
        path = release.folder / proof_list.path_of(source)
        if path.is_file():
            found += islice(_tight(release, own, witness.parse(path.read_bytes(), where=source)), _TIGHTEST)
    return tuple(sorted(found, key=lambda one: (one.width / max(one.asked, 1), one.table, one.cell)))


def _tight(release: Release, own: Structure, proof: witness.SourceProof) -> Iterator[Tight]:
    cells = proof.columns[proof.columns < len(own.space)]
    low, high = _ends(proof)
    most = np.array([unit.bounds[1] if unit.kind == "sum" else 1 for unit in own.space.unit_list] or [1])
    asked = own.rule.interval_width * most[own.space.units[cells]]
    widths = (high - low)[: len(cells)] / np.maximum(asked, 1)
    for place in np.argsort(widths, kind="stable").tolist():
        table, cell = _named(release, own, int(cells[place]))
        yield Tight(table, cell, int(low[place]), int(high[place]), int(asked[place]))


def _ends(proof: witness.SourceProof) -> tuple[IntArray, IntArray]:
    """(columns,) least and greatest value of each over all witnesses."""
    up, down = np.zeros((2, len(proof.columns)), dtype=np.int64)
    for places, change in proof.steps:
        up[places] = np.maximum(up[places], change)
        down[places] = np.minimum(down[places], change)
    return proof.base + down, proof.base + up


def _named(release: Release, own: Structure, cell: int) -> tuple[str, str]:
    """A cell by the first table that shows it, and in words."""
    for layout in own.space.layouts:
        for row in np.flatnonzero(layout.cells == cell)[:1]:
            codes = {
                dimension.name: dimension.nodes[node].code
                for dimension, node in zip(layout.design.dimensions, layout.coords[row], strict=True)
                if node
            }
            return layout.design.name, _words_of(release, layout.design.name).cell(codes)
    return own.source, own.space.describe(cell)


def tables_by_rule(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """What the manifest says of how each table is protected."""
    return {
        name: {
            "method": facts.method,
            "smallest count shown": facts.minimum_count,
            "width of hidden numbers": facts.interval_width,
            "level of the attacker": facts.level,
        }
        for name, facts in manifest.tables.items()
    }
