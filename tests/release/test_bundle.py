"""A release is written whole or not at all, and what is live is always whole."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from clerestory.errors import InputError, Refused
from clerestory.release.bundle import Staged, commit, current, discard, live_id, stage, switch
from clerestory.release.lock import lock
from clerestory.release.manifest import Entry, Manifest, ReleaseId, id_of, parse
from clerestory.release.verify import read_manifest, verify_digests, whole

Stage = Callable[[Mapping[str, bytes]], Staged]
FILES = {"site/index.html": b"<!doctype html>", "site/data/b.csv": b"b\n", "site/data/a.csv": b"a\n"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_staging_folder_is_private_and_its_release_public(staged: Stage) -> None:
    made = staged(FILES)
    assert made.folder.name.startswith(".staging-") and mode(made.folder) == 0o700
    release = commit(made)
    assert release.folder.name == release.id and mode(release.folder) == 0o755
    assert mode(release.folder / "site") == mode(release.folder / "site/data") == 0o755
    assert {mode(release.folder / path) for path in FILES} == {0o644}
    assert not list(release.folder.parent.glob(".*"))


def test_modes_do_not_depend_on_the_umask(staged: Stage) -> None:
    before = os.umask(0o077)
    try:
        release = commit(staged(FILES))
    finally:
        os.umask(before)
    assert mode(release.folder / "site/data") == 0o755 and mode(release.folder / "site/data/a.csv") == 0o644


def test_the_manifest_is_canonical_and_names_the_release(staged: Stage) -> None:
    release = commit(staged(FILES))
    content = (release.folder / "manifest.json").read_bytes()
    said = json.loads(content)
    assert release.id == "r-" + sha256(content).hexdigest()[:12]
    assert said["format"] == "clerestory-release/1" and said["date"] == "2026-11-01"
    assert [file["path"] for file in said["files"]] == sorted(FILES)
    assert said["files"][0] == {
        "path": "site/data/a.csv",
        "sha256": sha256(b"a\n").hexdigest(),
        "size": 2,
        "what": "page",
    }
    assert said["tables"]["ccw"] == {
        "source": "ccw", "cells": 12, "hidden": 2, "level": 2, "interval_width": 9, "minimum_count": 11,
        "method": "suppression",
    }  # fmt: skip
    assert b"\r" not in content and content.endswith(b"}\n")


def test_the_same_files_in_another_order_are_the_same_release(staged: Stage) -> None:
    first = commit(staged(FILES))
    when = (first.folder / "manifest.json").stat().st_mtime_ns
    second = commit(staged(dict(reversed(FILES.items()))))
    assert second.id == first.id
    assert (second.folder / "manifest.json").stat().st_mtime_ns == when, "the first one is kept"
    assert sorted(p.name for p in first.folder.parent.iterdir()) == [first.id]


def test_a_damaged_release_of_the_same_name_is_set_aside(staged: Stage) -> None:
    first = commit(staged(FILES))
    (first.folder / "site/index.html").write_bytes(b"<!doctype HTML>")
    second = commit(staged(FILES))
    assert whole(second.folder)
    assert len(list(first.folder.parent.glob("damaged-*"))) == 1


BAD_PATHS = [
    "", "/etc/passwd", "../x", "site/../x", "site//x", "site/./x", "site/x/", "site/.hidden", "site/x.",
    "site\\x", "site/a b", "site/a:b", "site/ñ", "site/a\x00", "site/a\n", "site/%2e%2e", "site/con",
    "site/LPT1.txt", "site/-x", "a/" * 30 + "b", "site/" + "a" * 200, "manifest.json", "~/x", "C:/x",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD_PATHS)
def test_an_unsafe_path_is_refused_and_leaves_nothing(path: str, staged: Stage, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        staged({"site/index.html": b"x", path: b"x"})
    assert list((tmp_path / "releases").iterdir()) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("site/a", "site/A"),
        ("site/a/x", "site/A/y"),
        ("site/a", "site/a/b"),
        ("site/a/b", "site/a"),
        ("site/a/b", "site/A"),
    ],
)
def test_paths_that_clash_on_some_disk_are_refused(first: str, second: str, staged: Stage) -> None:
    with pytest.raises(Refused):
        staged({first: b"1", second: b"2"})


def test_a_path_twice_is_refused(tmp_path: Path) -> None:
    twice = [("site/a", b"1", "page"), ("site/a", b"1", "page")]
    with pytest.raises(Refused):
        stage(tmp_path, twice, title="", date=date(2026, 1, 1), tables={})


def _flip(folder: Path) -> None:
    file = folder / "site/data/a.csv"
    file.write_bytes(b"A\n")


def _grow(folder: Path) -> None:
    (folder / "site/data/a.csv").write_bytes(b"a\na\n")


def _lose(folder: Path) -> None:
    (folder / "site/data/a.csv").unlink()


def _add(folder: Path) -> None:
    (folder / "site/data/people.csv").write_bytes(b"x")


def _add_folder(folder: Path) -> None:
    (folder / "site/people").mkdir()


def _link(folder: Path) -> None:
    same = folder.parent / "a.csv"
    same.write_bytes(b"a\n")
    (folder / "site/data/a.csv").unlink()
    (folder / "site/data/a.csv").symlink_to(same)


def _link_folder(folder: Path) -> None:
    (folder / "site/data").rename(folder.parent / "data")
    (folder / "site/data").symlink_to(folder.parent / "data")


def _pipe(folder: Path) -> None:
    (folder / "site/data/a.csv").unlink()
    os.mkfifo(folder / "site/data/a.csv")


def _edit_manifest(folder: Path) -> None:
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"Demo"', b'"Dema"'))


@pytest.mark.parametrize(
    "harm",
    [_flip, _grow, _lose, _add, _add_folder, _link, _link_folder, _pipe, _edit_manifest],
    ids=lambda harm: harm.__name__.strip("_"),
)
def test_one_change_and_the_release_is_not_whole(harm: Callable[[Path], None], staged: Stage) -> None:
    release = commit(staged(FILES))
    switch(release.folder.parent, release.id)
    assert whole(release.folder)
    harm(release.folder)
    assert not whole(release.folder)
    with pytest.raises(Refused):
        switch(release.folder.parent, release.id)


def test_staged_files_that_changed_are_not_committed(staged: Stage) -> None:
    made = staged(FILES)
    _flip(made.folder)
    with pytest.raises(Refused, match=r"a\.csv"):
        commit(made)
    discard(made)
    assert not made.folder.exists()


MANIFEST = Manifest(
    "t",
    date(2026, 1, 1),
    "s",
    {},
    (Entry("site/a", "0" * 64, 1, "page"), Entry("site/b", "0" * 64, 1, "page")),
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"size":1', b'"size":-1'),
        (b'"size":1', b'"size":true'),
        (b'"size":1', b'"size":1.0'),
        (b"site/a", b"site/c"),
        (b"site/a", b"../../a"),
        (b"site/a", b"site/B"),
        (b"0" * 64, b"0" * 63),
        (b'"what":"page"', b'"what":"page","mode":7'),
        (b"release/1", b"release/2"),
        (b'"title": ', b'"title":'),
        (b"}\n", b"}\n\n"),
        (b'"date": "2026-01-01"', b'"date": "20260101"'),
        (b"{", b"["),
        (b"{\n", b'{\n"extra": 1,\n'),
    ],
)
def test_a_manifest_in_any_other_form_is_refused(old: bytes, new: bytes) -> None:
    content = MANIFEST.to_bytes()
    assert parse(content, where="m") == MANIFEST
    assert old in content
    with pytest.raises(Refused):
        parse(content.replace(old, new, 1), where="m")


def test_switching_replaces_the_link_in_one_step(staged: Stage) -> None:
    first = commit(staged(FILES))
    releases = first.folder.parent
    assert current(releases) is None
    switch(releases, first.id)
    second = commit(staged(FILES | {"site/index.html": b"<!doctype html>2"}))
    assert live_id(releases) == first.id
    switch(releases, second.id)
    found = current(releases)
    assert found is not None and found.id == second.id
    assert (releases / "current").readlink() == Path(second.id)
    assert read_manifest(releases / "current") == verify_digests(second.folder)


@pytest.mark.parametrize("target", ["/etc", "../x", "r-0123456789ab/site", ".", "R-0123456789AB"])
def test_a_link_to_anything_but_a_release_is_refused(target: str, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(target)
    with pytest.raises(Refused):
        live_id(tmp_path)


def test_switching_to_no_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        switch(tmp_path, ReleaseId("../x"))
    with pytest.raises(Refused):
        switch(tmp_path, id_of(b"none"))


def test_leftovers_go_only_under_the_build_lock(staged: Stage, tmp_path: Path) -> None:
    left = staged(FILES).folder
    (tmp_path / "releases/.current-0123").symlink_to("nowhere")
    staged(FILES | {"site/x": b"2"})
    assert left.exists()
    with lock(tmp_path / "confidential") as held:
        made = stage(tmp_path / "releases", [], title="", date=date(2026, 1, 1), tables={}, held=held)
    assert sorted((tmp_path / "releases").iterdir()) == [made.folder]
