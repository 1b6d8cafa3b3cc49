"""Every number of a release is accounted for; each way in which one could slip through is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest

from clerestory.errors import Refused
from clerestory.release.bundle import Staged
from clerestory.release.recheck import Accounting, recheck
from clerestory.tables import PublicTable

Stage = Callable[[Mapping[str, bytes]], Staged]
ROSTER = SimpleNamespace(
    name="roster",
    columns=("make", "model", "barrel"),
    rows=(("Acme", "Model 19", "4.02"), ("Acme", "P-226 & Co", "3.5")),
)
INDEX = "site/index.html"


def account(staged: Staged, table: PublicTable, *, workers: int = 1) -> Accounting:
    css = {"site/assets/site.css": b"body { color: #123456 }\n"}
    return recheck(staged, {"ccw": table}, {"roster": ROSTER}, assets=css, workers=workers)


def test_a_site_by_the_contract_is_accounted_for(
    site: dict[str, bytes], staged: Stage, table: PublicTable
) -> None:
    found = account(staged(site), table)
    assert found.files == len(site)
    assert found.cells == 12
    # CSV and JSON: 8 shown cells each; list: 6 values; three pages: prose 1, ranking 2; two pages: 2 years
    # in the table and 2 marks each (Alpine's years are hidden).
    assert found.numbers == 8 + 8 + 6 + 3 * 3 + 2 * 4
    assert found.prose_numbers == [("site/404.html", "Since 1923, permits are issued. In all were.")]
    assert ("site/404.html", "Version 0.1.0") in found.printed_numbers


def test_processes_find_what_one_finds(
    site: dict[str, bytes], staged: Stage, table: PublicTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clerestory.release.recheck._ALONE", 0)
    monkeypatch.setattr("clerestory.release.recheck._BATCH", 1)
    one = account(staged(site), table)
    assert account(staged(site), table, workers=2) == one


HTML_SLIPS = {
    "a number in a paragraph": ("</body>", "<p>17 people</p></body>"),
    "a year outside a label's place": ("</body>", "<p>2012</p></body>"),
    "a number written with entities": ("</body>", "<p>&#49;&#x37; people</p></body>"),
    "a number in other digits": ("</body>", "<p>١٧ people</p></body>"),
    "a fraction": ("</body>", "<p>½ of them</p></body>"),
    "a cut number": ("</body>", "<h2>12,012</h2></body>"),
    "a comment": ("</body>", "<!-- 17 --></body>"),
    "an empty comment": ("</body>", "<!----></body>"),
    "a script in the page": ("</body>", "<script>let people</script></body>"),
    "a script that loads and holds": ("</body>", '<script src="assets/site.css">17</script></body>'),
    "a data block": ("</body>", '<script type="application/json">{}</script></body>'),
    "a style element": ("</body>", "<style>p { width: 17px }</style></body>"),
    "a style attribute": ("<h1>", '<h1 style="width: 17px">'),
    "an event attribute": ("<h1>", '<h1 onclick="run()">'),
    "a data attribute of its own": ("<h1>", '<h1 data-count="17">'),
    "an attribute in single quotes": ("<h1>", "<h1 id='x'>"),
    "an attribute without quotes": ("<h1>", "<h1 id=x>"),
    "an attribute twice": ("<h1>", '<h1 id="x" id="y">'),
    "a number in a title attribute": ("<h1>", '<h1 title="17 people">'),
    "a number in an alternative text": ("</body>", '<img src="assets/site.css" alt="17"></body>'),
    "a number in the description": ("<title>", '<meta name="description" content="17 people"><title>'),
    "a number in a form": ("</body>", '<input type="hidden" value="17"></body>'),
    "a refresh": ("<title>", '<meta http-equiv="refresh" content="1"><title>'),
    "an address that runs": ("</body>", '<a href="javascript:x()">x</a></body>'),
    "an address with data": ("</body>", '<a href="data:text/plain,17">x</a></body>'),
    "a number in an address": ("</body>", '<a href="https://example.org/?n=17">x</a></body>'),
    "a link to no file": ("</body>", '<a href="county/kern/">x</a></body>'),
    "a link out of the site": ("</body>", '<a href="../../manifest.json">x</a></body>'),
    "a script from another host": ("</body>", '<script src="https://example.org/a.js"></script></body>'),
    "another number in a cell": (">5,265<", ">5,266<"),
    "a number in a hidden cell": (">25<", ">25<"),
    "a cell of no table": ('data-cell="county=kern"', 'data-cell="county=nowhere"'),
    "a cell of another category": ('data-cell="county=kern"', 'data-cell="county=alpine"'),
    "a cell in other order": ('data-cell="year=2012"', 'data-cell="year=2012;county=all"'),
    "a shown cell said to be hidden": (
        'data-cell="county=kern"',
        'data-cell="county=kern" data-status="hidden"',
    ),
    "another value of <data>": ('<data value="5290"', '<data value="5291"'),
    "<data> without a cell": ("</body>", '<data value="17">x</data></body>'),
    "another number in a mark": ('aria-label="2012: 2,641"', 'aria-label="2012: 2,642"'),
    "a mark under another label": ('aria-label="2012: 2,641"', 'aria-label="2013: 2,641"'),
    "a number in a mark's label": ('aria-label="2012: 2,641"', 'aria-label="2012, 17: 2,641"'),
    "a number as a chart's text": ("<text>1,000</text></g>", "</g><text>1,000</text>"),
    "two numbers on an axis": ("<text>1,000</text>", "<text>1,000 of 17</text>"),
    "an image in a chart": ('<path aria-label="2012', '<image href="x"/><path aria-label="2012'),
    "a foreign object": ('<path aria-label="2012', '<foreignObject></foreignObject><path aria-label="2012'),
    "a style in a chart": ('<path aria-label="2012', '<path style="x" aria-label="2012'),
    "an event in a chart": ('<path aria-label="2012', '<path onload="x" aria-label="2012'),
    "a description in a chart": ('<path aria-label="2012', '<desc>17</desc><path aria-label="2012'),
    "a number in an icon": ("</body>", "<svg><text>17</text></svg></body>"),
    "a chart of no table": ('class="chart" data-table="ccw"', 'class="chart" data-table="fsc"'),
    "a rank beyond the rows": ('<td class="rank">2<', '<td class="rank">17<'),
    "a rank that is none": ('<td class="rank">2<', '<td class="rank">2.5<'),
    "a time without a date": ('<time datetime="2026-11-01">', "<time>"),
    "an element not closed": ("</body>", "<p></body>"),
    "elements crossed": ("</body>", "<b><i></b></i></body>"),
    "an element closed in its own tag": ("</body>", "<p/></body>"),
    "a frame": ("</body>", '<iframe src="/"></iframe></body>'),
    "a template": ("</body>", "<template>17</template></body>"),
    "raw text": ("</body>", "<textarea>17</textarea></body>"),
    "a direction character": ("</body>", "<p>\u202e71</p></body>"),
    "a control character": ("</body>", "<p>\x00</p></body>"),
    "no doctype": ("<!doctype html>\n", ""),
    "an odd tag": ("</body>", "<?php 17 ?></body>"),
    "a list of no source": ("</body>", '<table data-list="people"></table></body>'),
    "a row not in the list": (
        "</body>",
        '<table data-list="roster"><tr><td>Acme</td><td>Model 20</td><td>4.02</td></tr></table></body>',
    ),
}


@pytest.mark.parametrize("slip", HTML_SLIPS)
def test_a_slip_in_a_page_is_refused(
    slip: str, site: dict[str, bytes], staged: Stage, table: PublicTable
) -> None:
    old, new = HTML_SLIPS[slip]
    if slip == "a number in a hidden cell":
        old, new = 'data-status="hidden">‡<', 'data-status="hidden">7<'
        changed = site["site/county/alpine/index.html"].decode().replace(old, new)
        site = site | {"site/county/alpine/index.html": changed.encode()}
    else:
        assert old in site[INDEX].decode()
        site = site | {INDEX: site[INDEX].decode().replace(old, new, 1).encode()}
    with pytest.raises(Refused) as refused:
        account(staged(site), table)
    assert "line" in str(refused.value) or "the file" in str(refused.value)
    assert "17" not in refused.value.what.replace("line 17", "").replace("column 17", "")


def test_labels_prose_and_rows_of_lists_are_no_slips(
    site: dict[str, bytes], staged: Stage, table: PublicTable
) -> None:
    fine = (
        "<h2>Kern &amp; Co, 2012</h2><p>CCW applications</p>"
        '<div class="prose"><p>In 1999 <a href="https://example.org/act/123">Act 123</a> passed.</p></div>'
        '<select name="year"><option value="2012" selected>2012</option></select>'
        '<table data-list="roster"><tr><th>make</th><th>model</th><th>barrel</th></tr>'
        "<tr><td>Acme</td><td>P-226 &amp; Co</td><td>3.5</td></tr></table>"
        '<ol><li value="1">Kern</li></ol>'
    )
    site = site | {INDEX: site[INDEX].decode().replace("</body>", fine + "</body>").encode()}
    found = account(staged(site), table)
    assert ("site/index.html", "In 1999 Act 123 passed.") in found.prose_numbers


FILE_SLIPS: dict[str, tuple[str, str, str]] = {
    "another number in a CSV": ("site/data/ccw.csv", "5265", "5266"),
    "a number in a hidden cell of a CSV": (
        "site/data/ccw.csv",
        "alpine,county,2012,,hidden",
        "alpine,county,2012,7,hidden",
    ),
    "a hidden cell as shown in a CSV": (
        "site/data/ccw.csv",
        "alpine,county,2012,,hidden",
        "alpine,county,2012,,",
    ),
    "a column that is no dimension": ("site/data/ccw.csv", "county_level,year", "county_level,name"),
    "a row twice": ("site/data/ccw.csv", "kern,county,2013,,hidden\n", "kern,county,2012,,hidden\n"),
    "a row missing": ("site/data/ccw.csv", "kern,county,2013,,hidden\n", ""),
    "a category that is none": ("site/data/ccw.csv", "kern,county,2013", "kern,county,2014"),
    "a wrong level": ("site/data/ccw.csv", "kern,county,2013", "kern,region,2013"),
    "a carriage return": ("site/data/ccw.csv", "\n", "\r\n"),
    "another number in JSON": ("site/data/ccw.json", "5265", "5266"),
    "a number in a hidden cell of JSON": ("site/data/ccw.json", '"2012",null', '"2012",7'),
    "a true value in JSON": ("site/data/ccw.json", '"2012",null', '"2012",true'),
    "a key of JSON's own": ("site/data/ccw.json", '"dimensions"', '"n":17,"dimensions"'),
    "a key twice in JSON": ("site/data/ccw.json", '"dimensions"', '"rows":[],"dimensions"'),
    "a number in JSON's title": ("site/data/ccw.json", '"CCW applications"', '"17 applications"'),
    "a list that differs": ("site/data/roster.csv", "4.02", "4.03"),
    "a list with a row more": ("site/data/roster.csv", "Acme,P", "Bravo,B,1\nAcme,P"),
    "a list with a column more": ("site/data/roster.csv", "make,model", "owner,make,model"),
    "a number in the sitemap": ("site/sitemap.xml", "county/alpine", "county/17"),
    "another form of sitemap": ("site/sitemap.xml", "<url>", "<!-- 17 --><url>"),
    "another style sheet": ("site/assets/site.css", "#123456", "#123457"),
}


@pytest.mark.parametrize("slip", FILE_SLIPS)
def test_a_slip_in_another_file_is_refused(
    slip: str, site: dict[str, bytes], staged: Stage, table: PublicTable
) -> None:
    path, old, new = FILE_SLIPS[slip]
    changed = site[path].decode().replace(old, new)
    assert changed != site[path].decode()
    with pytest.raises(Refused) as refused:
        account(staged(site | {path: changed.encode()}), table)
    assert path in str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "site/data/people.csv",
        "site/notes.doc",
        "site/county.csv",
        "site/chart.svg",
        "site/data/x.json",
        "site/a.js",
    ],
)
def test_a_file_without_a_rule_is_refused(
    path: str, site: dict[str, bytes], staged: Stage, table: PublicTable
) -> None:
    with pytest.raises(Refused, match=path):
        account(staged(site | {path: b"{}\n"}), table)


def test_bytes_that_are_no_text_are_refused(
    site: dict[str, bytes], staged: Stage, table: PublicTable
) -> None:
    with pytest.raises(Refused, match="UTF-8"):
        account(staged(site | {"site/robots.txt": b"\xff\xfe1\x007\x00"}), table)


def test_a_hidden_number_changed_is_noticed_everywhere(
    site: dict[str, bytes], staged: Stage, table: PublicTable
) -> None:
    """A number shown in the files, but hidden in the tables, is found in CSV, JSON and page alike."""
    from dataclasses import replace

    statuses = table.statuses.copy()
    values = table.values.copy()
    statuses[9], values[9] = 1, 0
    with pytest.raises(Refused) as refused:
        account(staged(site), replace(table, statuses=statuses, values=values))
    for file in ("ccw.csv", "ccw.json", "index.html"):
        assert file in str(refused.value)
