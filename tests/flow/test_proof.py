"""A build carries its proof; prove and verify by command, on the release's files alone."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from clerestory.api.build import build
from clerestory.errors import Refused
from tests.flow.demo import built_demo
from tests.flow.small_project import run
from tests.flow.test_build import release_bytes


def test_a_build_makes_a_proof_that_verify_accepts_without_the_project(project: Path, tmp_path: Path) -> None:
    built = run("build", project, "--format", "json")
    assert built.code == 0, built.err
    assert built.json["proof"]["sources"][0]["hidden"] == built.json["cells"]["hidden"]["total"]
    release = Path(built.json["folder"])
    clone = tmp_path / "clone" / release.name
    shutil.copytree(release, clone)
    shutil.rmtree(project)

    done = run("verify", clone, "--format", "json")
    assert done.code == 0, done.err
    assert done.json["proof"]["level"] == 2
    assert done.json["proof"]["sources"][0]["smallest"] >= 9

    before = (clone / "proof" / "visits.json").read_bytes()
    shutil.rmtree(clone / "proof")
    refused = run("verify", clone)
    assert refused.code == 1 and "no proof" in refused.err
    accepted = run("verify", clone, "--no-proof")
    assert accepted.code == 0 and "nothing was checked about its hidden numbers" in accepted.out

    assert run("prove", clone).code == 0
    assert (clone / "proof" / "visits.json").read_bytes() == before
    assert "The proof holds (level 2)" in run("verify", clone).out


def test_verify_says_what_is_wrong(project: Path) -> None:
    assert run("build", project).code == 0
    table = (project / "releases" / "staged" / "site" / "data" / "visits.csv").resolve()
    table.write_bytes(table.read_bytes().replace(b",hidden", b",", 1))

    done = run("verify", project, "--format", "json")

    assert done.code == 1
    assert "site/data/visits.csv" in done.json["problems"][0]["what"]
    assert run("verify", project / "records").code == 2


def test_without_a_proof_nothing_becomes_current(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("build", project).code == 0
    before = release_bytes(project)
    current = (project / "releases" / "staged").readlink()

    def refuse(folder: Path) -> dict[str, Any]:
        raise Refused("the release cannot be proven", where=folder.name)

    # The package offers the function `build` under the module's own name.
    monkeypatch.setattr(sys.modules["clerestory.api.build"], "prove_apart", refuse)
    settings = project / "clerestory.toml"
    settings.write_text(settings.read_text("utf-8").replace("Test Statistics", "New Statistics"), "utf-8")
    with pytest.raises(Refused, match="cannot be proven"):
        build(project)

    assert (project / "releases" / "staged").readlink() == current
    assert release_bytes(project) == before


def test_the_demo_carries_a_proof(tmp_path: Path) -> None:
    demo, said = built_demo()
    assert {source["source"] for source in said["proof"]["sources"]} == set(said["sources"]) - {"roster"}
    done = run("verify", demo, "--format", "json")
    assert done.code == 0, done.out
    assert done.json["proof"]["open_sources"] == ["roster"]


def test_a_project_that_asks_for_level_3(project: Path, tmp_path: Path) -> None:
    """Town by year, town by sex and sex by year form a cycle: the proof is about the finest cells too."""
    settings, tables = project / "clerestory.toml", project / "tables" / "visits.toml"
    settings.write_text(settings.read_text() + "\n[policy]\naudit_level = 3\ninsider_records = 2\n")
    tables.write_text(tables.read_text().replace('["year", "age"]]', '["year", "age"], ["sex", "year"]]'))

    built = run("build", project, "--format", "json")

    assert built.code == 0, built.err
    said = built.json["sources"]["visits"]["audit"]
    assert (said["level"], said["reached"], said["under_protected"]) == (3, 3, 0)
    assert [part["said"] for part in said["parts"]] == ["decided over the finest cells"]
    clone = tmp_path / "clone" / Path(built.json["folder"]).name
    shutil.copytree(built.json["folder"], clone)
    shutil.rmtree(project)
    proof = (clone / "proof" / "visits.json").read_bytes()
    shutil.rmtree(clone / "proof")
    assert run("prove", clone).code == 0
    assert (clone / "proof" / "visits.json").read_bytes() == proof
    done = run("verify", clone)
    assert done.code == 0 and "The proof holds (level 3)" in done.out and "finest cells" in done.out


def test_what_is_reached_is_said_where_margins_glue_together(project: Path) -> None:
    built = run("build", project, "--format", "json")
    assert built.json["sources"]["visits"]["audit"]["reached"] == 3
    release = Path(built.json["folder"])
    manifest = json.loads((release / "manifest.json").read_text())
    assert (manifest["tables"]["visits"]["level"], manifest["tables"]["visits"]["reached"]) == (2, 3)
    assert "level 3: its margins glue together" in run("verify", release).out
