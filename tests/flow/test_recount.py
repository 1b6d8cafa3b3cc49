"""A second person's recount: the same bytes from the same sources, and what is other if they are not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.flow.small_project import edit, let_change, run, write_project, write_visits


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases, the second protected together with the first."""
    root = write_project(tmp_path_factory.mktemp("recount") / "project")
    let_change(root, "cumulative")
    assert run("build", root, "--date", "2024-01-01").code == 0
    write_visits(root / "records" / "visits.csv", rows=1200)
    assert run("build", root, "--date", "2024-02-01").code == 0
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "project", symlinks=True))


def everything(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_the_same_sources_give_the_same_bytes_and_nothing_is_left(root: Path) -> None:
    before = everything(root)
    done = run("rebuild-and-compare", "--project", root, "--format", "json")
    assert done.code == 0, done.err
    assert done.json["same"] and done.json["differences"] == []
    assert done.json["manifest"].startswith(done.json["release"].removeprefix("r-"))
    assert everything(root) == before


def test_an_earlier_release_is_recounted_with_the_releases_before_it(root: Path) -> None:
    first = json.loads((root / "ledger.jsonl").read_text().splitlines()[0])["release"]
    write_visits(root / "records" / "visits.csv", rows=900)
    done = run("rebuild-and-compare", first, cwd=root)
    assert done.code == 0 and "The same, every byte" in done.out, done.err


def test_other_records_are_found_and_named_without_a_value(root: Path) -> None:
    write_visits(root / "records" / "visits.csv", rows=1300)
    before = everything(root)
    done = run("rebuild-and-compare", "--project", root, "--format", "json")
    assert done.code == 1 and not done.json["same"]
    (table,) = [line for line in done.json["differences"] if line.startswith("Table visits")]
    assert "with another number" in table and "=" not in table
    assert any("files with other bytes" in line for line in done.json["differences"])
    assert everything(root) == before


def test_another_text_is_found(root: Path) -> None:
    edit(root, "dashboards/visits.md", "Invented visits.", "Imagined visits.")
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 1 and "site/visits/index.html" in done.out and "Table" not in done.out


def test_a_project_that_cannot_be_built_any_more_is_refused_and_cleaned_up(root: Path) -> None:
    edit(root, "tables/visits.toml", 'changes = "cumulative"', 'changes = "frozen"')
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 1
    assert not list((root / "confidential").glob("recount-*"))


def test_without_the_seed_nothing_is_compared(root: Path) -> None:
    (root / "confidential" / "seed").unlink()
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 2 and "seed is not here" in done.err


def test_records_outside_the_project_are_found(tmp_path: Path) -> None:
    root = write_project(tmp_path / "office" / "project")
    (tmp_path / "shared").mkdir()
    (root / "records" / "visits.csv").rename(tmp_path / "shared" / "visits.csv")
    edit(root, "sources/visits.toml", "records/visits.csv", "../../shared/vis*.csv")
    assert run("build", root, "--date", "2024-01-01").code == 0
    done = run("rebuild-and-compare", "--project", root)
    assert done.code == 0, done.err
    assert not list((root / "confidential").glob("recount-*"))
