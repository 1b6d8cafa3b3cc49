"""Writes a release: files into a staging folder, then one rename, then one switch of what is live.

At every moment `current` is absent or names a whole release: a kill leaves the earlier one live, and at most
a staging folder that the next build removes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from clerestory import __version__
from clerestory.errors import InputError, Refused
from clerestory.release.lock import BuildLock
from clerestory.release.manifest import (
    NAME,
    Entry,
    Manifest,
    PathBook,
    ReleaseId,
    TableFacts,
    folders_of,
    id_of,
    is_id,
)
from clerestory.release.verify import Release, open_release, verify_digests, whole

CURRENT = "current"
"""A link to the live release, for people and static hosts; the ledger alone decides what is live."""
STAGED = "staged"
"""A link to the release that was built last."""
SOFTWARE = f"clerestory {__version__}"
_LEFTOVERS = (".staging-", ".current-")
_PUBLIC_FILE, _PUBLIC_FOLDER, _PRIVATE_FOLDER = 0o644, 0o755, 0o700


@dataclass(frozen=True)
class Staged:
    """A release that is written but not yet under its name; only stage() makes one."""

    folder: Path
    id: ReleaseId
    manifest: Manifest

    @property
    def size(self) -> int:
        """Bytes of all files, without the manifest."""
        return sum(entry.size for entry in self.manifest.files)


Bundle = Staged | Release
"""A folder with a manifest, before or after it has its name."""


def stage(
    releases: Path,
    files: Iterable[tuple[str, bytes, str]],
    *,
    title: str,
    date: date,
    tables: Mapping[str, TableFacts],
    software: str = SOFTWARE,
    held: BuildLock | None = None,
) -> Staged:
    """Writes the files and their manifest into a folder that only its owner can open, durably.

    files: (path, content, what it is); paths are relative to the release folder (site/index.html), in any
    order; contents are not kept. software: what made them. held: the build lock; with it, what dead builds
    left is removed first.
    Raises Refused, with nothing left behind, if a path is unsafe or clashes with another.
    """
    releases.mkdir(mode=_PUBLIC_FOLDER, parents=True, exist_ok=True)
    if held is not None:
        _sweep(releases)
    folder = releases / f".staging-{secrets.token_hex(8)}"
    folder.mkdir(mode=_PRIVATE_FOLDER)
    try:
        manifest = _write(folder, files, Manifest(title, date, software, dict(tables), ()))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Staged(folder, id_of(manifest.to_bytes()), manifest)


def _write(
    folder: Path,
    files: Iterable[tuple[str, bytes, str]],
    head: Manifest,
) -> Manifest:
    book = PathBook()
    made: set[str] = set()
    entries: list[Entry] = []
    for path, content, what in files:
        problem = book.add(path)
        if problem:
            raise Refused(
                f"the path {problem}", where=f"file {path!r}", fix="change the page's or table's name"
            )
        for parent in sorted(folders_of([path]) - made):
            (folder / parent).mkdir(mode=_PUBLIC_FOLDER)
            (folder / parent).chmod(_PUBLIC_FOLDER)  # whatever the umask
            made.add(parent)
        _write_file(folder / path, content)
        entries.append(Entry(path, hashlib.sha256(content).hexdigest(), len(content), what))
    entries.sort(key=lambda entry: entry.path)
    manifest = replace(head, files=tuple(entries))
    _write_file(folder / NAME, manifest.to_bytes())
    _make_durable([folder / entry.path for entry in entries] + [folder / NAME])
    _make_durable([folder / path for path in sorted(made)] + [folder])
    return manifest


def _write_file(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), _PUBLIC_FILE)


def _make_durable(paths: list[Path]) -> None:
    # After all writes and from several threads, so that the file system can commit many at once.
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(_fsync, paths, chunksize=32))


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard(staged: Staged) -> None:
    """Removes a staged release that will not go on."""
    shutil.rmtree(staged.folder, ignore_errors=True)


def commit(staged: Staged) -> Release:
    """The staged files under the release's own name.

    If the same release is already there and whole, that one is kept and the staging folder removed.
    Raises Refused if the staged files are no longer those of the manifest.
    """
    releases = staged.folder.parent
    target = releases / staged.id
    verify_digests(staged.folder)
    if whole(target):
        discard(staged)
        return open_release(target)
    if target.is_symlink() or target.exists():
        # Damaged: rename does not replace a folder that has files, and its bytes may be wanted as evidence.
        target.rename(releases / f"damaged-{staged.id}-{secrets.token_hex(4)}")
    staged.folder.chmod(_PUBLIC_FOLDER)
    staged.folder.rename(target)
    _fsync(releases)
    return open_release(target)


def switch(releases: Path, release: ReleaseId, name: str = CURRENT) -> None:
    """Makes a link, `current` or `staged`, name a release, in one step.

    Raises InputError if the id is none, Refused if the release is not whole.
    """
    if not is_id(release):
        raise InputError(
            "this is not the id of a release", where=str(release), fix="ids look like r-0123456789ab"
        )
    open_release(releases / release)
    verify_digests(releases / release)
    link = releases / f".current-{secrets.token_hex(8)}"
    link.symlink_to(release, target_is_directory=True)
    try:
        link.replace(releases / name)
    except OSError:
        link.unlink(missing_ok=True)
        raise
    _fsync(releases)


def unpoint(releases: Path, name: str) -> None:
    """Removes a link."""
    (releases / name).unlink(missing_ok=True)
    _fsync(releases)


def live_id(releases: Path, name: str = CURRENT) -> ReleaseId | None:
    """What a link names; None if there is none. Raises Refused if it is not a link to a release's name."""
    try:
        target = str((releases / name).readlink())
    except FileNotFoundError:
        return None
    except OSError:
        target = ""
    if not is_id(target):
        raise Refused(
            "it is not a link to a release in the same folder",
            where=f"{releases.name}/{name}",
            fix="remove it and publish a release again",
        )
    return ReleaseId(target)


def current(releases: Path, name: str = CURRENT) -> Release | None:
    """The release that a link names; None if there is none. Raises Refused if it cannot be used."""
    release = live_id(releases, name)
    return None if release is None else open_release(releases / release)


def _sweep(releases: Path) -> None:
    """Removes what dead builds left. Only under the build lock: a living build would lose its folder."""
    for entry in list(releases.iterdir()):
        if entry.name.startswith(_LEFTOVERS):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
