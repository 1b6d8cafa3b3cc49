"""The live release as the server sees it: exact addresses, each a file of the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from clerestory.release.gate.bodies import BESIDE, ROOTS, WELL_KNOWN, beside
from clerestory.release.manifest import NAME, Entry, ReleaseId
from clerestory.release.proof import proof_list
from clerestory.release.verify import Release, open_release
from clerestory.serve.headers import content_type

_SITE = "site/"
_INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Served:
    """A file that an address leads to: where it is on disk, what the manifest says, its content type."""

    file: Path
    entry: Entry
    kind: str

    @property
    def tag(self) -> str:
        """What its ETag is made from."""
        return self.entry.sha256[:32]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One release: address -> file, and the addresses of folders that lack their last slash."""

    id: ReleaseId
    files: Mapping[str, Served]
    folders: frozenset[str]

    def not_found(self, address: str) -> Served | None:
        """The release's own page for an address that leads nowhere, in the address's language."""
        language = address.split("/", 2)[1]
        return self.files.get(f"/{language}/404.html") or self.files.get("/404.html")


def load(releases: Path, release: ReleaseId) -> Snapshot:
    """The snapshot of a release. Raises Refused if its manifest cannot be used."""
    opened = open_release(releases / release)
    files: dict[str, Served] = {}
    folders: set[str] = set()
    for entry in opened.manifest.files:
        if entry.path.startswith(_SITE):
            address = "/" + entry.path.removeprefix(_SITE)
            served = Served(opened.folder / entry.path, entry, content_type(entry.path))
            files[address] = served
            if address.endswith("/" + _INDEX):
                folder = address.removesuffix(_INDEX)
                files[folder] = served
                folders.add(folder.removesuffix("/"))
    for path, file, entry in _evidence(releases, opened):
        files[WELL_KNOWN + path] = Served(file, entry, content_type(path))
    return Snapshot(release, files, frozenset(folders - {""}))


def _evidence(releases: Path, opened: Release) -> Iterator[tuple[str, Path, Entry]]:
    """What an outsider checks the site by: manifest, structures, proof, signatures, the chain of roots."""
    folder = opened.folder
    yield NAME, folder / NAME, _entry(folder / NAME)
    for entry in opened.manifest.files:
        if not entry.path.startswith(_SITE):
            yield entry.path, folder / entry.path, entry
    # A file of that name on the manifest is no proof, which is made after the manifest.
    known = any(entry.path == proof_list.NAME for entry in opened.manifest.files)
    listed = None if known else proof_list.read(folder, opened.id)
    if listed is not None:
        yield proof_list.NAME, folder / proof_list.NAME, _entry(folder / proof_list.NAME)
        for entry in listed.files:
            yield entry.path, folder / entry.path, entry
    for number, (kind, digest, _) in enumerate(beside(folder)):
        file = folder / BESIDE / f"{kind.value}-{digest}.json"
        yield f"{BESIDE}/{number}.json", file, _entry(file)
    for file in sorted((releases / ROOTS).glob("*.root.json")):
        yield f"trust/{file.name}", file, _entry(file)


def _entry(file: Path) -> Entry:
    content = file.read_bytes()
    return Entry(file.name, hashlib.sha256(content).hexdigest(), len(content), "evidence")
