from __future__ import annotations

from pathlib import Path

import pytest

from clerestory.project import Project, load
from tests.project.conftest import Broken
from tests.project.good import FILES, edited, line_of, write_project

PAGE = "dashboards/permits.md"
APART = edited(
    "tables/permits.toml",
    '["county", "year", "decision"]',
    '["year", "decision"], ["county", "decision"]',
)
PLAIN = {"dashboards/index.md": "---\ntitle: Home\n---\n"}
HOME = "dashboards/index.md"
SPANISH = {
    "clerestory.toml": (FILES["clerestory.toml"]).replace(
        "[hierarchies", 'languages = ["en", "es"]\n\n[hierarchies'
    )
}


def test_a_page_is_words_charts_and_lists(good: Project) -> None:
    page = good.pages[1]
    assert (page.path, page.title, page.controls) == ("permits", "Permits", ("county",))
    assert [chart.said.id for chart in page.charts()] == ["by-year", "by-county"]
    assert [prose.markdown for prose in page.prose()] == ["Choose a county.\n", "Between two charts.\n"]
    assert page.charts()[1].said.spec.keys() == {"mark", "encoding"}
    assert page.charts()[1].line == line_of(PAGE, "```chart\nid: by-county")
    assert page.lists()[0].said.fields == ("maker", "model")


@pytest.mark.parametrize(
    ("old", "new", "key", "what", "fix"),
    [
        ("title: Permits", "titel: Permits", "titel", "unknown key 'titel'", "did you mean 'title'?"),
        (
            "table: permits\nmark",
            "table: permit\nmark",
            "chart by-year.data.table",
            "no table 'permit'",
            "did you mean 'permits'?",
        ),
        (
            "{field: year,",
            "{field: yaer,",
            "chart by-year.encoding.x.field",
            "no field 'yaer'",
            "did you mean 'year'?",
        ),
        (
            "levels: {county: county}",
            "levels: {county: conty}",
            "chart by-county.data.levels.county",
            "no level 'conty'",
            "did you mean 'county'?",
        ),
        (
            "levels: {county: county}",
            "levels: {conty: county}",
            "chart by-county.data.levels.conty",
            "no dimension 'conty'",
            "did you mean 'county'?",
        ),
        (
            "{decision: granted}",
            "{decision: grnted}",
            "chart by-county.data.at.decision",
            "no decision 'grnted'",
            "did you mean 'granted'?",
        ),
        (
            "{decision: granted}",
            "{desicion: granted}",
            "chart by-county.data.at.desicion",
            "no dimension 'desicion'",
            "did you mean 'decision'?",
        ),
        (
            "{decision: granted}",
            "{decision: granted, county: alder}",
            "chart by-county.data.at.county",
            "'county' is drawn, and held",
            "",
        ),
        (
            "{decision: granted}",
            "{decision: granted, gender: F}",
            "chart by-county",
            "no margin of 'permits' publishes county by gender by decision together",
            'add ["county", "gender", "decision"] to permits.publish.margins',
        ),
        (
            "order: value",
            "order: size",
            "chart by-county.data.order",
            "unknown order 'size'",
            "choose one of: natural, value",
        ),
        ("order: value", "url: http://x.org/a.csv", "chart by-county.data.url", "unknown key 'url'", ""),
        ("order: value", "values: [{a: 1}]", "chart by-county.data.values", "unknown key 'values'", ""),
        (
            "mark: line",
            "mark: line\ntransform: []",
            "chart by-year.transform",
            "'transform' is not allowed",
            "margin",
        ),
        ("mark: line", "merk: line", "chart by-year.merk", "no key 'merk'", "did you mean 'mark'?"),
        ("id: by-year", "id: By Year", "chart By Year.id", "'By Year' is not a name", "hyphens"),
        ("title: Applications by year\n", "", "chart by-year.title", "'title' is missing", ""),
        (
            "source: models",
            "source: model",
            "list models.source",
            "no source 'model'",
            "did you mean 'models'?",
        ),
        (
            "source: models",
            "source: permits",
            "list models.source",
            "only a source with public = true",
            "counts",
        ),
        (
            "[maker, model]",
            "[maker, modle]",
            "list models.fields[1]",
            "no field 'modle'",
            "did you mean 'model'?",
        ),
        ("[maker, model]", "[maker, maker]", "list models.fields", "stands twice", ""),
        (
            "[county]",
            "[conty]",
            "controls[0]",
            "no chart's table has a dimension 'conty'",
            "did you mean 'county'?",
        ),
        ("[county]", "[county, county]", "", "a dimension stands twice", ""),
        ("[county]", "county", "", "a controls block holds a list", "[county]"),
    ],
)
def test_a_fault_in_a_page_has_its_line_and_key(
    broken: Broken, old: str, new: str, key: str, what: str, fix: str
) -> None:
    changed = edited(PAGE, old, new)
    found = [one for one in broken(changed) if what in one.what]
    assert [one.where.partition(", ")[2] for one in found] == [key]
    assert found[0].where.startswith(f"{PAGE}:")
    assert fix in found[0].fix


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        (HOME, FILES[HOME] + "\n```controls\n[county]\n```\n", "controls on a page without a chart"),
        (HOME, FILES[HOME] + "\n```chart\n[a]\n```\n", "a chart block holds keys, such as id: and title:"),
        (HOME, FILES[HOME] + "\n```chart\n```\n", "the block is empty"),
        (HOME, "---\ntitle: '{{ value(1) }}'\n---\n", "values can be named in the page's text only"),
        (PAGE, FILES[PAGE].replace("[maker, model]", "[]"), "the list shows no fields"),
    ],
)
def test_a_block_holds_something(broken: Broken, name: str, text: str, what: str) -> None:
    assert [one.what for one in broken({name: text})] == [what]


def test_a_list_shows_no_unused_field(broken: Broken) -> None:
    changed = edited("sources/models.toml", 'maker = { role = "operational" }', 'maker = { role = "unused" }')
    found = broken(changed)
    assert found[0].where.endswith(", list models.fields[0]")
    assert "the field 'maker' is unused" in found[0].what


def test_the_line_is_in_the_page_not_in_the_block(broken: Broken) -> None:
    changed = edited(PAGE, "{decision: granted}", "{decision: grnted}")
    line = line_of(PAGE, "at: {decision", changed)
    assert broken(changed)[0].where == f"{PAGE}:{line}, chart by-county.data.at.decision"


@pytest.mark.parametrize(
    ("old", "new", "at", "what"),
    [
        ("Choose a county.", "Choose <b>a county</b>.", "Choose", "raw HTML"),
        ("Choose a county.", "<script>alert(1)</script>", "<script", "raw HTML"),
        ("Choose a county.", "Choose\n<!-- not yet -->", "<!--", "raw HTML"),
        ("Choose a county.", "A\n[link](javascript:alert(1))", "[link]", "a link to javascript:"),
        ("Choose a county.", "[link](&#106;ava&#115;cript:alert(1))", "[link]", "a link to javascript:"),
        ("Choose a county.", "<data:text/html,x>", "<data", "a link to data:"),
        ("Choose a county.", "[a][b]\n\n[b]: vbscript:x", "[a]", "a link to vbscript:"),
        ("Choose a county.", "[a](//example.org)", "[a]", "a link without a scheme"),
        ("Choose a county.", "![map](map.png)", "![map]", "a page has no pictures"),
        ("Choose a county.", "{{ value('permits' }}", "{{", "this is not a value reference"),
        ("Choose a county.", "{{ __import__('os') }}", "{{", "only value(…) can stand"),
        ("Choose a county.", "{{ value('permits', **x) }}", "{{", "the code of a dimension"),
        ("Choose a county.", "{{ value('permits', county=f'x') }}", "{{", "the code of county"),
        ("Choose a county.", "{{ value() }}", "{{", "takes one table"),
        ("Choose a county.", "A\nB {{ value('permits')", "B {{", "{{ without its partner"),
        ("Choose a county.", "{{ value('permit') }}", "{{", "no table 'permit'"),
        ("Choose a county.", "{{ value('permits', conty='alder') }}", "{{", "no dimension 'conty'"),
        ("Choose a county.", "{{ value('permits', county='aldr') }}", "{{", "no county 'aldr'"),
        ("Choose a county.", "{{ value('permits', gender='F', age='21-24') }}", "{{", "gender together"),
        ("```controls\n[county]", "```contrls\n[county]", "```contrls", "unknown block 'contrls'"),
        ("```list\n", "- ```list\n", "- ```list", "stands inside a list"),
        ("id: by-year\n", "id: [by-year\n", "title: Applications", "not valid YAML"),
        ("id: by-year\n", "id: by-county\n", "```chart\nid: by-county\ntitle: {en", "a second block"),
        ("Between two charts.", "```controls\n[year]\n```", "```controls\n[year]", "a second controls block"),
    ],
)
def test_a_fault_in_the_text_has_its_line(broken: Broken, old: str, new: str, at: str, what: str) -> None:
    changed = edited(PAGE, old, new)
    found = [one for one in broken(changed) if what in one.what]
    assert [one.where for one in found] == [f"{PAGE}:{line_of(PAGE, at, changed)}"]


def test_a_block_inside_a_list_is_refused(broken: Broken) -> None:
    changed = {HOME: FILES[HOME] + "\n- one\n\n  ```controls\n  [county]\n  ```\n"}
    assert "stands inside a list or quotation" in broken(changed)[0].what


def test_a_block_that_is_shown_as_an_example_is_prose(tmp_path: Path) -> None:
    changed: dict[str, str | None] = {HOME: FILES[HOME] + "\n````\n```chart\nid: no\n```\n````\n"}
    assert load(write_project(tmp_path, changed)).pages[0].charts() == ()


def test_an_unclosed_block_is_refused(broken: Broken) -> None:
    changed = {PAGE: FILES[PAGE].rstrip().removesuffix("```")}
    found = broken(changed)
    assert (found[0].where, found[0].what) == (
        f"{PAGE}:{line_of(PAGE, '```list')}",
        "the list block does not end",
    )


@pytest.mark.parametrize(
    "text", ["", "# No front matter\n", "---\ntitle: x\n", "---\n---\n", "---\n[a]\n---\n"]
)
def test_a_page_needs_front_matter(broken: Broken, text: str) -> None:
    assert broken({HOME: text})[0].where.startswith(f"{HOME}:")


def test_a_control_needs_a_margin_in_every_chart(broken: Broken) -> None:
    found = broken({**APART, **PLAIN})
    assert found[0].where == f"{PAGE}:{line_of(PAGE, 'id: by-year')}, chart by-year"
    assert "no margin of 'permits' publishes county by year together" in found[0].what
    assert "(the page's controls choose county)" in found[0].what
    assert (
        'add ["county", "year"] to permits.publish.margins, or hold it in the chart: at: {county: all}'
        in found[0].fix
    )


def test_a_chart_may_stay_at_the_total_of_a_control(tmp_path: Path) -> None:
    changed = {
        **APART,
        **PLAIN,
        **edited(PAGE, "table: permits\nmark", "table: permits\n  at: {county: all}\nmark"),
    }
    assert load(write_project(tmp_path, changed))


def test_a_chart_that_cannot_follow_a_control_is_a_warning(tmp_path: Path) -> None:
    table = """
[yearly]
source = "permits"
title = "Yearly"
count = "application"
[yearly.dimensions]
year = { from = "applied", by = "year" }
[yearly.publish]
margins = [["year"]]
"""
    changed: dict[str, str | None] = {
        **edited(PAGE, "table: permits\nmark", "table: yearly\nmark"),
        "tables/yearly.toml": table,
    }
    warnings = load(write_project(tmp_path, changed)).warnings
    assert len(warnings) == 1
    assert "does not follow the control 'county'" in warnings[0]


def test_no_page_stands_where_a_control_has_its_addresses(broken: Broken) -> None:
    found = broken({"dashboards/permits/county.md": FILES[HOME]})
    assert (found[0].where, found[0].fix) == ("dashboards/permits/county.md", "rename this page")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("dashboards/Permits.md", "'Permits' cannot stand in an address"),
        ("dashboards/data.md", "the address data/ is taken"),
        ("dashboards/es/x.md", "the address es/ is taken"),
        ("dashboards/permits/index.md", "two pages have the address 'permits'"),
        ("dashboards/index.es.md", "the site has no pages in 'es'"),
        ("dashboards/x.fr.md", "the site has no pages in 'fr'"),
    ],
)
def test_a_page_has_an_address_of_its_own(broken: Broken, name: str, what: str) -> None:
    found = [one for one in broken({name: FILES[HOME]}) if what in one.what]
    assert len(found) == 1


def test_english_stands_in_for_a_page_that_was_not_translated(tmp_path: Path) -> None:
    translated = FILES[HOME].replace("Open records", "Registros abiertos")
    project = load(write_project(tmp_path, {**SPANISH, "dashboards/index.es.md": translated}))
    assert [(page.path, page.language, page.written_in, page.title) for page in project.pages] == [
        ("", "en", "en", "Open records"),
        ("", "es", "es", "Registros abiertos"),
        ("permits", "en", "en", "Permits"),
        ("permits", "es", "en", "Permits"),
    ]
    assert project.warnings == ("dashboards/permits.md: no es version; the English one is used",)


def test_a_translation_stands_beside_an_english_page(broken: Broken) -> None:
    found = broken({**SPANISH, "dashboards/x.es.md": FILES[HOME]})
    assert (found[0].where, found[0].fix) == ("dashboards/x.es.md", "write dashboards/x.md")


def test_a_translation_offers_the_same_choices(broken: Broken) -> None:
    spanish = FILES[PAGE].replace("```controls\n[county]\n```\n", "")
    found = broken({**SPANISH, "dashboards/permits.es.md": spanish})
    assert (found[0].what, found[0].fix) == ("the controls differ from the English page's", "write [county]")


def test_one_list_has_one_id(broken: Broken) -> None:
    block = "\n```list\nid: {id}\ntitle: x\nsource: models\nfields: [maker]\n```\n"
    found = broken({HOME: FILES[HOME] + block.replace("{id}", "models")})
    assert found[0].what == "another list has the id 'models'"
    found = broken({HOME: FILES[HOME] + block.replace("{id}", "permits")})
    assert "has the name of a table" in found[0].what
