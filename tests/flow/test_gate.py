"""The whole flow by command, with four people: build, reject, recount, approve, publish, report, takedown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clerestory.confidential.review import read_review
from clerestory.serve.confine import obstacle
from tests.flow.small_project import Ran, run

PASSPHRASE = "a sentence that only a test knows"
PEOPLE = {
    "ana": ["analyst"],
    "bo": ["analyst"],
    "rosa": ["reviewer"],
    "rui": ["reviewer"],
    "paul": ["publisher"],
    "ines": ["incident-officer"],
}
TRUSTEES = ("rosa", "paul", "ines")


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of everybody, by command."""
    monkeypatch.setenv("CLERESTORY_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("CLERESTORY_PASSPHRASE", PASSPHRASE)
    for name in PEOPLE:
        assert run("keys", "new", name).code == 0


def agree(project: Path) -> str:
    """A root of trust, by command; its digest."""
    today = datetime.now(UTC).date()
    later = today + timedelta(days=300)
    lines = [f"expires = {later}", "threshold = 2", f"trustees = {json.dumps(TRUSTEES)}"]
    for name, roles in PEOPLE.items():
        key = run("keys", "show", name).out.split()[-1].strip('",')
        lines += [
            f"[people.{name}]",
            f'name = "{name.title()}"',
            f"roles = {json.dumps(roles)}",
            f'keys = ["{key}"]',
            f'training = [{{ course = "sdc", date = {today}, expires = {later} }}]',
        ]
    lines += ["[gate]", "reviewers = 2", "recount = true", 'courses = ["sdc"]']
    lines += ["[floor]", 'profile = "calhhs-ddg-2.0"', ""]
    (project / "trust.toml").write_text("\n".join(lines), "utf-8")
    assert run("trust", "propose", project).code == 0
    for name in TRUSTEES[:2]:
        done = run("trust", "sign", project, "--as", name)
        assert done.code == 0, done.err
    assert run("trust", "accept", project).code == 0
    return str(run("trust", "show", project, "--format", "json").json["digest"])


def command(*words: object, typed: str = "") -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "clerestory", *map(str, words)],
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def answered(project: Path, release: str, who: str) -> Path:
    """Reads the review page and answers it in the terminal, as somebody does who has no script."""
    folder = project / "confidential" / "reviews" / release
    page = read_review(folder)
    words = [page.word(section) for section, _ in page.sections]
    file = folder / f"answers-{who}.json"
    typed = "\n".join([who, *words, *("yes\n" for _ in page.questions)])
    done = command("review", release, "--project", project, "--answer", "--to", file, typed=typed + "\n")
    assert done.code == 0, done.err
    return file


@contextmanager
def serving(project: Path) -> Iterator[str]:
    words = ["serve", str(project), "--port", "0", *(["--unconfined"] if obstacle() else [])]
    server = subprocess.Popen(
        [sys.executable, "-m", "clerestory", *words], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    try:
        yield line.split(" on ")[1].split()[0]
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


def status(address: str, form: dict[str, str] | None = None) -> int:
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.urlopen(address, data=data, timeout=20) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as problem:
        return problem.code


def within(seconds: float, address: str, wanted: int) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if status(address) == wanted:
            return True
        time.sleep(0.02)
    return False


def test_four_people_and_an_outsider(project: Path, people: None, tmp_path: Path) -> None:
    root = agree(project)
    at = ("--project", project)

    done = run("build", project, "--as", "ana")
    assert done.code == 0 and "handed to the reviewers" in done.out, done.err
    first = (project / "releases" / "staged").resolve().name
    assert run("serve", project).code != 0, "nothing is served that was not published"
    assert run("review", first, *at, "--no-open").code == 0
    assert run("approve", first, "--as", "rosa", *at).code == 1, "the page was not answered"
    assert run("reject", first, "--as", "rosa", "--reason", "A wrong title", *at).code == 0
    assert run("publish", first, "--as", "paul", *at).code == 1

    settings = project / "clerestory.toml"
    settings.write_text(settings.read_text("utf-8").replace("Test Statistics", "Better Statistics"), "utf-8")
    assert run("build", project, "--as", "ana").code == 0
    second = (project / "releases" / "staged").resolve().name
    assert second != first

    assert run("rebuild-and-compare", second, "--as", "ana", *at).code == 1, "the builder does not recount"
    recounted = run("rebuild-and-compare", second, "--as", "bo", *at)
    assert recounted.code == 0 and "The same, every byte" in recounted.out, recounted.err
    assert run("review", second, *at, "--no-open").code == 0
    assert run("approve", second, "--as", "ana", "--answers", answered(project, second, "ana"), *at).code == 1
    for who in ("rosa", "rui"):
        done = run("approve", second, "--as", who, "--answers", answered(project, second, who), *at)
        assert done.code == 0, done.err
    assert run("approvals", second, *at).code == 0
    assert run("publish", second, "--as", "rosa", *at).code == 1
    done = run("publish", second, "--as", "paul", *at)
    assert done.code == 0, done.err

    with serving(project) as address:
        assert status(address) == 200
        outside = run("verify", address, "--root", root)
        assert outside.code == 0, outside.err
        assert "approved by rosa, rui" in outside.out and "published by paul" in outside.out
        assert run("verify", address, "--root", "0" * 64).code == 1

        page = address + "visits/"
        told = {"page": page, "text": "A name stands in the download", "language": "en"}
        assert status(address + "report", told) == 202
        listed = run("reports", "list", *at, "--format", "json")
        report = listed.json["reports"][0]["report"]
        finding = tmp_path / "finding.txt"
        finding.write_text("Looked at every download as a stranger: a name in visits.csv", "utf-8")
        said = ("--reason", "a name in visits.csv", "--finding", finding, "--exposes", *at)
        assert run("reports", "answer", report, "--as", "ana", *said).code == 1
        done = run("reports", "answer", report, "--as", "ines", *said)
        assert done.code == 0 and "is withdrawn" in done.out, done.err
        assert within(1.5, address, 410)
        assert run("publish", second, "--as", "paul", *at).code == 1, "it does not come back"
        assert status(address) == 410

    with serving(project) as address:
        assert status(address) == 410, "nor by a restart"
        reason = ("--reason", "It was the name of a street", *at)
        assert run("restore", second, "--as", "ines", *reason).code == 0
        assert status(address) == 410
        assert run("restore", second, "--as", "ines", *reason).code == 1
        assert run("restore", second, "--as", "paul", *reason).code == 0
        assert within(1.5, address, 200)
        done = run("takedown", "--as", "paul", "--reason", "for the test", *at)
        assert done.code == 0 and "Evidence" in done.out, done.err
        assert within(1.5, address, 410)

    assert run("ledger", "verify", project).code == 0
    shown = run("ledger", "show", project, "--format", "json").json
    kinds = [(entry["kind"], entry["person"]) for entry in shown["entries"]]
    assert kinds == [
        ("built", "ana"),
        ("rejected", "rosa"),
        ("built", "ana"),
        ("recounted", "bo"),
        ("approved", "rosa"),
        ("approved", "rui"),
        ("published", "paul"),
        ("reported", ""),
        ("answered", "ines"),
        ("withdrawn", ""),
        ("restored", "ines"),
        ("restored", "paul"),
        ("withdrawn", "paul"),
    ]
