"""What is live, as somebody else decided it: the server asks, several times a second, and obeys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from clerestory.errors import ClerestoryError
from clerestory.release.bundle import CURRENT, live_id
from clerestory.release.manifest import NAME as MANIFEST
from clerestory.release.manifest import id_of


@dataclass(frozen=True, slots=True)
class Live:
    """This release is public. manifest: the SHA-256 of its manifest, or "" to go by the release's id.

    withdrawn: releases that were taken down; whatever of them is still being sent is cut.
    """

    folder: Path
    release: str
    manifest: str = ""
    withdrawn: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The release that was public was taken down. since: a date and time as readers see it, or ""."""

    release: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing can be served. problem: why, for who runs the server; readers are not told."""

    problem: str


Decision = Live | Withdrawn | Nothing


class Source(Protocol):
    """Who decides what is live."""

    def look(self) -> Decision:
        """What holds now. Called about ten times a second: cheap where nothing changed. Raises nothing."""


class Links:
    """Goes by the link `current` in a folder of releases: one readlink a look."""

    def __init__(self, releases: Path) -> None:
        self.releases = releases
        self._seen: Live | None = None

    def look(self) -> Decision:
        """What `current` names."""
        try:
            release = live_id(self.releases)
            if release is None:
                return Nothing(f"there is no {self.releases.name}/{CURRENT}")
            if self._seen is None or self._seen.release != release:
                folder = self.releases / release
                if id_of((folder / MANIFEST).read_bytes()) != release:
                    return Nothing(f"the manifest of {release} is not the one it was named after")
                self._seen = Live(folder, release)
        except ClerestoryError as problem:
            return Nothing(str(problem))
        except OSError as problem:
            return Nothing(f"the live release cannot be read: {problem.strerror}")
        return self._seen
