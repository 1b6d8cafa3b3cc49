"""The ledger: a line a release, each holding the digest of the one before."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clerestory.errors import InputError, Refused
from clerestory.release import ledger
from clerestory.release.bundle import commit, stage
from clerestory.release.lock import lock
from clerestory.release.verify import Release


def release(root: Path, title: str) -> Release:
    files = [("site/index.txt", title.encode(), "file")]
    return commit(stage(root / "releases", files, title=title, date=date(2026, 1, 2), tables={}))


def project(root: Path, count: int = 3) -> Path:
    with lock(root / "confidential") as held:
        for number in range(count):
            ledger.record(root, release(root, f"Release {number}"), held=held)
    return root


def test_every_release_is_a_line_that_holds_the_digest_of_the_one_before(tmp_path: Path) -> None:
    found = ledger.entries(project(tmp_path))

    assert [entry.seq for entry in found] == [0, 1, 2]
    assert found[0].previous == ledger.FIRST
    assert [entry.previous for entry in found[1:]] == [entry.digest for entry in found[:-1]]
    assert {entry.date for entry in found} == {"2026-01-02"}
    assert ledger.verify(tmp_path) == found
    assert ledger.said(found)["head"] == found[-1].digest


def test_the_last_release_is_not_written_twice(tmp_path: Path) -> None:
    project(tmp_path, 1)
    with lock(tmp_path / "confidential") as held:
        ledger.record(tmp_path, release(tmp_path, "Release 0"), held=held)
    assert len(ledger.entries(tmp_path)) == 1


def test_a_project_without_a_ledger_has_released_nothing(tmp_path: Path) -> None:
    assert ledger.entries(tmp_path) == ()
    with lock(tmp_path / "confidential") as held:
        assert ledger.adopt(tmp_path, held=held) == ()


def test_the_lock_of_another_project_does_not_do(tmp_path: Path) -> None:
    with (
        lock(tmp_path / "other" / "confidential") as held,
        pytest.raises(InputError, match="another project"),
    ):
        ledger.record(tmp_path, release(tmp_path, "Release"), held=held)


@settings(deadline=None)
@given(data=st.data())
def test_no_line_can_be_changed_moved_or_taken_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    root = project(tmp_path_factory.mktemp("project"))
    content = (root / ledger.NAME).read_bytes()
    lines = content.splitlines(keepends=True)
    way = data.draw(st.sampled_from(["byte", "drop", "swap", "torn"]))
    if way == "byte":
        place = data.draw(st.integers(0, len(b"".join(lines[:2])) - 1))
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
        changed = content[:place] + bytes([other]) + content[place + 1 :]
    elif way == "drop":
        changed = b"".join(lines[data.draw(st.integers(1, 2)) :])
    elif way == "swap":
        changed = lines[1] + lines[0] + lines[2]
    else:
        changed = content[: -data.draw(st.integers(1, len(lines[2]) - 1))]

    with pytest.raises(Refused, match=r"ledger.jsonl"):
        ledger.parse(changed)


def test_a_release_that_is_missing_or_changed_is_named(tmp_path: Path) -> None:
    found = ledger.entries(project(tmp_path))
    manifest = tmp_path / "releases" / found[1].release / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")

    with pytest.raises(Refused, match=found[1].release) as refused:
        ledger.verify(tmp_path)
    assert found[0].release not in str(refused.value)
    assert "restore" in refused.value.fix


def test_a_ledger_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    (root / ledger.NAME).rename(tmp_path / "elsewhere")
    (root / ledger.NAME).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Refused, match="cannot be read"):
        ledger.entries(root)
