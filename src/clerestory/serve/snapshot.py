"""The live release as the server sees it: exact addresses, each a file of the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clerestory.release.manifest import Entry, ReleaseId
from clerestory.release.verify import open_release
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
    return Snapshot(release, files, frozenset(folders - {""}))
