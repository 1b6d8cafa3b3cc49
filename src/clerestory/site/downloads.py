"""Downloads: every protected table whole, as CSV and JSON, with a README; public lists as CSV."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Iterator

from clerestory import __version__
from clerestory.site.cells import SYMBOLS
from clerestory.site.context import Site
from clerestory.site.files import SiteFile
from clerestory.tables import PublicList, PublicTable, Status, column_name, said

_STATUSES = list(Status)
_COLUMNS = 100


def columns(table: PublicTable) -> list[str]:
    """The columns of a table's downloads: each dimension's code (and level), value, status."""
    names: list[str] = []
    for dimension in table.dimensions:
        names.append(column_name(dimension.name))
        if len(dimension.levels) > 1:
            names.append(f"{column_name(dimension.name)}_level")
    return [*names, "value", "status"]


def rows(table: PublicTable) -> Iterator[list[str | int | None]]:
    """One row a published cell, in the table's own order; None where there is no number."""
    parts: list[list[list[str]]] = [
        [[node.code, node.level] if len(d.levels) > 1 else [node.code] for node in d.nodes]
        for d in table.dimensions
    ]
    for coords, value, status in zip(
        table.coords.tolist(), table.values.tolist(), table.statuses.tolist(), strict=True
    ):
        row: list[str | int | None] = [
            part for nodes, node in zip(parts, coords, strict=True) for part in nodes[node]
        ]
        said_status = _STATUSES[status]
        row += [None if said_status in SYMBOLS else int(value), said_status.value]
        yield row


def table_files(site: Site, table: PublicTable) -> Iterator[SiteFile]:
    """The CSV, the JSON and the README of a table."""
    names = columns(table)
    whole = list(rows(table))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(whole)
    base = f"site/data/{table.name}"
    yield SiteFile(f"{base}.csv", text.getvalue().encode(), "table")
    dimensions = [
        {
            "name": d.name,
            "title": dict(d.title),
            "levels": list(d.levels),
            "categories": [
                {
                    "code": n.code,
                    "label": dict(n.label),
                    "level": n.level,
                    "inside": d.nodes[n.parent].code if n.parent >= 0 else None,
                }
                for n in d.nodes
            ],
        }
        for d in table.dimensions
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in whole)
    head = json.dumps(
        {"table": table.name, "title": dict(table.title), "dimensions": dimensions, "columns": names},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    yield SiteFile(f"{base}.json", f'{head[:-1]},"rows":[\n{lines}\n]}}\n'.encode(), "table")
    yield SiteFile(f"{base}.README.txt", readme(site, table).encode(), "readme")


def list_path(rows_of: PublicList) -> str:
    """Where a list's CSV is, from the site's root."""
    return f"data/{rows_of.download}.csv"


def list_file(rows_of: PublicList) -> SiteFile:
    """The CSV of a public list."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows_of.columns)
    writer.writerows(rows_of.rows)
    return SiteFile(f"site/{list_path(rows_of)}", text.getvalue().encode(), "list")


def _wrapped(words: str) -> str:
    return " ".join(words.split())


def _hidden(table: PublicTable) -> str:
    least = "is at least one" if table.zeros_shown else "may be zero"
    return f"hidden: a small number, or a number that would give one away; it {least}"


def _method(site: Site, table: PublicTable) -> list[str]:
    """How the table's numbers are protected, in lines."""
    policy = site.project.policy
    changed = site.promise(table.source, "en")
    if changed:
        return textwrap.wrap(changed, _COLUMNS)
    return [
        f"Numbers below {policy.minimum_count} and above zero are hidden, and with them as many others as it",
        "takes so that none of them can be worked out from those shown. "
        + ("Zeros are shown." if table.zeros_shown else "Zeros may be hidden too.")
        + " All hidden numbers",
        "look alike. To a reader of every published number of the source who knows these rules, at least two",
        f"values that differ by {policy.interval_width} or more remain possible for each hidden number.",
        "Do not add numbers up across hidden ones: use the totals that are given.",
        f"Policy: {policy.profile} ({policy.source})",
    ]


def readme(site: Site, table: PublicTable) -> str:
    """All that one needs to use a table without the site: columns, codes, method, status words, citation."""
    project = site.project
    source = project.sources.get(table.source)
    changed = site.promise(table.source, "en")
    publisher = said(project.said.publisher.name, "en")
    title = said(table.title, "en")
    address = project.said.site.address.rstrip("/")
    lines = [title, "=" * len(title), ""]
    own = project.tables.get(table.name)
    for words in (own.said.description if own else None, source.said.description if source else None):
        if words:
            lines += [_wrapped(said(words, "en")), ""]
    if source and source.said.notice:
        lines += ["NOTICE: " + _wrapped(said(source.said.notice, "en")), ""]
    lines += ["Columns", "-------", ""]
    for dimension in table.dimensions:
        lines.append(
            f'{dimension.name}: {said(dimension.title, "en")}; a code of the list below; "all" is the total'
        )
        if len(dimension.levels) > 1:
            lines.append(f"{dimension.name}_level: all, {', '.join(dimension.levels)} (from coarse to fine)")
    lines += [
        "value: the number; empty where there is none",
        "status: empty, or one of the words below",
        "",
        "Status words",
        "------------",
        "",
        *([] if changed else [_hidden(table)]),
        "no-data: not collected",
        "incomplete: counting is not finished",
        "unstable: rests on few records",
        "",
        "Method",
        "------",
        "",
        *_method(site, table),
        "",
        "Codes",
        "-----",
    ]
    for dimension in table.dimensions:
        lines += ["", f"{dimension.name} ({said(dimension.title, 'en')})"]
        for node in dimension.nodes:
            inside = f" (in {dimension.nodes[node.parent].code})" if node.parent > 0 else ""
            label = " / ".join(dict.fromkeys(_wrapped(words) for words in node.label.values()))
            lines.append(f"  {node.code}: {label}{inside}")
    lines += ["", "Source and licence", "------------------", ""]
    if source:
        lines.append(said(source.said.title, "en"))
        if source.said.attribution:
            lines.append(_wrapped(said(source.said.attribution, "en")))
        if source.said.updated:
            lines.append(f"Records as of {source.said.updated.isoformat()}")
    cited = f"{publisher}. {title}. Release of {site.date.isoformat()}."
    if address:
        cited += f" {address}/data/{table.name}.csv"
    lines += ["", "Cite as", "-------", "", cited, "", f"Made with clerestory {__version__}.", ""]
    lines.append(
        f"If something here seems to expose a person, write at once to {project.said.publisher.email}"
    )
    return "\n".join(lines) + "\n"
