"""The demonstration in a real browser, served by the real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.flow.demo import built_demo
from tests.requirements import chromium

pytestmark = pytest.mark.browser

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    demo, _ = built_demo()
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "clerestory", "serve", str(demo), "--port", "8400"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    found = None
    for line in server.stdout:
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            break
    assert found
    yield found.group()
    server.terminate()
    server.wait(timeout=20)
    server.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    yield page
    context.close()


def all_pages(address: str) -> list[str]:
    with urllib.request.urlopen(f"{address}/sitemap.xml", timeout=20) as answer:
        places = re.findall(r"<loc>([^<]+)</loc>", answer.read().decode())
    return [re.sub(r"^https?://[^/]+", "", place) for place in places]


def chosen_pages(address: str) -> list[str]:
    """Every page in the campaign; else every page without a control's value, and every thirteenth other."""
    pages = all_pages(address)
    if os.environ.get("CLERESTORY_CAMPAIGN"):
        return pages
    return [p for i, p in enumerate(pages) if "/county/" not in p or i % 13 == 0]


def test_every_page_opens_without_errors_or_requests_to_others(address: str, page: Page) -> None:
    troubles: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.on("request", lambda r: None if r.url.startswith(address) else troubles.append(r.url))
    places = chosen_pages(address)
    assert len(places) > 20

    for place in places:
        answer = page.goto(address + place, wait_until="load")
        assert answer is not None and answer.status == 200, place
        assert page.locator("h1").count() == 1, place
        assert not troubles, f"{place}: {troubles}"


@pytest.mark.parametrize(
    ("place", "button", "thanks"), [("/report/", "Send", "Thank you"), ("/es/report/", "Enviar", "Gracias")]
)
def test_a_reader_sends_a_report_without_scripts(
    address: str, browser: Browser, place: str, button: str, thanks: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/firearms/")
    page.goto(address + place)
    page.locator("#page").fill("/firearms/")
    page.locator("#text").fill("A test of the form")
    with page.expect_navigation() as left:
        page.get_by_role("button", name=button).click()
    assert left.value is not None and left.value.status == 202
    expect(page.locator("body")).to_contain_text(thanks)
    context.close()


def test_choosing_a_county_changes_charts_table_and_address(address: str, page: Page) -> None:
    page.goto(address + "/firearms/ccw/")
    figure = page.locator("#chart-ccw-years")
    chart, table = figure.locator("svg").inner_html(), figure.locator("table").text_content()

    page.get_by_role("combobox").first.select_option(label="Alameda")
    page.wait_for_url("**/county/alameda/")

    figure = page.locator("#chart-ccw-years")
    assert figure.locator("svg").inner_html() != chart
    assert figure.locator("table").text_content() != table
    assert "Alameda" in page.title()
    page.go_back()
    expect(page).not_to_have_title(re.compile("Alameda"))
    expect(figure.locator("svg desc")).not_to_contain_text("Alameda")
    assert page.url.endswith("/firearms/ccw/")
    assert figure.locator("svg").inner_html() == chart


def test_a_county_page_is_whole_without_scripts(address: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/firearms/ccw/county/fresno/")

    assert "Fresno" in page.locator("h1").inner_text() + page.title()
    assert page.locator("figure.chart svg").count() >= 3
    assert page.locator("table").count() >= 3
    page.goto(address + "/firearms/ccw/")
    link = page.locator('a[href$="county/alpine/"]').first
    assert link.count() == 1
    context.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(address: str, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    for place in ("/", "/firearms/", "/firearms/dros/", "/es/firearms/gvro/", "/deaths-in-custody/"):
        page.goto(address + place)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place
    context.close()


def test_the_server_holds_nothing_but_the_release(address: str) -> None:
    demo, _ = built_demo()
    assert (demo / "records").is_dir()
    for path in (
        "/../records/ccw.parquet",
        "/..%2frecords/ccw.parquet",
        "/manifest.json/../../confidential/seed",
    ):
        request = urllib.request.Request(address + path)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status = answer.status
        except urllib.error.HTTPError as problem:
            status = problem.code
            problem.close()
        assert status in (400, 404), path


def test_demo_folder_is_closed_to_others() -> None:
    demo, _ = built_demo()
    for folder in ("records", "confidential"):
        assert Path(demo / folder).stat().st_mode & 0o077 == 0
