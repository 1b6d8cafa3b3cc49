"""Screenshots of the demonstration at phone and desktop width, in Debian's Chromium."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.requirements import chromium

SHOTS = {
    "home": "/",
    "firearms": "/firearms/",
    "ccw": "/firearms/ccw/",
    "ccw-fresno": "/firearms/ccw/county/fresno/",
    "dros": "/firearms/dros/",
    "gvro-es": "/es/firearms/gvro/",
    "custody": "/deaths-in-custody/",
    "methodology": "/methodology/",
}
WIDTHS = (390, 1440)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def take_review(folder: Path, project: Path = Path("demo")) -> None:
    """Writes review-WIDTH.png of the review page of the release that was built last into `folder`."""
    from clerestory.api.review import review

    page_file = review(project).file.resolve()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900})
            page.goto(page_file.as_uri())
            height = 1900 if width < 500 else 1350
            clip = {"x": 0, "y": 0, "width": width, "height": height}
            page.screenshot(path=folder / f"review-{width}.png", full_page=True, clip=clip)
        browser.close()


def take(folder: Path, project: Path = Path("demo")) -> None:
    """Writes NAME-WIDTH.png of each page of the built project into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "clerestory", "serve", str(project), "--port", "8600"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    address = next(m.group() for line in server.stdout if (m := re.search(r"http://[\d.]+:\d+", line)))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            for width in WIDTHS:
                context = browser.new_context(viewport={"width": width, "height": 900})
                page = context.new_page()
                for name, place in SHOTS.items():
                    page.goto(address + place)
                    page.screenshot(
                        path=folder / f"{name}-{width}.png",
                        full_page=True,
                        clip={"x": 0, "y": 0, "width": width, "height": 1900 if width < 500 else 1350},
                    )
                context.close()
            browser.close()
    finally:
        server.terminate()
        server.wait(timeout=20)
    take_review(folder, project)


if __name__ == "__main__":
    take(Path(__file__).resolve().parent / "images", Path(sys.argv[1] if len(sys.argv) > 1 else "demo"))
