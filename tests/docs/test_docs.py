"""Docs are true: every command in them runs, every snippet that names a file is used, links lead somewhere.

In a page, `sh` blocks run in order in one empty folder; a block that begins with `# file: NAME` is written to
that file; `sh` blocks marked `fails N` must exit with N.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(p for p in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"] if "schemas" not in p.parts)
BLOCK = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"\A(?:#|<!--) file: (\S+?)(?: -->)?\n")
FENCE = "~~~"


def blocks(page: Path) -> list[tuple[str, str]]:
    return [(info.strip(), body) for info, body in BLOCK.findall(page.read_text(encoding="utf-8"))]


def runnable(page: Path) -> bool:
    return any(info.split(" ")[0] == "sh" for info, _ in blocks(page))


@pytest.mark.parametrize("page", [p for p in PAGES if runnable(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CLERESTORY": str(ROOT),
        "COLUMNS": "120",
    }
    for info, body in blocks(page):
        named = FILE.match(body)
        if named:
            path = tmp_path / named.group(1)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body[named.end() :].replace(FENCE, "```"), encoding="utf-8")
        elif info.split(" ")[0] == "sh" and "not-run" not in info:
            wanted = re.search(r"fails (\d)", info)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", body],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == (int(wanted.group(1)) if wanted else 0), (
                body + done.stdout + done.stderr
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


def test_the_command_reference_is_what_help_says() -> None:
    from docs.make import command_reference

    page = ROOT / "docs" / "reference" / "commands.md"

    assert page.read_text(encoding="utf-8") == command_reference(), "run `make docs`"
