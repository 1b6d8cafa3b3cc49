"""The review of a release, by command, in a browser with the keyboard alone, and in the terminal."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

from clerestory.api.approving import approve
from clerestory.api.gate import signed
from clerestory.api.review import answers_for, review
from clerestory.errors import ClerestoryError, InputError, Refused
from clerestory.policy import GateRules, Question
from clerestory.release.ledger import Kind
from tests.flow.gate import go_live, trusted
from tests.flow.small_project import edit, let_change, run, write_project, write_visits
from tests.release.signing import signer
from tests.requirements import chromium


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases: the live one and, with more records and a typed number, the one to review."""
    root = write_project(tmp_path_factory.mktemp("review") / "project")
    let_change(root, "cumulative")
    assert run("build", root, "--date", "2024-01-01").code == 0
    go_live(root)
    write_visits(root / "records" / "visits.csv", rows=1200)
    edit(root, "dashboards/visits.md", "in 2021.", "in 2021, of 43 people.")
    assert run("build", root, "--date", "2024-02-01").code == 0
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    """The same project without a review, for a test that changes it."""
    left_out = shutil.ignore_patterns("reviews")
    return Path(shutil.copytree(built, tmp_path / "project", symlinks=True, ignore=left_out))


def _live(root: Path) -> str:
    return (root / "releases" / "current").resolve().name


def page_of(root: Path) -> Path:
    (page,) = (root / "confidential" / "reviews").glob("*/review.html")
    return page


def answers(root: Path, **changes: object) -> Path:
    """Whole answers of who agrees, as the page would save them."""
    record = json.loads(page_of(root).with_name("review.json").read_text())
    words = dict(re.findall(r'data-section="(\w+)" data-word="([a-z-]+)"', page_of(root).read_text()))
    said = {
        "format": "clerestory-answers/1",
        "release": record["release"],
        "manifest": record["manifest"],
        "page": record["page"],
        "by": "Rosa Luz",
        "codes": words,
        "answers": {one: {"answer": "yes", "note": ""} for one, *_ in record["questions"]},
        **changes,
    }
    file = root / "answers.json"
    file.write_text(json.dumps(said), encoding="utf-8")
    return file


def test_the_page_is_confidential_and_says_what_changed(built: Path) -> None:
    done = run("review", "--project", built, "--format", "json")
    assert done.code == 0, done.err
    page = Path(done.json["page"])
    for folder in (page.parent, page.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in page.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "releases" not in page.parts
    text = page.read_text()
    live = _live(built)
    assert done.json["live"] == live and f"<code>{live}</code>" in text
    assert "Table visits: 33.3% more in total; that is a lot." in text
    assert "<mark>43</mark>" in text
    assert {"changes", "prose"} <= {one["section"] for one in done.json["look_at"]}


def test_no_hidden_number_and_no_record_is_on_the_page(built: Path) -> None:
    review(built)
    text = page_of(built).read_text()
    assert not re.search(r"Surname\d|Z0000\d", text)
    report = json.loads(next((built / "confidential" / "reports").glob("*.json")).read_text())
    assert report["counts"]["visits"]["visits"]["by"]["town"]["Fir"] > 0
    assert "Fields that were never read" in text and "visits.surname" in text


def test_the_same_release_gives_the_same_page_but_for_its_words(root: Path) -> None:
    first = review(root)
    bytes_ = page_of(root).read_bytes()
    again = review(root)
    assert again.review == first.review and page_of(root).read_bytes() == bytes_
    shutil.rmtree(root / "confidential" / "reviews")
    fresh = review(root)
    assert fresh.review.page == first.review.page
    assert fresh.review.nonce != first.review.nonce

    def blank(written: bytes, nonce_of: object) -> str:
        text = written.decode()
        for section, _ in nonce_of.review.sections:  # type: ignore[attr-defined]
            text = text.replace(nonce_of.review.word(section), "WORD")  # type: ignore[attr-defined]
        return text

    assert blank(page_of(root).read_bytes(), fresh) == blank(bytes_, first)


def test_whole_answers_are_taken(root: Path) -> None:
    written = review(root)
    found = answers_for(root, written.review.release, answers(root))
    assert found.agrees and found.by == "Rosa Luz" and re.fullmatch(r"[0-9a-f]{64}", found.digest)


def test_a_no_is_refused_with_its_reason_unless_it_is_asked_for(root: Path) -> None:
    release = review(root).review.release
    file = answers(root)
    said = json.loads(file.read_text())
    said["answers"]["prose"] = {"answer": "no", "note": "43 is not right"}
    file.write_text(json.dumps(said))
    with pytest.raises(Refused, match="43 is not right"):
        answers_for(root, release, file)
    assert answers_for(root, release, file, agreeing=False).no == (("prose", "43 is not right"),)


def test_answers_about_another_release_are_refused(root: Path) -> None:
    own = review(root).review.release
    file = answers(root)
    review(root, _live(root))
    with pytest.raises(Refused, match="about another release"):
        answers_for(root, _live(root), file)
    assert answers_for(root, own, file).agrees


def test_a_page_that_was_changed_after_it_was_made_is_refused(root: Path) -> None:
    release = review(root).review.release
    file = answers(root)
    page = page_of(root)
    page.write_text(page.read_text().replace("43", "44"))
    with pytest.raises(Refused, match="changed after it was made"):
        answers_for(root, release, file)


def test_answers_are_refused_once_something_else_is_live(root: Path) -> None:
    release = review(root).review.release
    file = answers(root)
    assert answers_for(root, release, file).agrees
    edit(root, "dashboards/visits.md", "43 people", "44 people")
    assert run("build", root, "--date", "2024-03-01").code == 0
    go_live(root)
    with pytest.raises(Refused, match="what is live or the checklist has changed"):
        answers_for(root, release, file)


def test_the_questions_are_those_of_the_gate(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project")
    assert run("build", root, "--date", "2024-01-01").code == 0
    assert [one.id for one in review(root).review.questions][:2] == ["files", "fields"]
    file = answers(root)
    trusted(root, GateRules(checklist=(Question("aim", "Is it what was asked for?"),)))
    with pytest.raises(Refused, match="the checklist has changed"):
        answers_for(root, "", file)
    asked = [one.id for one in review(root).review.questions]
    assert asked[:2] == ["files", "fields"] and asked[-1] == "aim"
    assert "Is it what was asked for?" in page_of(root).read_text()


def test_an_approval_carries_the_digest_of_the_answers(root: Path) -> None:
    release = review(root).review.release
    file = answers(root)
    signed(root, Kind.BUILT, release, signer("ana"))
    approve(root, release, signer("ben"), file)
    digest = answers_for(root, release, file).digest
    (statement,) = (root / "releases" / release / "signatures").glob("approved-*")
    said = json.loads(base64.b64decode(json.loads(statement.read_text())["payload"]))
    assert digest in json.dumps(said) and "Rosa" not in json.dumps(said)
    assert review(root).review.page == json.loads(file.read_text())["page"]


def test_what_is_not_there_is_said(root: Path) -> None:
    for problem, release in (("no such release", "r-000000000000"), ("not the id", "elsewhere")):
        done = run("review", release, "--project", root, cwd=root)
        assert done.code == 2 and problem in done.err
    with pytest.raises(InputError, match="no review"):
        answers_for(root, "", root / "answers.json")
    shutil.rmtree(root / "confidential" / "reports")
    assert "reports of this release are not here" in run("review", "--project", root).err


def test_sums_have_no_smallest_group_and_their_widths_are_in_their_unit(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project")
    settings = root / "clerestory.toml"
    settings.write_text(settings.read_text() + "\n[policy]\np_percent = 10\nminimum_contributors = 3\n")
    tables = root / "tables" / "visits.toml"
    fees = '[fees]\nsource = "visits"\ntitle = "Fees"\nsum = "fee"\n\n[fees.dimensions]\n'
    fees += 'town = { hierarchy = "places" }\n\n[fees.publish]\nmargins = [["town"]]\n'
    tables.write_text(tables.read_text() + "\n" + fees)
    assert run("build", root, "--date", "2024-01-01").code == 0
    text = review(root).file.read_text()
    assert "a sum, or nothing shown" in text and "counts the sum of fee" in text
    assert "fees: added up" in text
    assert re.search(r"<dt>p% rule[^<]*</dt><dd>10", text)


def test_a_release_that_is_not_whole_gets_no_page(root: Path) -> None:
    page = (root / "releases" / "staged").resolve() / "site" / "index.html"
    page.write_text(page.read_text() + " ")
    with pytest.raises(ClerestoryError, match="not those of the manifest"):
        review(root)
    assert not (root / "confidential" / "reviews").exists()


def typed(root: Path, lines: list[str], *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clerestory", "review", "--project", str(root), "--answer", *more],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )


def test_without_a_browser_the_terminal_asks_for_every_word_and_every_question(root: Path) -> None:
    written = review(root)
    words = [written.review.word(section) for section, _ in written.review.sections]
    questions = len(written.review.questions)
    lines = ["", "Rosa Luz", "wrong-word", words[0].upper().replace("-", " "), *words[1:]]
    lines += ["perhaps", "y", "all expected", *["yes", ""] * (questions - 2), "no", "", "nobody is on call"]
    done = typed(root, lines)
    assert done.returncode == 0, done.stderr
    assert "That is not the word" in done.stderr and "clerestory reject" in done.stdout
    file = page_of(root).with_name(f"answers-{written.review.release}.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = answers_for(root, written.review.release, file, agreeing=False)
    assert found.no == (("takedown", "nobody is on call"),)
    assert json.loads(file.read_text())["answers"]["files"]["note"] == "all expected"
    assert "answers already" in typed(root, lines).stderr
    assert typed(root, lines[:9], "--to", "other.json").returncode == 2


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, built: Path) -> Iterator[Page]:
    review(built, "")
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    made = context.new_page()
    troubles: list[str] = []
    made.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
    made.on("pageerror", lambda e: troubles.append(str(e)))
    made.on("request", lambda r: troubles.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    made.goto(page_of(built).as_uri())
    yield made
    context.close()
    assert troubles == []


def _tab_to(page: Page, selector: str) -> None:
    """Presses Tab until the element has the focus."""
    for _ in range(200):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"not reached by keyboard: {selector}")


@pytest.mark.browser
def test_by_keyboard_alone_every_section_is_read_and_every_question_answered(
    page: Page, built: Path, tmp_path: Path
) -> None:
    record = json.loads(page_of(built).with_name("review.json").read_text())
    assert page.locator("fieldset:disabled").count() == len(record["questions"])
    for section, _ in record["sections"]:
        _tab_to(page, f'[data-section="{section}"]')
        page.keyboard.press("Enter")
        assert page.locator(f'[data-state="{section}"]').inner_text() == "✓ read"
    for number, (question, *_) in enumerate(record["questions"]):
        _tab_to(page, f'input[name="{question}"]')
        page.keyboard.press("Space")
        assert page.locator(f'input[name="{question}"][value="yes"]').is_checked()
        assert f"{number + 1} of {len(record['questions'])}" in page.locator("#status").inner_text() or (
            number + 1 == len(record["questions"])
        )
    _tab_to(page, "#by")
    page.keyboard.type("Rosa Luz")
    assert "You agree" in page.locator("#status").inner_text()
    _tab_to(page, "#save")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == f"answers-{record['release']}.json"
    file = tmp_path / "answers.json"
    download.value.save_as(file)
    assert file.read_text() == page.locator("#copy").input_value()
    assert answers_for(built, record["release"], file).by == "Rosa Luz"


@pytest.mark.browser
def test_a_no_needs_a_note_and_sends_the_release_back(page: Page) -> None:
    for button in page.locator(".read").all():
        button.click()
    for question in page.locator(".question").all():
        question.locator('input[value="yes"]').check()
    page.locator("#by").fill("Rosa Luz")
    assert page.locator("#save").is_visible()
    page.locator('input[name="sense"][value="no"]').check()
    assert not page.locator("#save").is_visible()
    page.locator("#note-sense").fill("2021 is far too high")
    assert "goes back" in page.locator("#status").inner_text()
    assert "clerestory reject" in page.locator("#next").inner_text()
    page.locator(".read").first.click()
    assert not page.locator("#save").is_visible()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_for_axe_to_find_and_nothing_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    for details in page.locator("details").all():
        details.evaluate("one => { one.open = true }")
    for button in page.locator(".read").all():
        button.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:160]) for one in found] == []


@pytest.mark.browser
def test_without_scripts_everything_is_there(browser: Browser, built: Path) -> None:
    review(built)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_of(built).as_uri())
    assert page.locator(".word").count() == 5
    assert page.locator(".without").is_visible()
    assert not page.locator(".read").first.is_visible()
    assert page.locator(".question").count() == 9
    assert page.locator(".question").first.is_visible()
    context.close()


@pytest.mark.browser
def test_print_shows_all_of_it(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator(".read").first.is_visible()
    assert page.locator(".codes").first.evaluate("one => one.scrollHeight <= one.clientHeight + 1")
