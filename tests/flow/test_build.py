"""The whole way on a small project, by command."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.flow.gate import go_live
from tests.flow.small_project import let_change, run, write_visits

SECRET = ("Z0000", "Surname", "note ")


def release_bytes(project: Path) -> dict[str, bytes]:
    current = (project / "releases" / "staged").resolve()
    return {str(p.relative_to(current)): p.read_bytes() for p in sorted(current.rglob("*")) if p.is_file()}


def test_a_project_builds_and_says_what_became_of_its_cells(project: Path) -> None:
    done = run("build", project, "--format", "json")

    assert done.code == 0, done.err
    said = done.json
    assert said["cells"]["published"] > 50
    assert said["cells"]["hidden"]["primary"] > 0
    assert said["cells"]["hidden"]["secondary"] > 0
    assert said["cells"]["under_protected"] == 0
    assert said["sources"]["visits"]["audit"]["level"] == 2
    assert (project / "releases" / "staged" / "site" / "visits" / "index.html").is_file()


def test_the_same_project_and_day_give_the_same_bytes(project: Path) -> None:
    first = run("build", project, "--date", "2024-02-03", "--format", "json")
    before = release_bytes(project)
    second = run("build", project, "--date", "2024-02-03", "--format", "json")

    assert first.code == second.code == 0
    assert release_bytes(project) == before
    assert first.json["release"] == second.json["release"]


def test_no_public_byte_holds_an_identifier_or_an_unused_field(project: Path) -> None:
    assert run("build", project).code == 0

    for path, content in release_bytes(project).items():
        for secret in SECRET:
            assert secret.encode() not in content, path


def test_confidential_folders_are_for_their_owner_only(project: Path) -> None:
    assert run("build", project).code == 0

    for folder in ("confidential", "confidential/reports", "records"):
        assert stat.S_IMODE((project / folder).stat().st_mode) == 0o700, folder
    for file in (project / "confidential").rglob("*"):
        if file.is_file():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    names = {path.split("/")[0] for path in release_bytes(project)}
    assert names == {"manifest.json", "proof", "site", "structure"}


def test_a_scheduled_build_takes_in_new_rows_and_says_what_changed(project: Path) -> None:
    let_change(project, "cumulative")
    assert run("build", project, "--date", "2024-01-01").code == 0
    go_live(project)
    write_visits(project / "records" / "visits.csv", rows=1400)

    done = run("build", project, "--date", "2024-01-08", "--format", "json")

    assert done.code == 0, done.err
    changes = done.json["changes"]
    assert [table["changed"]["count"] > 0 for table in changes["tables"]] == [True]

    go_live(project)
    text = run("build", project, "--date", "2024-01-08")
    assert "Nothing changed" in text.out


def test_two_builds_at_once_one_is_told_to_wait(project: Path) -> None:
    command = [sys.executable, "-m", "clerestory", "build", str(project)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lock = project / "confidential"
    deadline = time.monotonic() + 30
    while not list(lock.glob("*lock*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    second = run("build", project)

    assert first.wait(timeout=120) == 0
    if first.stdout:
        first.stdout.close()
    if first.stderr:
        first.stderr.close()
    assert second.code == 2
    assert "another build" in second.err


@pytest.mark.parametrize("after", [0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.2])
def test_a_killed_build_leaves_the_earlier_release_whole(project: Path, after: float) -> None:
    let_change(project, "cumulative")
    assert run("build", project, "--date", "2024-01-01").code == 0
    before = release_bytes(project)
    write_visits(project / "records" / "visits.csv", rows=1400)
    process = subprocess.Popen(
        [sys.executable, "-m", "clerestory", "build", str(project), "--date", "2024-01-08"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(after)
    os.killpg(process.pid, signal.SIGKILL)
    finished = process.wait() == 0

    if not finished:
        now = release_bytes(project)
        assert now == before or json.loads(now["manifest.json"])["date"] == "2024-01-08"
    assert run("build", project, "--date", "2024-01-08").code == 0
    assert not list((project / "releases").glob(".staging-*"))
