"""The site in a real browser under the policy it is served with."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.requirements import chromium

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
KINDS = (
    "/", "/permits/", "/permits/county/alpine/", "/es/permits/county/north-coast/",
    "/permits/people/year/2015/",
    "/roster/", "/methodology/", "/es/data-dictionary/", "/data/", "/accessibility/", "/no/such/page/",
)  # fmt: skip
"""A page of each kind."""


class _Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        body = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    made = context.new_page()
    troubles: list[str] = []
    made.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
    made.on("pageerror", lambda e: troubles.append(str(e)))
    yield made
    context.close()
    assert not [t for t in troubles if "404" not in t]


@pytest.mark.parametrize("place", KINDS)
def test_nothing_for_axe_to_find(address: str, page: Page, place: str) -> None:
    answer = page.goto(address + place, wait_until="load")
    assert answer is not None and answer.status == (404 if "no/such" in place else 200)
    for details in page.locator("details").all():
        details.evaluate("one => { one.open = true }")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"][:160]) for v in found] == []


@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_is_wider_than_the_screen(address: str, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    for place in KINDS:
        page.goto(address + place)
        for details in page.locator("details").all():
            details.evaluate("one => { one.open = true }")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, place
    context.close()


def test_choosing_swaps_charts_tables_title_and_address_and_back_undoes_it(address: str, page: Page) -> None:
    page.goto(address + "/permits/")
    page.evaluate("window.stayed = true")
    page.locator("#chart-years summary").click()
    before = page.locator("#chart-years").inner_html()

    page.get_by_label("County", exact=True).select_option(label="Alameda")
    page.wait_for_url("**/permits/county/alameda/")

    expect(page).to_have_title(re.compile("Alameda"))
    assert page.locator("#chart-years").inner_html() != before
    assert page.locator("#chart-years details").evaluate("one => one.open")
    assert page.evaluate("document.activeElement.id") == "choose-county"
    assert "Alameda" in page.locator("#said").inner_text()
    assert page.locator("h1").inner_text().endswith("Alameda")
    assert (
        page.locator('.languages a[lang="es"]')
        .evaluate("one => one.href")
        .endswith("/es/permits/county/alameda/")
    )
    page.get_by_label("County", exact=True).select_option(label="North Coast")
    expect(page).to_have_title(re.compile("North Coast"))
    page.go_back()
    expect(page).to_have_title(re.compile("Alameda"))
    page.go_back()
    expect(page).not_to_have_title(re.compile("Alameda"))
    assert page.url == address + "/permits/"
    assert page.locator("#chart-years svg.plot").inner_html() in before
    page.go_forward()
    expect(page).to_have_title(re.compile("Alameda"))
    assert page.evaluate("window.stayed"), "pages were swapped in, not loaded"


def test_two_controls_keep_each_other(address: str, page: Page) -> None:
    page.goto(address + "/permits/people/")
    page.get_by_label("Gender", exact=True).select_option(label="Women")
    page.wait_for_url("**/people/gender/women/")
    expect(page).to_have_title(re.compile("Women"))
    page.get_by_label("Year", exact=True).select_option(label="2015")
    page.wait_for_url("**/people/gender/women/year/2015/")


def test_the_list_of_links_works_by_keyboard(address: str, page: Page) -> None:
    page.goto(address + "/permits/")
    page.locator(".all summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Alpine", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("Alpine"))
    assert page.url.endswith("/permits/county/alpine/")


def test_the_mark_under_the_pointer_says_its_number(address: str, page: Page) -> None:
    page.goto(address + "/permits/")
    mark = page.locator("#chart-ranking svg [aria-label]").first
    mark.hover()
    assert page.locator(".tip").inner_text() == mark.get_attribute("aria-label")


def test_everything_is_there_without_scripts(address: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/permits/county/fresno/")
    assert page.locator("figure.chart svg.plot").count() >= 3
    page.locator("#chart-years summary").click()
    assert page.locator("#chart-years table").is_visible()
    assert not page.locator(".choose").first.is_visible()
    page.locator(".all summary").first.click()
    page.get_by_role("link", name="Alpine", exact=True).click()
    page.wait_for_url("**/permits/county/alpine/")
    assert "Alpine" in page.locator("h1").inner_text()
    context.close()


def test_print_shows_every_table_and_no_controls(address: str, page: Page) -> None:
    page.goto(address + "/permits/")
    page.emulate_media(media="print")
    assert not page.locator(".controls").is_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#chart-years table").is_visible()
