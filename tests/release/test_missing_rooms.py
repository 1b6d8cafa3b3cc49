"""Rooms taken away for real: an import made up at run time, which import contracts cannot see, fails here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import clerestory
from clerestory.release.proof.prove import prove
from tests.release.proving import facts_of, files_of, protected, released

SEED = 12
DATABASES = ("duckdb", "ibis", "psycopg", "sqlite3")
SOLVER = ("highspy",)
DRAWING = ("vl_convert", "jinja2", "markdown_it")

IMPORT_ALL = """
import json, pkgutil, sys, importlib
import clerestory
names = []
for room in sys.argv[1].split(","):
    package = importlib.import_module("clerestory." + room)
    names.append(package.__name__)
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if found.name.endswith("._circuits"):
            continue  # a library, no module
        importlib.import_module(found.name)
        names.append(found.name)
print(json.dumps([clerestory.__file__, names]))
"""
SERVE = """
import sys
from pathlib import Path
from clerestory.serve import Request, Site
from clerestory.serve.page import View
releases = Path(sys.argv[1])
view = View(release=str((releases / "current").readlink()), live=True)
print(Site(releases).answer(Request("GET", sys.argv[2].encode(), []), view).status)
"""


class Machine:
    """A copy of the code from which rooms are missing, and libraries cannot be imported."""

    def __init__(self, folder: Path, *, without: tuple[str, ...], blocked: tuple[str, ...]) -> None:
        self.code = folder / "code"
        shutil.copytree(
            Path(clerestory.__file__).parent,
            self.code / "clerestory",
            ignore=shutil.ignore_patterns("__pycache__", "templates"),
        )
        for name in without:
            path = self.code / "clerestory" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (self.code / "sitecustomize.py").write_text(
            f"import sys\nsys.modules.update(dict.fromkeys({[*blocked]!r}))\n", encoding="utf-8"
        )

    def run(self, *arguments: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.code,
            env={"PYTHONPATH": str(self.code), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that carries its proof."""
    _, public, rule = protected(SEED)
    folder = released(
        tmp_path_factory.mktemp("missing") / "releases", files_of(public, rule), facts_of(public, rule)
    )
    prove(folder)
    return folder


def test_what_is_drawn_attacked_proven_and_served_needs_no_records(release: Path, tmp_path: Path) -> None:
    machine = Machine(tmp_path, without=("confidential",), blocked=DATABASES)
    origin, names = json.loads(machine.run("-c", IMPORT_ALL, "serve,site,release,attack,tables,policy"))
    assert Path(origin).is_relative_to(machine.code)
    assert {"clerestory.site.pages", "clerestory.release.proof.prove", "clerestory.attack.decide"} <= set(
        names
    )
    clone = tmp_path / release.name
    shutil.copytree(release, clone)
    shutil.rmtree(clone / "proof")
    machine.run("-m", "clerestory", "prove", clone)
    assert (clone / "proof" / "source.json").read_bytes() == (release / "proof" / "source.json").read_bytes()


def test_a_proof_is_checked_without_solver_records_and_compiled_search(release: Path, tmp_path: Path) -> None:
    compiled = next((Path(clerestory.__file__).parent / "attack").glob("_circuits.*")).name
    gone = ("confidential", "site", "serve", f"attack/{compiled}", "attack/programs.py", "attack/decide.py")
    machine = Machine(tmp_path, without=gone, blocked=(*DATABASES, *SOLVER, *DRAWING))
    assert "The proof holds" in machine.run("-m", "clerestory", "verify", release)


def test_a_release_is_served_without_anything_that_draws_attacks_or_counts(
    release: Path, tmp_path: Path
) -> None:
    gone = ("confidential", "site", "attack", "api", "cli", "project")
    machine = Machine(tmp_path, without=gone, blocked=(*DATABASES, *SOLVER, *DRAWING, "scipy", "numpy"))
    (release.parent / "current").unlink(missing_ok=True)
    (release.parent / "current").symlink_to(release.name)
    page = next(path.relative_to(release / "site").as_posix() for path in (release / "site").rglob("*.csv"))
    assert machine.run("-c", SERVE, release.parent, f"/{page}").strip() == "200"
